#!/bin/sh
# Builds the console, compares it with what is committed, and tests it in chromium, with brokers of its
# own: WHARF, or the release build.
#
#     run.sh [quick|full] [arguments of test/run.mjs]
#
# `quick` (under two minutes) does everything with fewer addresses; `full`, which is what it is without
# a word, has 100,000 of them, and measures how soon their page is there.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
binary=$(realpath "${WHARF:-${WHARF_BIN:-$here/../../target/release/wharf}}")
length=full
case "${1:-}" in
    quick | full)
        length=$1
        shift
        ;;
esac
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
if [ "$length" = quick ]; then
    node test/run.mjs "$binary" --quick "$@"
else
    node test/run.mjs "$binary" "$@"
    node test/crowd.mjs "$binary"
fi
