#!/bin/bash
# Prints a Markdown table of the sizes of clients for browsers, all bundled alike; `sizes` is all it does.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
web=$here/../../clients/web
for package in "$web" "$here"; do
    [ -d "$package/node_modules" ] || (cd "$package" && npm ci --ignore-scripts --no-audit --no-fund >&2)
done
cd "$web"
node build.mjs >&2
cd "$here"
exec node sizes.mjs print
