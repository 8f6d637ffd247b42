#!/bin/sh
# The broker of one page: `start`, `kill` (with -9) or `stop`. PLAYGROUND is its folder.
set -eu

cd "$PLAYGROUND"
case $1 in
start)
    : >ready
    # Its output is no pipe of whoever started it.
    ./bin/wharf serve --config wharf.toml --data data >ready 2>>log </dev/null &
    echo $! >pid
    while ! grep -q ' ws://' ready; do
        kill -0 "$(cat pid)" || { tail -n 5 log >&2; exit 1; }
        sleep 0.05
    done
    ;;
kill | stop)
    signal=TERM
    [ "$1" = stop ] || signal=KILL
    kill -s "$signal" "$(cat pid)"
    while kill -0 "$(cat pid)" 2>/dev/null; do sleep 0.05; done
    ;;
esac
