#!/bin/bash
# What the console costs publishers: `wharf bench` without a console, beside one that is open, and beside one
# that is hammered, in turns (A-B-C-A-B-C), so that a disturbance does not hit one alone. Prints a Markdown table.
#
#   WHARF                the binary (default: target/release/wharf)
#   PASSES=7             how often all take their turn
#   MESSAGES=400000      of each of the two producers in one run
#   RATE=0               messages a second of each producer; 0 is as fast as they come
#   ADDRESSES=100000     declared before
#   CORES=1              processors for broker and load alone, and as many for the browser; 0: nobody is bound.
#                        What is asked is what the console costs the broker, not what chromium takes from it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
"$root/conformance/browser/setup.sh"
if [ ! -e "$root/clients/console/node_modules/playwright-core" ]; then
    (cd "$root/clients/console" && npm ci --ignore-scripts --no-audit --no-fund >&2)
fi
exec node "$here/run.mjs" "$(realpath "${WHARF:-$root/target/release/wharf}")"
