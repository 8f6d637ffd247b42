#!/bin/bash
# Compares Wharf with RabbitMQ over AMQP 1.0 on one machine, with one generator, and prints Markdown tables.
#
# All servers run throughout and take turns (A-B-A-B), so that a disturbance does not hit one alone; the median of the
# passes counts. Everything is durable and unsettled both ways, one producer and one consumer, and the generator
# fails a run in which a message is lost, duplicated or out of order.
#
#   RABBITMQ_URL     amqp://USER:PASSWORD@HOST:PORT of a running RabbitMQ 4 (default: it is left out)
#   RABBITMQ_PID     the process id of its Erlang VM
#   WHARF            the binary (default: built now, release)
#   SECONDS_EACH=5   length of one run             PASSES=3           how often all take their turn
#   SIZES="16 1024"  octets of a message's body    CREDITS="200 2000" deliveries unsettled, and the consumer's credit
#   RATE=2000        messages a second of the runs for latency; 0 = skip
#   IDLE=1000        idle connections; 0 = skip    SYNCS=0            1 = count system calls that sync, with strace
#   DATA             where Wharf's journal goes (default: a new directory under target); on the same disk as theirs
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
seconds=${SECONDS_EACH:-5}
passes=${PASSES:-3}
sizes=${SIZES:-16 1024}
credits=${CREDITS:-200 2000}
rate=${RATE:-2000}
idle=${IDLE:-1000}
http=127.0.0.1:${PORT:-9480}
amqp=127.0.0.1:$((${PORT:-9480} + 1))

target=${CARGO_TARGET_DIR:-$here/target}
(cd "$here" && cargo build --quiet --release)
load=$target/release/amqp-load
wharf=${WHARF:-}
if [ -z "$wharf" ]; then
    (cd "$root" && cargo build --quiet --release -p wharf-server)
    wharf=${CARGO_TARGET_DIR:-$root/target}/release/wharf
fi

ulimit -n "$(ulimit -Hn)"
mkdir -p "$target"
data=${DATA:-$(mktemp -d "$target/data.XXXXXX")}
results=$(mktemp)
wharf_pid=
stop_wharf() {
    [ -n "$wharf_pid" ] || return 0
    kill "$wharf_pid" 2>/dev/null || true
    wait "$wharf_pid" 2>/dev/null || true
    wharf_pid=
}
trap 'stop_wharf; rm -rf "$results" "$results.calls" "${data:?}/journal"; rmdir "$data" 2>/dev/null || true' EXIT

start_wharf() {
    stop_wharf
    rm -rf "${data:?}/journal"
    "$wharf" serve --listen "$http" --set amqp.listen_address="$amqp" --data "$data/journal" --user load:load \
        --set log.level=error >/dev/null 2>&1 &
    wharf_pid=$!
    until (exec 3<>"/dev/tcp/${amqp/:/\/}") 2>/dev/null; do
        kill -0 "$wharf_pid" || { echo "amqp: wharf does not start" >&2; exit 1; }
        sleep 0.05
    done
    # Ready when a login works.
    until "$load" load --url "amqp://load:load@$amqp" --count 1 --seconds 0.1 --warm-up 0 >/dev/null 2>&1; do
        sleep 0.2
    done
}

# Label, URL, process id, kind of queue. The last two are filled in when they are known.
servers() {
    echo "Wharf, WebSocket|ws://load:load@$http/ws|$wharf_pid|"
    echo "Wharf, TCP|amqp://load:load@$amqp|$wharf_pid|"
    if [ -n "${RABBITMQ_URL:-}" ]; then
        echo "RabbitMQ classic|$RABBITMQ_URL|$RABBITMQ_PID|classic"
        echo "RabbitMQ quorum|$RABBITMQ_URL|$RABBITMQ_PID|quorum"
    fi
}

each_server() { # COMMAND...: with LABEL, URL, PID and what declares a queue put behind
    local label url pid kind
    while IFS='|' read -r label url pid kind; do
        "$@" --label "$label" --url "$url" --pid "$pid" ${kind:+--declare "$kind"} </dev/null >>"$results" ||
            echo "amqp: $label failed at: ${*:3}" >&2
    done < <(servers)
}

syncs() { # ARGUMENTS of load: how often a server syncs meanwhile
    local strace_pid line label pid
    label=$(sed -E 's/.*--label (.*) --url.*/\1/' <<<"$*")
    pid=$(sed -E 's/.*--pid ([0-9]+).*/\1/' <<<"$*")
    strace -f -c -e trace=fsync,fdatasync,sync_file_range,sync -o "$results.calls" -p "$pid" 2>/dev/null &
    strace_pid=$!
    sleep 1
    line=$("$load" load --warm-up 0 "$@") || return 1
    kill -INT "$strace_pid"
    wait "$strace_pid" || true
    awk -v label="$label" -v messages="$(cut -f15 <<<"$line")" '
        $NF ~ /sync/ { calls += $4 }
        END { printf "syncs\t%s\t%d\t%d\n", label, calls, messages }' "$results.calls"
}

echo "load average before: $(cut -d' ' -f1-3 /proc/loadavg)" >&2
if [ "$idle" -gt 0 ]; then
    # First of all and in new processes: memory that was used before would be used again.
    start_wharf
    "$load" idle --label "Wharf, WebSocket" --url "ws://load:load@$http/ws" --pid "$wharf_pid" \
        --connections "$idle" >>"$results"
    start_wharf
    "$load" idle --label "Wharf, TCP" --url "amqp://load:load@$amqp" --pid "$wharf_pid" \
        --connections "$idle" >>"$results"
    if [ -n "${RABBITMQ_URL:-}" ]; then
        "$load" idle --label "RabbitMQ" --url "$RABBITMQ_URL" --pid "$RABBITMQ_PID" --connections "$idle" >>"$results"
    fi
fi
start_wharf
for _ in $(seq "$passes"); do
    for size in $sizes; do
        for credit in $credits; do
            each_server "$load" load --size "$size" --credit "$credit" --seconds "$seconds"
        done
    done
    if [ "$rate" -gt 0 ]; then
        each_server "$load" load --rate "$rate" --credit 200 --seconds "$seconds"
    fi
done
if [ "${SYNCS:-0}" = 1 ]; then
    for credit in $credits; do
        each_server syncs --credit "$credit" --seconds 2
    done
fi
echo "load average after: $(cut -d' ' -f1-3 /proc/loadavg)" >&2
if [ -n "${RAW:-}" ]; then cp "$results" "$RAW"; fi
python3 "$here/table.py" <"$results"
