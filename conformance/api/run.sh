#!/bin/sh
# Runs the suite against brokers of its own: WHARF_BIN, or the release build. Arguments go to run.py.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
python=$("$here/setup.sh")
exec "$python" "$here/run.py" --serve "${WHARF_BIN:-$here/../../target/release/wharf}" "$@"
