#!/bin/sh
# Prepares a virtual environment with what requirements.txt pins and prints the path of its python.
# A second run does nothing. Cache: ${WHARF_CACHE:-$HOME/.cache/wharf}/api
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache="${WHARF_CACHE:-$HOME/.cache/wharf}/api"
env="$cache/env"
stamp="$cache/ready-$(sha256sum "$here/requirements.txt" | cut -c 1-16)"

if [ ! -e "$stamp" ] || [ ! -x "$env/bin/python3" ]; then
    mkdir -p "$cache"
    # One builder at a time: a second one waits here, then finds the stamp.
    exec 9>"$cache/lock"
    flock 9
    if [ ! -e "$stamp" ] || [ ! -x "$env/bin/python3" ]; then
        rm -rf "$env" "$cache"/ready-*
        python3 -m venv "$env" >&2
        PIP_DISABLE_PIP_VERSION_CHECK=1 "$env/bin/pip" install -q --no-deps \
            -r "$here/requirements.txt" >&2
        touch "$stamp"
    fi
fi
echo "$env/bin/python3"
