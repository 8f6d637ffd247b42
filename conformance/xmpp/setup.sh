#!/bin/sh
# Installs the clients at the versions of the lock file, and what the browser needs.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
stamp="$here/node_modules/.ready-$(sha256sum "$here/package-lock.json" | cut -c 1-16)"
if [ ! -e "$stamp" ]; then
    (cd "$here" && npm ci --ignore-scripts --no-audit --no-fund >&2)
    touch "$stamp"
fi
"$here/../browser/setup.sh"
