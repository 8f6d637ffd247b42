# shellcheck shell=bash disable=SC2154
# Wharf behind nginx and behind HAProxy, as the examples have it: only addresses, ports, the files
# of the certificate and the limit of connections are changed for the trial.

crowd=20

tls_files() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj /CN=chat.example.com -addext subjectAltName=DNS:chat.example.com,DNS:localhost \
        -addext basicConstraints=critical,CA:FALSE \
        -keyout "$work/privkey.pem" -out "$work/fullchain.pem" 2>/dev/null &&
        cat "$work/fullchain.pem" "$work/privkey.pem" >"$work/both.pem"
}

# Without public_url, what a client is told depends on what the proxy says.
behind() {
    start "$1" --config "$here/examples/behind-$1/wharf.toml" --data "$work/data-$1" \
        --set http.public_url= "${@:2}"
    secure=$(free_port) plain=$(free_port)
}

write_nginx() {
    mkdir -p "$work/nginx" &&
        swap "$here/examples/behind-nginx/nginx.conf" "$work/nginx/wharf.conf" \
            "listen 443 ssl;" "listen 127.0.0.1:$secure ssl;" "listen [::]:443 ssl;" "" \
            "listen 80;" "listen 127.0.0.1:$plain;" "listen [::]:80;" "" \
            "server 127.0.0.1:8080;" "server $address;" \
            /etc/ssl/chat.example.com "$work" "limit_conn wharf_clients 500;" \
            "limit_conn wharf_clients $crowd;" || return 1
    {
        if is_root; then echo "user root;"; fi
        echo "daemon off; pid $work/nginx/pid; error_log $work/nginx/error.log;"
        echo "events { worker_connections 512; } http { access_log off;"
        for kind in client_body proxy fastcgi uwsgi scgi; do
            echo "${kind}_temp_path $work/nginx/$kind;"
        done
        echo "include $work/nginx/wharf.conf; }"
    } >"$work/nginx/nginx.conf"
}

write_haproxy() {
    # A thousand connections: the trial's limit of open files may be a small one.
    swap "$here/examples/behind-haproxy/haproxy.cfg" "$work/haproxy.cfg" \
        "bind :443 ssl" "bind 127.0.0.1:$secure ssl" "bind :80" "bind 127.0.0.1:$plain" \
        "server wharf1 127.0.0.1:8080" "server wharf1 $address" \
        "bind :5671 ssl" "bind 127.0.0.1:$amqps ssl" \
        "server wharf1 127.0.0.1:5672" "server wharf1 127.0.0.1:$amqp" \
        /etc/haproxy/certs/chat.example.com.pem "$work/both.pem" \
        "gt 500" "gt $crowd" "maxconn 50000" "maxconn 1000"
}

serve() {
    "$@" >"$work/proxy.out" 2>&1 &
    proxy=$!
    pids+=("$proxy")
    if ! is_there "$secure" "$proxy"; then
        cat "$work/proxy.out"
        return 1
    fi
}

through() {
    local by=$1
    try "$by: login, messages of 5 and 1,000,000 octets over wss" through_tls login
    try "$by: strangers are refused" through_tls strangers
    try "$by: pages of the host may connect, others not" through_tls origins
    try "$by: the URL that clients are told, forged fields or not" through_tls place
    try "$by: XMPP knows that it is encrypted" through_tls encrypted
    try "$by: no counters for strangers" through_tls closed_counters
    try "$by: http is sent to https" probe redirect --connect "127.0.0.1:$plain"
    try "$by: $crowd connections of one address and no more" through_tls crowd --limit "$crowd"
    # The same questions to the broker itself have other answers: they can fail.
    try "$by: Wharf itself shows counters" probe counters --connect "$address" "${@:2}"
    try "$by: Wharf itself offers no plain password to what was not encrypted" \
        probe unencrypted --connect "$address" "${@:2}"
    try "$by: Wharf stops" stop "$broker"
}

over_amqp() {
    local there=(proxied --url "amqps://localhost:$amqps" --ca-file "$work/fullchain.pem")
    echo "to amqps" | "$wharf" send "${there[@]}" &&
        "$wharf" receive "${there[@]}" -n 1 | grep -q "to amqps"
}

# Wharf closes what comes from the proxy's address without a header of the PROXY protocol.
refused() {
    start refusing --config "$here/examples/behind-haproxy/wharf.toml" --data "$work/data-refusing" \
        --set amqp.listen_address= || return 1
    if probe counters --connect "$address"; then return 1; fi
    stop "$broker"
}

through_tls() { probe "$@" --connect "127.0.0.1:$secure" --ca "$work/fullchain.pem"; }

try "a certificate for chat.example.com" tls_files

if has nginx; then
    behind nginx
    try "nginx.conf is adapted" write_nginx
    try "nginx -t" nginx -t -q -p "$work/nginx" -c "$work/nginx/nginx.conf"
    serve nginx -p "$work/nginx" -c "$work/nginx/nginx.conf"
    through nginx
    kill "$proxy"
else
    cannot "nginx" "there is none; check/setup.sh installs it"
fi

if has haproxy; then
    amqp=$(free_port) amqps=$(free_port)
    behind haproxy --set "amqp.listen_address=127.0.0.1:$amqp"
    try "haproxy.cfg is adapted" write_haproxy
    try "haproxy -c" haproxy -c -q -f "$work/haproxy.cfg"
    serve haproxy -db -f "$work/haproxy.cfg"
    try "haproxy: AMQP on TLS, sent and received" over_amqp
    through haproxy --introduce
    try "haproxy: without an introduction nobody is let in" refused
    kill "$proxy"
else
    cannot "haproxy" "there is none; check/setup.sh installs it"
fi
