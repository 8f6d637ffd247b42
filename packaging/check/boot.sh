# shellcheck shell=bash disable=SC2154
# The unit as systemd runs it: a system of its own, booted over a copy-on-write view of this
# machine, with no network but its loopback, installs the package and uses it. What happens there
# is boot_inside.sh.

inside=$work/boot

overlay() {
    mkdir -p "$inside/layer" "$inside/merged" &&
        mount -t tmpfs -o mode=755 tmpfs "$inside/layer" &&
        mkdir "$inside/layer/upper" "$inside/layer/work" &&
        mount -t overlay overlay "$inside/merged" -o \
            "lowerdir=/,upperdir=$inside/layer/upper,workdir=$inside/layer/work"
}

prepare() {
    mkdir "$inside/merged/trial" &&
        cp "$deb" "$inside/merged/trial/wharf.deb" &&
        cp "$here/check/boot_inside.sh" "$inside/merged/trial/" &&
        rm -f "$inside/merged/usr/sbin/policy-rc.d" &&
        cp "$here/check/boot.service" "$inside/merged/etc/systemd/system/trial.service"
}

boots() {
    # The services of this machine stay off: it boots to this one alone.
    timeout 300 systemd-nspawn --quiet --directory="$inside/merged" --machine="wharf-$$" \
        --private-network --register=no --keep-unit --link-journal=no --console=pipe --boot \
        systemd.unit=trial.service >"$inside/console" 2>&1 || true
    if ! grep -qx finished "$inside/merged/trial/said" 2>/dev/null; then
        tail -n 40 "$inside/console" "$inside/merged/trial/said"
        return 1
    fi
}

# systemd would wait for READY=1 until TimeoutStartSec.
never_ready() {
    echo "the binary does not say that it is ready: see the part \`unit\`"
    return 1
}

what="systemd: installed, ready, reloaded, restarted with its messages, confined, removed"
undo+=("umount '$inside/layer'" "umount '$inside/merged'")
deb=${deb:-}
if ! is_root || ! has systemd-nspawn || [ ! -w /sys/fs/cgroup ]; then
    cannot "boot" "it takes root, systemd-nspawn and cgroups"
elif [ -z "$deb" ]; then
    cannot "boot" "there is no package; it is built by the part \`package\`"
elif [ "${notifies:-yes}" = no ]; then
    try "$what" never_ready
elif ! overlay 2>"$work/overlay"; then
    cannot "boot" "no overlay over this machine's files: $(cat "$work/overlay")"
else
    try "a system to boot is laid out" prepare
    try "$what" boots
fi
