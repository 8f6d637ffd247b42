#!/usr/bin/env bash
# Tries out everything in this folder: every example is read by the program it is for, Wharf is
# reached through nginx and HAProxy, the unit is judged and run, the image's content is laid out
# and run, the Debian package is built, installed and removed, a copy of the data is opened.
#
#     packaging/check.sh [PART...]        parts: examples image unit proxies data package boot
#
# WHARF_BIN: the binary, target/release/wharf if not given. CARGO: the cargo to use. What takes
# root (image, package, boot) says so when there is none. check/setup.sh installs the tools.
# What cannot be tried here is said, and with CI set it is a failure, unless it is listed below.
# The last line is `N passed, N failed, N skipped`.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
wharf=$(realpath -e "${WHARF_BIN:-$root/target/release/wharf}")
work=$(mktemp -d "${TMPDIR:-/tmp}/wharf-packaging-XXXXXX")
# nginx's worker and the image's user must get through it.
chmod 755 "$work"
export WHARF_USER=admin WHARF_PASSWORD=correct-horse
# shellcheck disable=SC2034
read -ra cargo <<<"${CARGO:-cargo}"

# What may be left out even with CI set, and why.
declare -A optional=(
    ["docker build"]="it takes an engine that can fetch the image with the compiler; the steps are \
run by hand above"
    ["boot"]="it takes root, systemd-nspawn, overlayfs and a cgroup tree that may be written to"
)

passed=0 failed=0 skipped=0
pids=()
undo=()

finish() {
    local pid step
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    for ((step = ${#undo[@]} - 1; step >= 0; step--)); do
        eval "${undo[step]}" >"$work/undone" 2>&1 || true
    done
    rm -rf "$work"
}
trap finish EXIT

has() { command -v "$1" >/dev/null; }
is_root() { [ "$(id -u)" = 0 ]; }

# try WHAT COMMAND...: the command must succeed; what it printed is shown if it does not.
try() {
    local what=$1
    shift
    if "$@" >"$work/said" 2>&1 </dev/null; then
        passed=$((passed + 1))
        echo "ok      $what"
    else
        failed=$((failed + 1))
        echo "FAILED  $what"
        sed 's/^/        /' "$work/said"
    fi
}

# cannot WHAT REASON: it is not tried, and everybody shall see that.
cannot() {
    if [ -n "${optional[$1]:-}" ]; then
        skipped=$((skipped + 1))
        echo "NOT RUN $1: $2 (optional: ${optional[$1]})"
    elif [ -n "${CI:-}" ]; then
        failed=$((failed + 1))
        echo "FAILED  $1: not run: $2"
    else
        skipped=$((skipped + 1))
        echo "NOT RUN $1: $2"
    fi
}

# swap FILE INTO FROM TO [FROM TO]...: a copy with other words; each must have been there.
swap() {
    local text into=$2
    text=$(cat "$1")
    shift 2
    while [ $# -gt 0 ]; do
        if [[ $text != *"$1"* ]]; then
            echo "there is no '$1' to replace" >&2
            return 1
        fi
        text=${text//"$1"/"$2"}
        shift 2
    done
    printf '%s\n' "$text" >"$into"
}

free_port() {
    python3 -c 'import socket
with socket.socket() as one:
    one.bind(("127.0.0.1", 0))
    print(one.getsockname()[1])'
}

# is_there PORT PID: waits until somebody listens, for as long as the process lives.
is_there() {
    until (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do
        kill -0 "$2" 2>/dev/null || return 1
        sleep 0.1
    done
}

# start NAME ARGUMENTS...: a broker on a free port; sets `broker` to its process and `address`.
start() {
    local name=$1
    shift
    launch "$name" "$wharf" serve --listen 127.0.0.1:0 --user "$WHARF_USER:$WHARF_PASSWORD" "$@"
}

# launch NAME COMMAND...: the same for any command that is a broker.
launch() {
    local name=$1
    shift
    "$@" >"$work/$name.out" 2>"$work/$name.err" &
    broker=$!
    pids+=("$broker")
    until grep -q 'ws://' "$work/$name.out"; do
        if ! kill -0 "$broker" 2>/dev/null; then
            cat "$work/$name.err" >&2
            return 1
        fi
        sleep 0.1
    done
    address=$(sed -n 's|.*ws://\([^/]*\)/ws.*|\1|p' "$work/$name.out" | head -n 1)
    export WHARF_URL=ws://$address/ws
}

# stop PID: SIGTERM; says how it ended.
stop() {
    kill "$1"
    wait "$1"
}

probe() { python3 "$here/check/probe.py" "$@" --password "$WHARF_PASSWORD"; }

parts=("$@")
[ $# -gt 0 ] || parts=(examples image unit proxies data package boot)
for part in "${parts[@]}"; do
    echo "== $part"
    # shellcheck source=/dev/null
    . "$here/check/$part.sh"
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
