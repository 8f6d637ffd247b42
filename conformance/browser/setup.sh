#!/bin/sh
# Installs what the browser tests need, where it is missing: Debian's chromium, and the pinned playwright-core.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
if ! command -v chromium >/dev/null; then
    apt-get update -q >&2
    apt-get install -q -y chromium >&2
fi
stamp="$here/node_modules/.ready-$(sha256sum "$here/package-lock.json" | cut -c 1-16)"
if [ ! -e "$stamp" ]; then
    # playwright-core downloads no browser of its own; scripts are off all the same.
    (cd "$here" && npm ci --ignore-scripts --no-audit --no-fund >&2)
    touch "$stamp"
fi
