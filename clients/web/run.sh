#!/bin/sh
# Builds the client, within its size, and tests it: in node, and in chromium against a broker of its own behind a
# proxy that cuts connections. WHARF_BIN, or the release build. usage: run.sh [quick|full]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
"$here/../../conformance/browser/setup.sh"
WHARF_BIN=$(realpath "${WHARF_BIN:-$here/../../target/release/wharf}")
export WHARF_BIN
cd "$here"
stamp="node_modules/.ready-$(sha256sum package-lock.json | cut -c 1-16)"
if [ ! -e "$stamp" ]; then
    npm ci --ignore-scripts --no-audit --no-fund >&2
    touch "$stamp"
fi
# Fails above the limit of size.
node build.mjs
node --test --test-reporter=spec test/frames.test.mjs test/backoff.test.mjs test/node.test.mjs test/browser.test.mjs test/examples.test.mjs
if [ "${1:-quick}" = full ]; then
    export WHARF_TEST_FULL=1
    node --test --test-reporter=spec test/memory.test.mjs
fi
node --test --test-reporter=spec test/storm.test.mjs
