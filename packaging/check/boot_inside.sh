#!/bin/bash
# Runs as root in a system that check/boot.sh has booted and that is thrown away afterwards. The
# first command that fails ends it; the last line is `finished`.
set -euxo pipefail

property() { systemctl show --property="$1" --value wharf; }
status() { grep -E "^$1:[[:space:]]*$2$" "/proc/$(property MainPID)/status"; }

# The package starts and enables the unit; with Type=notify it is ready when dpkg returns.
dpkg -i /trial/wharf.deb
systemctl is-active wharf
systemctl is-enabled wharf
[ "$(property NRestarts)" = 0 ]

# Confined.
status CapEff '0*'
status CapBnd '0*'
status NoNewPrivs 1
status Seccomp 2
[ "$(stat -c %U:%a /var/lib/wharf)" = wharf:700 ]
[ -z "$(find /var/lib/wharf -type f ! -perm 600)" ]

# The password that the first start made is in systemd's journal.
WHARF_PASSWORD=$(journalctl -u wharf -o cat | awk '$1 == "password" { print $2 }')
export WHARF_PASSWORD WHARF_USER=admin WHARF_URL=ws://127.0.0.1:8080/ws

# A reload changes nothing for those who are connected; a restart keeps what is confirmed.
before=$(property MainPID)
echo hello | wharf send greetings
systemctl reload wharf
[ "$(property MainPID)" = "$before" ]
systemctl restart wharf
[ "$(property MainPID)" != "$before" ]
[ "$(wharf receive greetings -n 1 --timeout 30)" = hello ]

# A wrong configuration is refused, and not tried again and again.
cp /etc/wharf/wharf.toml /trial/good.toml
echo 'nonsense = 1' >>/etc/wharf/wharf.toml
if systemctl restart wharf; then exit 1; fi
[ "$(systemctl show --property=Result --value wharf)" = exit-code ]
[ "$(property NRestarts)" = 0 ]
cp /trial/good.toml /etc/wharf/wharf.toml
systemctl reset-failed wharf
systemctl start wharf

# Killed, it comes back.
before=$(property MainPID)
kill -9 "$before"
set +x
until [ "$(property ActiveState)" = active ] && [ "$(property MainPID)" != "$before" ]; do
    sleep 0.2
done
set -x
echo again | wharf send greetings

# A port below 1024, with the drop-in.
mkdir -p /etc/systemd/system/wharf.service.d
cp /usr/share/doc/wharf/examples/low-port.conf /etc/systemd/system/wharf.service.d/
sed -i 's/^address = .*/address = "127.0.0.1:443"/' /etc/wharf/wharf.toml
systemctl daemon-reload
systemctl restart wharf
[ "$(wharf receive greetings -n 1 --timeout 30 --url ws://127.0.0.1:443/ws)" = again ]

# It stops as it should, and what it keeps outlives the package.
systemctl stop wharf
[ "$(property Result)" = success ]
journalctl -u wharf -o cat | grep '"event":"stopped","clean":true'
dpkg -P wharf
ls /var/lib/wharf/segment-*
echo finished
