#!/bin/sh
# Builds the console, compares it with what is committed, and tests it in chromium, with a broker of
# its own: WHARF_BIN, or the release build. Arguments go to test/run.mjs.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
"$here/../../conformance/browser/setup.sh"
cd "$here"
stamp="node_modules/.ready-$(sha256sum package-lock.json | cut -c 1-16)"
if [ ! -e "$stamp" ]; then
    npm ci --ignore-scripts --no-audit --no-fund >&2
    touch "$stamp"
fi
node types.mjs --check
node_modules/.bin/tsc -p .
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
# The build fails above its limit of size.
WHARF_CONSOLE_OUT="$built" node_modules/.bin/vite build
if ! diff -r "$built" ../../crates/server/assets/console >/dev/null; then
    echo "console: crates/server/assets/console is not what the sources build" >&2
    echo "console: run \`npm run build\` in clients/console" >&2
    exit 1
fi
echo "console: the committed build is that of the sources"
node --test test/*.test.mjs
node test/run.mjs "${WHARF_BIN:-$here/../../target/release/wharf}" "$@"
