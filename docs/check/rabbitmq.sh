#!/bin/bash
# The guide "from RabbitMQ" with a RabbitMQ: its definitions are taken over, 1,000 messages are moved.
# Wharf is the broker of the page; RabbitMQ listens on loopback, in a folder of its own.
set -euo pipefail

messages=1000
bin=/usr/lib/rabbitmq/bin
python=docs/examples/python/.venv/bin/python
work=$PLAYGROUND/rabbitmq
mkdir "$work"
free_port() {
    python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
port=$(free_port)
export HOME=$work ERL_EPMD_ADDRESS=127.0.0.1
ERL_EPMD_PORT=$(free_port)
RABBITMQ_DIST_PORT=$(free_port)
export ERL_EPMD_PORT RABBITMQ_DIST_PORT
export RABBITMQ_NODENAME=docs@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT=$port
export RABBITMQ_MNESIA_BASE=$work/mnesia RABBITMQ_LOG_BASE=$work/log
export RABBITMQ_ENABLED_PLUGINS_FILE=$work/plugins RABBITMQ_CONFIG_FILE=$work/none
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}"
echo '[rabbitmq_amqp1_0].' >"$RABBITMQ_ENABLED_PLUGINS_FILE"

"$bin/rabbitmq-server" >"$work/out" 2>&1 &
server=$!
stop() {
    "$bin/rabbitmqctl" -q stop >/dev/null 2>&1 || kill "$server"
    wait "$server" || true
    epmd -kill >/dev/null 2>&1 || true
}
trap stop EXIT
until "$bin/rabbitmqctl" -q await_startup --timeout 60 2>/dev/null; do
    kill -0 "$server" || { cat "$work/out" >&2; exit 1; }
    sleep 0.5
done

# As an application of theirs would have left it.
"$bin/rabbitmqctl" -q add_user shop 'a secret of theirs'
"$bin/rabbitmqctl" -q set_permissions shop '^$' '^orders' '^orders'
"$bin/rabbitmqctl" -q set_policy bounded '^orders$' '{"max-length": 5000, "overflow": "reject-publish"}'
"$python" - "amqp://127.0.0.1:$port" "$messages" <<'PYTHON'
import sys

from proton import Message
from proton.utils import BlockingConnection

url, count = sys.argv[1], int(sys.argv[2])
connection = BlockingConnection(url, user="guest", password="guest", allow_insecure_mechs=True)
sender = connection.create_sender("/queue/orders")
for number in range(1, count + 1):
    sender.send(Message(body=str(number), durable=True))
connection.close()
PYTHON

"$bin/rabbitmqctl" -q export_definitions "$work/definitions.json"
wharf definitions rabbitmq "$work/definitions.json" >"$work/taken" || [ $? = 3 ]
for wanted in '+ user shop' '+ policy bounded' '+ address localhost orders'; do
    grep -qFx -- "$wanted" "$work/taken" || { cat "$work/taken" >&2; exit 1; }
done

moved=$(docs/examples/go/bin/move "amqp://guest:guest@127.0.0.1:$port" /queue/orders orders)
[ "$moved" = "moved $messages" ] || { echo "$moved" >&2; exit 1; }
wharf receive orders -n "$messages" | cmp - <(seq "$messages")
left=$("$bin/rabbitmqctl" -q list_queues --no-table-headers messages)
[ "$left" = 0 ] || { echo "$left are left" >&2; exit 1; }
