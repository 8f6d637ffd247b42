#!/bin/sh
# Runs the browser tests against a broker of their own: WHARF_BIN, or the release build. Arguments go to run.mjs.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
"$here/setup.sh"
exec node "$here/run.mjs" "${WHARF_BIN:-$here/../../target/release/wharf}" "$@"
