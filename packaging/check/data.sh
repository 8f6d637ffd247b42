# shellcheck shell=bash disable=SC2154
# What docs/operations/backup.md says of copies of the data directory.

count=2000
lines() { seq "$1" "$2" | sed 's/^/message /'; }

receives() {
    "$wharf" receive backup -n "$count" --timeout 60 >"$work/received" &&
        lines 1 "$count" | cmp - "$work/received"
}

judged_good() {
    "$wharf" salvage --data "$1" | tee "$work/judgement" && grep -q 'is good' "$work/judgement"
}

opens() {
    start "$1" --data "$work/$1" && receives
}

copy_after_stop() {
    mkdir -p "$work/cold" &&
        find "$work/original" -maxdepth 1 -type f ! -name lock ! -name 'spare*' \
            -exec cp --target-directory="$work/cold" {} +
}

# What a snapshot of the file system sees, at a moment that nobody has chosen: the process is
# stopped in the middle of its work, and copied as it lies there.
copy_in_flight() {
    lines $((count + 1)) 1000000000 | "$wharf" send backup >"$work/sending" 2>&1 &
    sender=$!
    pids+=("$sender")
    until [ "$(written)" -gt $((before + 20)) ]; do
        kill -0 "$sender" || return 1
    done
    kill -STOP "$broker" && cp -a "$work/original" "$work/hot"
    local outcome=$?
    kill -CONT "$broker"
    # It was in the middle: the sender has not finished.
    kill "$sender" && return "$outcome"
}

written() {
    python3 - "$address" <<'PYTHON'
import sys, urllib.request
page = urllib.request.urlopen(f"http://{sys.argv[1]}/metrics", timeout=20).read().decode()
counters = dict(line.split()[:2] for line in page.splitlines())
print(counters["wharf_store_frames_total"])
PYTHON
}

sends() { lines 1 "$count" | "$wharf" send backup; }

start original --data "$work/original" --set data.segment_size_bytes=1048576
try "messages are sent" sends
before=$(written)
try "a copy in the middle of the work" copy_in_flight
try "the broker stops" stop "$broker"
try "a copy after the stop, without lock and spares" copy_after_stop
try "the copy after the stop is good" judged_good "$work/cold"
try "the copy after the stop opens, with every message" opens cold
try "the copy in the middle opens, with every message confirmed before" opens hot
