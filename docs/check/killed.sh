#!/bin/sh
# Sends 600 lines by a program while the broker is killed and started three times; then each must be
# there once, in order. Usage: killed.sh FOLDER ADDRESS PROGRAM...; the address comes last to it.
set -eu

lines=600
work=$(mktemp -d "$PLAYGROUND/killed-XXXXXX")
folder=$1
address=$2
shift 2
(for n in $(seq $lines); do echo "$n"; sleep 0.01; done) |
    (cd "$folder" && "$@" "$address" >"$work/out") &
sender=$!
until wharf address list -o jsonl | grep -q "\"$address\""; do
    kill -0 $sender
    sleep 0.1
done
for _ in 1 2 3; do
    sleep 1
    broker.sh kill
    broker.sh start
done
wait $sender
wharf receive "$address" --timeout 60 >"$work/got"
seq $lines | cmp - "$work/got"
