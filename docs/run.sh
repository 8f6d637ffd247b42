#!/bin/sh
# Does what the pages of docs say, against brokers of its own: WHARF_BIN, or the release build.
# Arguments go to check/run.py: names of pages, if not all; `--dry` reads and runs nothing.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
binary=${WHARF_BIN:-$here/../target/release/wharf}
exec python3 "$here/check/run.py" --binary "$binary" "$@"
