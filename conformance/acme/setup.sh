#!/bin/sh
# Builds a local authority (Pebble) and its name server, and prints the folder they are in. A second
# run does nothing. Needs go. Cache: ${WHARF_CACHE:-$HOME/.cache/wharf}/acme
set -eu

version=v2.8.0
into="${WHARF_CACHE:-$HOME/.cache/wharf}/acme/$version"
command -v go >/dev/null || { echo "conformance/acme: go is missing; the suite did not run" >&2; exit 1; }
mkdir -p "$into"
exec 9>"$into/lock"
flock 9
for program in pebble pebble-challtestsrv; do
    [ -x "$into/$program" ] ||
        GOBIN="$into" GOFLAGS=-mod=mod go install "github.com/letsencrypt/pebble/v2/cmd/$program@$version" >&2
done
echo "$into"
