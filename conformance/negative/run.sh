#!/bin/sh
# Runs the negative list against brokers of its own: WHARF_BIN, or the release build. Arguments go to run.py.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
exec python3 "$here/run.py" "${WHARF_BIN:-$here/../../target/release/wharf}" "$@"
