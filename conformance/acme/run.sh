#!/bin/sh
# Certificates from a local authority: WHARF_BIN, or the release build.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
programs=$("$here/setup.sh")
exec python3 "$here/run.py" "$programs" "${WHARF_BIN:-$here/../../target/release/wharf}"
