#!/bin/bash
# Compares echo servers side by side on one machine and prints Markdown tables.
#
# The server is pinned to core 0, the generator to core 1. All servers take turns, and the turns are repeated (A-B-A-B),
# so that a disturbance does not hit one server alone; the lower of a server's results counts. The figure to trust is
# the server's processor time per message: messages per second also measure whatever else the machine does.
#
#   SECONDS_EACH=3  length of one run           PASSES=2    how often all take their turn
#   SIZES="16 125 1024 16384"  payload octets   SERVERS=""  names, to leave the others out
#   IDLE=10000      idle connections, 0 = skip  SYSCALLS=0  1 = count system calls with strace
#   WHARF_ECHO      the echo server of crates/ws (default: its example, built now)
#   UWS_ECHO        a uWebSockets echo server that takes HOST:PORT (default: left out)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
seconds=${SECONDS_EACH:-3}
passes=${PASSES:-2}
sizes=${SIZES:-16 125 1024 16384}
idle=${IDLE:-10000}
address=127.0.0.1:${PORT:-9470}

target=${CARGO_TARGET_DIR:-$here/target}
(cd "$here" && cargo build --quiet --release)
bin="$target/release"

wharf=${WHARF_ECHO:-}
if [ -z "$wharf" ]; then
    if (cd "$root" && cargo build --quiet --release -p wharf-ws --example echo_server); then
        wharf="${CARGO_TARGET_DIR:-$root/target}/release/examples/echo_server"
    else
        echo "compare: crates/ws has no echo server, it is left out" >&2
    fi
fi

# Name, what it speaks, command.
servers=(
    "raw-epoll raw $bin/raw-epoll"
    "raw-tokio raw $bin/raw-tokio"
    "${wharf:+wharf-ws ws $wharf}"
    "${UWS_ECHO:+uWebSockets ws $UWS_ECHO}"
    "fastwebsockets ws $bin/fastwebsockets"
    "sockudo-ws ws $bin/sockudo"
    "sockudo-ws(forward) ws $bin/sockudo forward"
    "tokio-tungstenite ws $bin/tungstenite"
    "tokio-tungstenite(forward) ws $bin/tungstenite forward"
    "tokio-websockets ws $bin/tokio-websockets"
    "tokio-websockets(forward) ws $bin/tokio-websockets forward"
)

# Ten thousand connections need as many descriptors on either side.
ulimit -n "$(ulimit -Hn)"
results=$(mktemp)
server_pid=
trap 'if [ -n "$server_pid" ]; then kill "$server_pid" 2>/dev/null || true; fi; rm -f "$results" "$results.calls"' EXIT

start() { # COMMAND [MODE]
    taskset -c 0 "$1" "$address" "${@:2}" >/dev/null 2>&1 &
    server_pid=$!
    until (exec 3<>"/dev/tcp/${address/:/\/}") 2>/dev/null; do
        kill -0 "$server_pid" || { echo "compare: $1 does not start" >&2; exit 1; }
        sleep 0.05
    done
}

stop() {
    kill "$server_pid" || echo "compare: the server had ended" >&2
    wait "$server_pid" 2>/dev/null || true
    server_pid=
}

# Runs function $1 with NAME PROTOCOL and the further arguments against every server.
each_server() {
    local entry name protocol command
    for entry in "${servers[@]}"; do
        read -r name protocol command <<<"$entry"
        [ -n "$name" ] || continue
        if [ -n "${SERVERS:-}" ] && [[ " $SERVERS " != *" $name "* ]]; then continue; fi
        # shellcheck disable=SC2086 # a command and its mode
        start $command
        "$1" "$name" "$protocol" "${@:2}" || echo "compare: $name failed at: ${*:2}" >&2
        stop
    done
}

load() { taskset -c 1 "$bin/load" "$@"; }

echo_run() { # NAME PROTOCOL PATTERN SIZE CONNECTIONS DEPTH
    local result
    result=$(load echo "$address" "$server_pid" "$2" "$5" "$6" "$4" "$seconds") || return 1
    printf '%s\t%s\t%s\t%s\n' "$3" "$4" "$1" "$result" >>"$results"
}

idle_run() { # NAME PROTOCOL
    local result
    result=$(load idle "$address" "$server_pid" "$2" "$idle") || return 1
    printf 'idle\t0\t%s\t%s\n' "$1" "$result" >>"$results"
}

syscall_run() { # NAME PROTOCOL SIZE CONNECTIONS DEPTH
    local strace_pid result
    strace -f -c -o "$results.calls" -p "$server_pid" 2>/dev/null &
    strace_pid=$!
    sleep 0.5
    result=$(load echo "$address" "$server_pid" "$2" "$4" "$5" "$3" 1) || return 1
    kill -INT "$strace_pid"
    wait "$strace_pid" || true
    awk -v name="$1" -v size="$3" -v messages="$(cut -f4 <<<"$result")" '
        $NF ~ /^(read|readv|recvfrom|recvmsg)$/ { received += $4 }
        $NF ~ /^(write|writev|sendto|sendmsg)$/ { sent += $4 }
        END { printf "syscalls\t%s\t%s\t%.3f\t%.3f\n", size, name, received / messages, sent / messages }
    ' "$results.calls" >>"$results"
}

for _ in $(seq "$passes"); do
    for size in $sizes; do
        # About the same number of octets in flight at every size.
        case "$size" in
            1048576) each_server echo_run ping-pong "$size" 8 1; each_server echo_run pipelined "$size" 4 2 ;;
            16384) each_server echo_run ping-pong "$size" 64 1; each_server echo_run pipelined "$size" 16 16 ;;
            *) each_server echo_run ping-pong "$size" 64 1; each_server echo_run pipelined "$size" 16 64 ;;
        esac
    done
done
if [ "$idle" -gt 0 ]; then each_server idle_run; fi
if [ "${SYSCALLS:-0}" = 1 ]; then
    each_server syscall_run 1024 8 1
    each_server syscall_run 125 8 64
fi
python3 "$here/table.py" <"$results"
