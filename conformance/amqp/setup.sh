#!/bin/sh
# Prepares AMQP clients at the versions their lock files pin; prints the folder that they are in. Arguments: which
# (default: all). A second run does next to nothing.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out="${WHARF_AMQP_CLIENTS:-$here/../../target/conformance-amqp}"
mkdir -p "$out"
out=$(cd "$out" && pwd)
# One builder at a time: a second one waits here, then finds the stamps.
exec 9>"$out/lock"
flock 9

# Whether these files are those of the last build of this name.
fresh() {
    name=$1; shift
    sum=$(cat "$@" | sha256sum | cut -c 1-16)
    [ "$(cat "$out/$name.ready" 2>/dev/null)" = "$sum" ]
}
ready() { echo "$sum" >"$out/$name.ready"; }

node_modules() {
    fresh node "$here/rhea/package-lock.json" && [ -d "$here/rhea/node_modules" ] && return
    (cd "$here/rhea" && npm ci --ignore-scripts --no-audit --no-fund >&2)
    ready
}

rhea() { node_modules; }

browser() {
    node_modules
    "$here/../browser/setup.sh"
    fresh page "$here"/rhea/*.mjs "$here"/rhea/package-lock.json "$here"/page/* && return
    (cd "$here/rhea" && node "$here/page/bundle.mjs" "$out/page")
    ready
}

proton() {
    fresh proton "$here/proton/requirements.txt" && [ -x "$out/proton/bin/python3" ] && return
    rm -rf "$out/proton"
    python3 -m venv "$out/proton" >&2
    PIP_DISABLE_PIP_VERSION_CHECK=1 "$out/proton/bin/pip" install -q --no-deps -r "$here/proton/requirements.txt" >&2
    ready
}

go() {
    (cd "$here/go" && GOFLAGS="-buildvcs=false -mod=readonly" command go build -o "$out/go/client" .)
}

fe2o3() {
    CARGO_TARGET_DIR="$out/fe2o3" cargo build --quiet --release --locked --manifest-path "$here/fe2o3/Cargo.toml"
}

jms() {
    fresh jms "$here/jms/pom.xml" $(find "$here/jms/src" -type f | sort) && return
    # Java archives are named with their versions: what an older pom asked for must go.
    rm -rf "$out/jms"
    mvn -q -B -f "$here/jms/pom.xml" "-Dout=$out/jms" process-classes >&2
    ready
}

[ $# -gt 0 ] || set -- rhea browser proton go fe2o3 jms
for each; do "$each"; done
echo "$out"
