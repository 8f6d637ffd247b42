#!/bin/bash
# Compares Wharf with ejabberd and Prosody over XMPP on a WebSocket, with one generator, and prints Markdown tables.
#
# Streams are managed both ways, bodies are in chat messages to whole addresses, and all servers take turns
# (A-B-C-A-B-C), so that a disturbance does not hit one alone; the median of the passes counts. A run in which a
# message is lost, comes twice or out of order says so.
#
#   EJABBERD_URL     ws://PREFIX:PASSWORD@HOST:PORT/PATH of a running ejabberd, with accounts PREFIX0, PREFIX1 and so on
#   EJABBERD_PID     its process id                 PROSODY_URL, PROSODY_PID: the same (default: they are left out)
#   WHARF            the binary (default: built now, release)
#   SECONDS_EACH=5   length of one run              PASSES=3           how often all take their turn
#   LOADS="1:1 1:100 50:10 50:100"                  pairs, and messages of a pair under way
#   ARCHIVES="0 10000"                              messages Wharf keeps of each account; 0: no archive
#   IDLE=1000        idle sessions; 0 = skip        SIZE=64            octets of a body
#   CROWD=0          accounts with 20 contacts each that log in, Wharf alone; 0 = skip (needs as many open files)
#   DATA             where Wharf's journal goes (default: a new directory under target)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
seconds=${SECONDS_EACH:-5}
passes=${PASSES:-3}
loads=${LOADS-1:1 1:100 50:10 50:100}
archives=${ARCHIVES-0 10000}
idle=${IDLE:-1000}
crowd=${CROWD:-0}
size=${SIZE:-64}
http=127.0.0.1:${PORT:-9480}
ours=ws://u:pass@$http/ws

target=${CARGO_TARGET_DIR:-$here/target}
(cd "$here" && cargo build --quiet --release)
load=$target/release/xmpp-load
wharf=${WHARF:-}
if [ -z "$wharf" ]; then
    (cd "$root" && cargo build --quiet --release -p wharf-server)
    wharf=${CARGO_TARGET_DIR:-$root/target}/release/wharf
fi

ulimit -n "$(ulimit -Hn)"
mkdir -p "$target"
data=${DATA:-$(mktemp -d "$target/data.XXXXXX")}
mkdir -p "$data"
results=$(mktemp)
wharf_pid=
stop_wharf() {
    [ -n "$wharf_pid" ] || return 0
    kill "$wharf_pid" 2>/dev/null || true
    wait "$wharf_pid" 2>/dev/null || true
    wharf_pid=
}
trap 'stop_wharf; rm -rf "$results" "${data:?}/journal" "$data/wharf.toml"; rmdir "$data" 2>/dev/null || true' EXIT

start_wharf() { # ACCOUNTS ARCHIVE
    stop_wharf
    rm -rf "${data:?}/journal"
    python3 "$here/users.py" "$1" "$2" "$wharf" >"$data/wharf.toml"
    "$wharf" serve --listen "$http" --config "$data/wharf.toml" --data "$data/journal" >/dev/null 2>&1 &
    wharf_pid=$!
    until "$load" load --url "$ours" --pairs 1 --window 1 --seconds 0.1 --warm-up 0 >/dev/null 2>&1; do
        kill -0 "$wharf_pid" || { echo "xmpp: wharf does not start" >&2; exit 1; }
        sleep 0.2
    done
}

peers() { # Label, URL, process id
    [ -z "${EJABBERD_URL:-}" ] || echo "ejabberd|$EJABBERD_URL|$EJABBERD_PID"
    [ -z "${PROSODY_URL:-}" ] || echo "Prosody|$PROSODY_URL|$PROSODY_PID"
}

each_server() { # LABEL COMMAND...: Wharf under this label, and the others
    local label url pid ours_label=$1
    shift
    while IFS='|' read -r label url pid; do
        "$load" "$@" --label "$label" --url "$url" --pid "$pid" </dev/null >>"$results" ||
            echo "xmpp: $label failed at: $*" >&2
    done < <(echo "$ours_label|$ours|$wharf_pid"; [ "$ours_label" != Wharf ] || peers)
}

echo "load average before: $(cut -d' ' -f1-3 /proc/loadavg)" >&2
if [ "$idle" -gt 0 ]; then
    # First of all: memory that was used before would be used again.
    start_wharf $((idle + 1)) 0
    each_server Wharf idle --sessions "$idle"
fi
for archive in $archives; do
    start_wharf 200 "$archive"
    label=Wharf
    [ "$archive" = 0 ] || label="Wharf, archive"
    for _ in $(seq "$passes"); do
        for one in $loads; do
            each_server "$label" load --pairs "${one%:*}" --window "${one#*:}" --size "$size" --seconds "$seconds"
        done
    done
done
if [ "$crowd" -gt 0 ]; then
    start_wharf $((crowd + 1)) 0
    "$load" befriend --url "$ours" --sessions "$crowd"
    "$load" login --url "$ours" --pid "$wharf_pid" --label Wharf --sessions "$crowd" >>"$results"
fi
echo "load average after: $(cut -d' ' -f1-3 /proc/loadavg)" >&2
if [ -n "${RAW:-}" ]; then cp "$results" "$RAW"; fi
python3 "$here/table.py" <"$results"
