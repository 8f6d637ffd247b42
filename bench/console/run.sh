#!/bin/bash
# What the console costs publishers: `wharf bench` beside a console that is open, and one that is hammered; each time
# compared with a browser that does the same to another broker, since a browser takes its part of the machine
# whatever it shows. They take turns, so that a disturbance does not hit one alone. Prints a Markdown table.
#
#   WHARF                the binary (default: target/release/wharf)
#   PASSES=7             how often all take their turn
#   MESSAGES=400000      of each of the two producers in one run
#   RATE=0               messages a second of each producer; 0 is as fast as they come
#   ADDRESSES=100000     declared before
#   CORES=1              processors for broker and load alone, and as many for the browser and the other broker;
#                        0: nobody is bound
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
"$root/conformance/browser/setup.sh"
if [ ! -e "$root/clients/console/node_modules/playwright-core" ]; then
    (cd "$root/clients/console" && npm ci --ignore-scripts --no-audit --no-fund >&2)
fi
exec node "$here/run.mjs" "$(realpath "${WHARF:-$root/target/release/wharf}")"
