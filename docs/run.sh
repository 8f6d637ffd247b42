#!/bin/sh
# Does what the pages of docs say, against brokers of its own: WHARF, or WHARF_BIN, or the release
# build. Arguments go to check/run.py: names of pages, if not all; `--dry` reads and runs nothing;
# `--without cargo` does as if there were none. With CI=1 nothing may be left out.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
binary=${WHARF:-${WHARF_BIN:-$here/../target/release/wharf}}
exec python3 "$here/check/run.py" --binary "$binary" "$@"
