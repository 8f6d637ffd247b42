#!/bin/sh
# Tests the page /demo in chromium, with a broker of its own: WHARF_BIN, or the release build.
# Arguments go to run.mjs.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
"$here/../browser/setup.sh"
node --test "$here"/*.test.mjs
exec node "$here/run.mjs" "${WHARF_BIN:-$here/../../target/release/wharf}" "$@"
