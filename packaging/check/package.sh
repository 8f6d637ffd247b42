# shellcheck shell=bash disable=SC2154
# The Debian package: built from the binary, installed, looked at, removed.

debs=$work/debs
deb=

builds() {
    mkdir -p "$work/target/release" "$debs" &&
        cp "$wharf" "$work/target/release/wharf" &&
        CARGO_TARGET_DIR=$work/target "${cargo[@]}" deb --no-build \
            --manifest-path "$root/crates/server/Cargo.toml" --fast --output "$debs" -q
}

contents() {
    local found expected
    found=$(dpkg-deb -c "$deb" | awk '$1 !~ /^d/ { print $1, $6 }' | grep -v /usr/share/doc/ | sort)
    expected='-rw-r----- ./etc/wharf/wharf.toml
-rw-r--r-- ./usr/lib/systemd/system/wharf.service
-rw-r--r-- ./usr/lib/sysusers.d/wharf.conf
-rwxr-xr-x ./usr/bin/wharf'
    echo "$found"
    [ "$found" = "$expected" ] &&
        [ "$(dpkg-deb -I "$deb" conffiles)" = /etc/wharf/wharf.toml ]
}

installed() {
    [ "$(/usr/bin/wharf --version)" = "$("$wharf" --version)" ] &&
        cmp "$here/systemd/wharf.service" /usr/lib/systemd/system/wharf.service &&
        [ "$(stat -c %U:%G:%a /etc/wharf/wharf.toml)" = root:wharf:640 ] &&
        /usr/bin/wharf check --config /etc/wharf/wharf.toml &&
        systemd-analyze --man=no verify wharf.service >"$work/verified" 2>&1 || return 1
    # Other units of the machine may be spoken of.
    ! grep wharf "$work/verified"
}

removed() {
    dpkg -r wharf && [ ! -e /usr/bin/wharf ] && [ -e /etc/wharf/wharf.toml ] &&
        dpkg -P wharf && [ ! -e /etc/wharf ] &&
        [ ! -e /etc/systemd/system/multi-user.target.wants/wharf.service ]
}

what="the package, installed on this machine"
if ! has cargo-deb; then
    cannot "cargo deb" "there is none; check/setup.sh installs it"
    cannot "$what" "there is no package"
else
    try "cargo deb" builds
    deb=$(find "$debs" -name '*.deb' -print -quit)
    try "the package holds what it should" contents
    if ! is_root; then
        cannot "$what" "it takes root"
    elif [ -d /run/systemd/system ]; then
        cannot "$what" "it would be started here; the part \`boot\` does that in a container"
    elif [ -e /etc/wharf ] || [ -e /usr/bin/wharf ] || getent passwd wharf >/dev/null; then
        cannot "$what" "Wharf is installed here already"
    else
        undo+=("userdel wharf" "dpkg -P wharf")
        try "dpkg -i" dpkg -i "$deb"
        try "binary, unit and configuration as installed" installed
        try "dpkg -r leaves the configuration, dpkg -P nothing" removed
    fi
fi
