#!/bin/bash
# Runs the Autobahn suite against crates/ws and compares the outcome with what is expected.
#
#   run.sh server|client quick|full [URL]
#
# quick = groups 1-7, 9 and 10 (301 cases, under a minute); full = all 517 (compression takes 10 to 20 minutes).
# A URL (ws://host:port) names a server to test in place of the crate's own echo server.
# CASES="6.4.* 7.*" narrows a run while one looks for a fault; missing cases are then no difference.
set -euo pipefail

usage() {
    echo "usage: run.sh server|client quick|full [URL]" >&2
    exit 64
}

role=${1:-}
size=${2:-}
url=${3:-}
case "$role/$size" in
    server/quick | server/full | client/quick | client/full) ;;
    *) usage ;;
esac
# A client has no URL to be tested at: it connects to the suite.
if [ "$role" = client ] && [ -n "$url" ]; then usage; fi

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$target"
target=$(cd "$target" && pwd)
work="$target/autobahn/$role-$size"
wstest=$("$here/setup.sh")

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Waits until process $2 listens on port $1.
await_port() {
    until (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do
        kill -0 "$2" 2>/dev/null || { echo "autobahn: the server ended before it listened" >&2; exit 1; }
        sleep 0.1
    done
}

json_list() {
    python3 -c 'import json, sys; print(json.dumps(sys.argv[1:]))' "$@"
}

example() {
    (cd "$root" && cargo build --quiet --release -p wharf-ws --example "$1")
    echo "$target/release/examples/$1"
}

rm -rf "$work"
mkdir -p "$work"
cd "$work"

# The parts of a run that go on side by side, each a list of cases. Compression is nine tenths of a full run.
plain="1.* 2.* 3.* 4.* 5.* 6.* 7.* 9.* 10.*"
case "$size" in
    quick) parts=("$plain") ;;
    full) parts=("$plain 13.*" "12.1.* 12.2.*" "12.3.* 12.4.* 12.5.*") ;;
esac
partial=()
if [ -n "${CASES:-}" ]; then
    parts=("$CASES")
    partial=(--partial)
fi

# Runs cases $2 in folder $1, against a server or as a client's far end.
run_part() {
    local part=$1 cases selection port pid
    read -ra cases <<<"$2"
    selection="\"outdir\": \"report\", \"cases\": $(json_list "${cases[@]}"), \"exclude-cases\": [], \"exclude-agent-cases\": {}"
    mkdir "$part"
    cd "$part"
    if [ "$role" = server ]; then
        echo "{\"servers\": [{\"agent\": \"wharf-ws\", \"url\": \"$url\"}], $selection}" >spec.json
        "$wstest" -m fuzzingclient -s spec.json -u 0 >wstest.log 2>&1
        return
    fi
    port=$(free_port)
    echo "{\"url\": \"ws://127.0.0.1:$port\", $selection}" >spec.json
    "$wstest" -m fuzzingserver -s spec.json -u 0 >wstest.log 2>&1 &
    pid=$!
    # shellcheck disable=SC2064 # the process of this part
    trap "kill $pid 2>/dev/null || true" EXIT
    await_port "$port" "$pid"
    "$client" "ws://127.0.0.1:$port" >client.log 2>&1
}

if [ "$role" = client ]; then
    client=$(example autobahn_client)
elif [ -z "$url" ]; then
    echo_server=$(example echo_server)
    port=$(free_port)
    "$echo_server" "127.0.0.1:$port" >server.log 2>&1 &
    server=$!
    trap 'kill "$server" 2>/dev/null || true' EXIT
    await_port "$port" "$server"
    url="ws://127.0.0.1:$port"
fi

running=()
for index in "${!parts[@]}"; do
    (run_part "part-$index" "${parts[index]}") &
    running+=($!)
done
for pid in "${running[@]}"; do
    wait "$pid" || echo "autobahn: a part of the run failed, see $work" >&2
done
python3 "$here/check.py" "${partial[@]}" "$here/expected-$role.json" "$size" part-*/report/index.json
