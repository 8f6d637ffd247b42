#!/bin/bash
# Clients for browsers beside each other; each prints a Markdown table.
#   run.sh sizes     what an application imports of each, all bundled alike
#   run.sh losses    what becomes of messages when connections are cut, and the time to the first message
#
# For `losses`, the brokers; a row whose broker is not named is left out:
#   WHARF                the binary (default: target/release/wharf)
#   RABBITMQ_SERVER      rabbitmq-server of RabbitMQ 4, with its plug-ins web_stomp and web_mqtt (and not the script of
#                        Debian that changes the user); EPMD=epmd
#   MOSQUITTO            mosquitto, built with WebSockets
#   CENTRIFUGO           centrifugo, version 6
#   STOMP_URL, MQTT_URL (a Mosquitto), CENTRIFUGO_URL   or one that runs already on 127.0.0.1, with the path /ws
# and how long:
#   CUTS=1000            of connections, over both sides
#   MESSAGES=20000       RATE=40 of them in a second
#   SEED=1               of the plan of cuts
#   CONNECTIONS=21       for the time to the first message
#   ONLY=wharf,mqtt      of wharf, stomp, mqtt, centrifuge
set -euo pipefail

what=${1:-}
case $what in sizes | losses) ;; *)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
web=$here/../../clients/web
if [ "$what" = losses ]; then
    WHARF=$(realpath "${WHARF:-$here/../../target/release/wharf}")
    export WHARF
fi
for package in "$web" "$here"; do
    [ -d "$package/node_modules" ] || (cd "$package" && npm ci --ignore-scripts --no-audit --no-fund >&2)
done
cd "$web"
node build.mjs >&2
cd "$here"
if [ "$what" = sizes ]; then exec node sizes.mjs print; fi
exec node losses.mjs
