#!/bin/sh
# Fuzzes every target, or those named, one after the other.
#   run.sh [seconds for each target, default 60] [target]...
# Needs the nightly toolchain and cargo-fuzz. Inputs found on the way are kept in corpus/, findings
# in artifacts/.
set -u
cd "$(dirname "$0")" || exit 1

seconds=${1:-60}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- ws_handshake ws_uri ws_server ws_client ws_roundtrip amqp_decode amqp_server amqp_client \
    mbws_decode mbws_server mbws_client xmpp_xml xmpp_jid xmpp_server gateway_session \
    broker_replay store_recovery sim_world

cargo +nightly fuzz build --fuzz-dir . --features fuzzing || exit 1

passed=0
failed=0
for target in "$@"; do
    case $target in
        sim_world) max_len=16 ;;
        store_recovery) max_len=200 ;;
        amqp_decode | mbws_decode | ws_uri | xmpp_jid) max_len=1000 ;;
        ws_server | ws_client) max_len=3000 ;;
        *) max_len=2000 ;;
    esac
    mkdir -p "corpus/$target"
    if cargo +nightly fuzz run --fuzz-dir . --features fuzzing "$target" \
        "corpus/$target" "seeds/$target" -- -max_total_time="$seconds" -max_len="$max_len" \
        -rss_limit_mb=2048 -malloc_limit_mb=256 -timeout=20 -len_control=20 -print_final_stats=1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$target FAILED"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
