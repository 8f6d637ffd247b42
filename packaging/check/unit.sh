# shellcheck shell=bash disable=SC2154,SC2034
# The systemd unit, without systemd: its words, its exposure, and what it expects of the binary.

unit=$here/systemd/wharf.service
mkdir -p "$work/units/wharf.service.d"

sound() {
    local copy=$work/units/wharf.service
    swap "$unit" "$copy" /usr/bin/wharf "$wharf" &&
        systemd-analyze --man=no verify "$copy" >"$work/verified" 2>&1 || return 1
    cat "$work/verified"
    [ ! -s "$work/verified" ]
}

sound_with_drop_in() {
    cp "$here/examples/low-port.conf" "$work/units/wharf.service.d/" && sound
}

# exposed UNIT: more than 1.5 of 10.
exposed() { ! systemd-analyze security --offline=true --threshold=15 "$1"; }

exposed_without() {
    grep -v '^\(Protect\|Private\|Restrict\|SystemCall\)' "$unit" >"$work/units/bare.service" &&
        exposed "$work/units/bare.service"
}

hardened() {
    systemd-analyze security --offline=true --threshold=15 "$unit"
}

if has systemd-analyze; then
    try "systemd-analyze verify" sound
    try "systemd-analyze verify with low-port.conf" sound_with_drop_in
    try "systemd-analyze security: at most 1.5" hardened
    try "systemd-analyze security: more than that without the protections" exposed_without
    systemd-analyze security --offline=true "$unit" 2>/dev/null | sed -n 's/^→ /        /p'
else
    cannot "systemd-analyze" "there is none"
fi

notifies=no
says() { python3 "$here/check/notify.py" "$wharf" && notifies=yes; }
try "Type=notify: the binary says when it is ready, reloads and stops" says
