# shellcheck shell=bash disable=SC2154
# The image: what it is built from, and what is in it, run as an engine would run it.

hadolint=${WHARF_PACKAGING_TOOLS:-$root/target/packaging}/bin/hadolint
[ -x "$hadolint" ] || hadolint=$(command -v hadolint || true)
if [ -n "$hadolint" ]; then
    try "hadolint" "$hadolint" "$here/Dockerfile"
else
    cannot "hadolint" "there is none; check/setup.sh installs it"
fi

same_compiler() {
    local version
    version=$(sed -n 's/^ARG RUST_VERSION=//p' "$here/Dockerfile")
    grep -qx "channel = \"$version\"" "$root/rust-toolchain.toml"
}
try "the image's compiler is that of rust-toolchain.toml" same_compiler

# The files that .dockerignore lets in, without an engine.
context() {
    local entry
    sed -n 's/^!//p' "$root/.dockerignore" >"$work/let-in"
    while read -r entry; do
        git -C "$root" ls-files -z --cached --others --exclude-standard -- "$entry"
    done <"$work/let-in" | (cd "$root" && xargs -0 cp --parents -t "$work/context")
}

compiles() {
    mkdir -p "$work/context" &&
        context &&
        CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target} \
            "${cargo[@]}" check --manifest-path "$work/context/Cargo.toml" --locked --quiet \
            --package wharf-server --bin wharf
}
if has "${cargo[0]}"; then
    try "what .dockerignore lets in compiles" compiles
else
    cannot "what .dockerignore lets in compiles" "there is no cargo"
fi

try "stage.sh lays out the image" "$here/docker/stage.sh" "$wharf" "$work/stage"

# As the Dockerfile's last stage puts it together. No shell, no /proc, no /dev, no right but to
# be user 65532.
run_image() {
    local system=$work/stage/system
    cp -a "$work/stage/state/wharf" "$system/var/lib/" &&
        chown -R 65532:65532 "$system/var/lib/wharf" &&
        launch image setpriv --no-new-privs --inh-caps=-all \
            chroot --userspec=65532:65532 "$system" /usr/bin/wharf serve \
            --config /etc/wharf/wharf.toml --listen 127.0.0.1:0
}

image_password() { awk '$1 == "password" { print $2 }' "$work/image.out"; }

image_serves() {
    python3 "$here/check/probe.py" login --connect "$address" --password "$(image_password)" &&
        grep -q '^CapEff:[[:space:]]*0*$' "/proc/$broker/status" &&
        grep -q '^Uid:[[:space:]]*65532[[:space:]]' "/proc/$broker/status" &&
        [ "$(stat -c %u:%a "$work/stage/system/var/lib/wharf")" = 65532:700 ]
}

image_stays_small() {
    # Wharf, the loader and its libraries, the configuration, licences: a list to be looked at.
    local strange
    strange=$(find "$work/stage/system" -type f -printf '%P\n' |
        grep -vxE 'usr/bin/wharf|etc/(passwd|group|wharf/wharf\.toml)' |
        grep -vxE 'usr/share/doc/wharf/LICENSE-(APACHE|MIT)' |
        grep -vxE '(usr/)?lib(64)?/([^/]*/)?(ld-linux[^/]*|lib(c|m|gcc_s))\.so\.[0-9]' || true)
    echo "$strange"
    [ -z "$strange" ]
}
try "the image holds nothing else" image_stays_small

if is_root && has setpriv; then
    if run_image; then
        try "the image's content runs: login, no capability, its own user" image_serves
        try "it stops when it is told to" stop "$broker"
    else
        try "the image's content starts" false
    fi
else
    cannot "the image's content runs" "it takes root to change the root directory"
fi

if has docker && docker info >/dev/null 2>&1; then
    try "docker build" docker build -q -f "$here/Dockerfile" -t wharf-packaging-check "$root"
else
    cannot "docker build" "no engine answers"
fi
