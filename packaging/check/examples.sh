# shellcheck shell=bash disable=SC2154
# Configurations of Wharf, as they stand and with every setting that is off turned on.

find "$here" -name wharf.toml | sort >"$work/configurations"
while read -r file; do
    try "wharf check ${file#"$here"/}" "$wharf" check --config "$file"
done <"$work/configurations"

certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj /CN=chat.example.com -addext subjectAltName=DNS:chat.example.com \
        -keyout "$work/privkey.pem" -out "$work/fullchain.pem" 2>/dev/null
}

everything_on() {
    local verifier
    verifier=$("$wharf" passwd hash <<<"$WHARF_PASSWORD") &&
        sed 's/^#\([^ ]\)/\1/' "$here/examples/wharf.toml" >"$work/on" &&
        swap "$work/on" "$work/on.toml" "OUTPUT OF wharf passwd hash" "$verifier" \
            /etc/wharf/tls "$work" &&
        "$wharf" check --config "$work/on.toml"
}

# A copy with nothing filled in must not get into service.
not_filled_in() {
    sed 's/^#\([^ ]\)/\1/' "$here/examples/wharf.toml" >"$work/empty.toml" || return 1
    if "$wharf" check --config "$work/empty.toml"; then
        echo "it is taken"
        return 1
    else
        [ $? = 78 ]
    fi
}

certificate
try "wharf check examples/wharf.toml, everything on" everything_on
try "wharf check refuses a verifier that was not filled in, with 78" not_filled_in
try "shellcheck" shellcheck -x "$here/check.sh" "$here"/check/*.sh "$here"/docker/*.sh \
    "$here/debian/postinst" "$here/debian/postrm"
