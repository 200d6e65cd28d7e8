# `scripts/bench sip`: calls through a node, beside Kamailio and rtpengine anchoring the same calls. Sourced by scripts/bench.
#
#     callers cal0 10.1.0.2 ---- eth0 node eth1 ---- cle0 10.2.0.5 callees
#     callers cal1 10.11.0.2 --- eth0 proxy eth1 --- cle1 10.12.0.5 callees
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # variables of common.sh

sip_tools="$repository/scripts/lib/sip"

sip_make_network() {
    local role
    for role in callers node proxy callees; do make_namespace "$role"; done
    make_link callers cal0 node eth0
    make_link node eth1 callees cle0
    make_link callers cal1 proxy eth0
    make_link proxy eth1 callees cle1
    inside callers ip address add 10.1.0.2/24 dev cal0
    inside node ip address add 10.1.0.1/24 dev eth0
    inside node ip address add 10.2.0.1/24 dev eth1
    inside callees ip address add 10.2.0.5/24 dev cle0
    inside callers ip address add 10.11.0.2/24 dev cal1
    inside proxy ip address add 10.11.0.1/24 dev eth0
    inside proxy ip address add 10.12.0.1/24 dev eth1
    inside callees ip address add 10.12.0.5/24 dev cle1
}

sip_start_crosspoint() {
    make_bpffs_directory
    write_configuration
    # For 1,000 held calls the node's own defaults: what it may have beside those, as other calls end and drain, stays the same for more.
    local calls=$((sip_held_calls + 1047))
    cat >>"$work/crosspoint.yaml" <<CONFIGURATION
ports: [eth0, eth1]
limits: {flows: $((4 * calls))}
sip:
  allow: [10.1.0.0/24, 10.2.0.0/24]
  udp-ports: 20000-59999
  limits: {requests-per-second: 0, calls: $calls, calls-per-source: $calls}
  dial-plan:
    - {name: callees, to: ["sip:10.2.0.5"]}
CONFIGURATION
    CROSSPOINT="${CROSSPOINT:-$repository/.build/release/crosspoint}"
    start_daemon
}

sip_start_kamailio() {
    mkdir "$work/kamailio"
    # By itself it keeps the sockets of calls that have ended for half a minute, and the next round finds none left.
    start proxy rtpengine.log rtpengine --foreground --log-stderr --log-level=3 --table=-1 --listen-ng=127.0.0.1:2223 --delete-delay=0 \
        --interface=in/10.11.0.1 --interface=out/10.12.0.1 --port-min=20000 --port-max=59999 --pidfile="$work/rtpengine.pid"
    start proxy kamailio.log kamailio -DD -E -f "$repository/scripts/benchmarks/sip/kamailio.cfg" -P "$work/kamailio/pid" \
        -Y "$work/kamailio" -m 256 -M 16 -A 'CALLEES="sip:10.12.0.5:5060"' -l udp:10.11.0.1:5060 -l udp:10.12.0.1:5060
    wait_until 10 sip_proxy_listens || die "Kamailio: $(tail -n 1 "$work/kamailio.log"); rtpengine: $(tail -n 1 "$work/rtpengine.log")"
}

sip_proxy_listens() {
    inside proxy ss -Hlun sport = :2223 | grep -q . && inside proxy ss -Hlun src 10.12.0.1:5060 | grep -q .
}

# sip_peer SIDE SCENARIO ARGUMENTS…: starts a SIPp; its process id is in $started.
sip_peer() {
    local side=$1 scenario=$2
    shift 2
    mkdir -p "$work/$side"
    # shellcheck disable=SC2016  # the inner shell's
    start "$side" "$side.log" bash -c 'cd "$0" && ulimit -n "$(ulimit -Hn)" && exec "$@"' "$work/$side" sipp \
        -sf "$work/scenarios/$scenario-${side%s}.xml" -p 5060 -t u1 -nd -nostdin -mp 10000 -inf "$work/udp-ports" \
        -key rtp 7000 -trace_err -error_file "$work/$side/errors" -timeout 120 -timeout_error "$@"
}

# sip_calls CASE SCENARIO ARGUMENTS…: starts callees and callers of a case; their process ids are in $callees and $callers.
sip_calls() {
    local near=10.1.0 far=10.2.0 scenario=$2
    if [ "$1" = kamailio_rtpengine ]; then near=10.11.0 far=10.12.0; fi
    sip_near=$near.2
    shift 2
    rm -rf "$work/callers" "$work/callees"
    sip_peer callees "$scenario" -i $far.5 -mi $far.5 -trace_logs -log_file "$work/callees/places"
    callees=$started
    wait_until 10 sip_callees_listen || die "the callees do not listen: $(tail -n 1 "$work/callees.log")"
    sip_peer callers "$scenario" -i $near.2 -mi $near.2 -s bob -cid_str "%u-measured@callers" -trace_logs -log_file "$work/callers/places" \
        -trace_stat -stf "$work/callers/statistics" -fd 1 "$@" $near.1:5060
    callers=$started
}

sip_callees_listen() { inside callees ss -Hlun sport = :5060 | grep -q .; }

# sip_end: when the callers have ended, the callees are told to.
sip_end() {
    wait "$callers" || true
    kill -USR1 "$callees" 2>/dev/null || true
    { wait "$callees" || true; } 2>/dev/null
}

# What SIPp's statistics say in the end: successful, failed, retransmitted and seconds, as members of a JSON object.
sip_counts() { "$python" "$sip_tools/bench_summary.py" counts "$work/callers/statistics"; }

# Proportional memory of everything that a case runs, KiB: what is shared counts once.
sip_memory() {
    local pids=$daemon
    if [ "$1" = kamailio_rtpengine ]; then pids="$(ip netns pids "$run_id-proxy")"; fi
    local pid
    for pid in $pids; do sed -n 's/^Pss: *\([0-9]*\) kB/\1/p' "/proc/$pid/smaps_rollup" 2>/dev/null || true; done | awk '{ sum += $1 } END { print sum + 0 }'
}

# Calls one after the other at each of so many places, as fast as they go.
sip_round_calls() {
    sip_calls "$1" measured-quick -m "$sip_quick_calls" -l 32 -r 5000
    sip_end
    printf '{"case": "%s", "kind": "calls", "counts": {%s}}\n' "$1" "$(sip_counts)" >>"$work/rounds"
}

sip_held() {
    [ "$(cat "$work/callers/places" "$work/callees/places" 2>/dev/null | grep -c ' [0-9]*$')" -ge $((2 * sip_held_calls)) ]
}

# Calls that are held, with media both ways at rising rates until a packet is lost; 50 packets a second and direction are G.711's.
sip_round_held() {
    local before after rate media passed="" members=""
    before="$(sip_memory "$1")"
    sip_calls "$1" measured-held -m "$sip_held_calls" -l "$sip_held_calls" -r 200 -recv_timeout 110000
    wait_until $((30 + sip_held_calls / 100)) sip_held || die "$1: $(grep -c . "$work/callers/places") of $sip_held_calls calls stand: $(tail -n 2 "$work/callers/errors")"
    after="$(sip_memory "$1")"
    # SIPp sits on the UDP ports of the first call itself: that one has no media.
    cat "$work/callers/places" "$work/callees/places" | awk '/^(caller|callee) / && $3 > 10000' >"$work/places"
    for rate in "${sip_rates[@]}"; do
        media="$("$sip_media" --rate "$rate" --seconds 1.5 "/run/netns/$run_id-callers" "/run/netns/$run_id-callees" <"$work/places")"
        [ -n "$media" ] || die "the media measured nothing"
        members="$members${members:+, }{\"rate\": $rate, \"media\": $media}"
        passed="$("$python" "$sip_tools/bench_summary.py" lossless <<<"$media")"
        [ "$passed" = yes ] || break
    done
    inside callers "$python" "$sip_tools/poke.py" "$sip_near" 5060 "%u-measured@callers" "$sip_held_calls" 200
    sip_end
    printf '{"case": "%s", "kind": "held", "calls": %d, "memory_kib": {"before": %d, "after": %d}, "media": [%s], "counts": {%s}}\n' \
        "$1" "$sip_held_calls" "$before" "$after" "$members" "$(sip_counts)" >>"$work/rounds"
}

bench_sip() {
    local rounds=3 json="" only="" round name case cases=(crosspoint kamailio_rtpengine)
    # One more than have media: see sip_round_held.
    sip_held_calls=1001
    sip_quick_calls=3000
    sip_rates=(100000 150000 200000 250000 300000 400000 500000 600000)
    sip_media="$repository/.build/release/sip-benchmark-media"
    while [ $# -gt 0 ]; do
        case $1 in
            --quick)
                rounds=1
                sip_quick_calls=1000
                ;;
            --rounds) rounds=${2:?} && shift ;;
            --json) json=${2:?} && shift ;;
            --only) only=${2:?} && shift ;;
            --calls)
                # A call takes four of the 40,000 UDP ports that the node has, and those of calls that have just ended are not free at once.
                if ! [[ ${2-} =~ ^[0-9]{3,4}$ ]] || [ "$2" -gt 9000 ]; then die "--calls: a number from 100 to 9,000"; fi
                # One more than have media: see sip_round_held.
                sip_held_calls=$(($2 + 1)) && shift
                ;;
            *) die "$1: not an option of sip (see $0 --help)" ;;
        esac
        shift
    done
    # A node has four sockets for each call, for as long as it stands. Their number is not what is measured.
    local descriptors
    descriptors="$(ulimit -Hn)"
    [ "$descriptors" = unlimited ] || [ "$descriptors" -ge $((4 * sip_held_calls + 128)) ] || descriptors=$((4 * sip_held_calls + 128))
    ulimit -n "$descriptors" 2>/dev/null || die "no limit of $descriptors open files: raise the hard limit (now $(ulimit -Hn)), or ask for fewer calls"
    # The runtime directory lies in memory, as in /run: journals on a disk would be measured with the calls.
    TMPDIR=/dev/shm begin crosspoint-bench
    mkdir "$work/scenarios"
    "$python" "$sip_tools/scenarios.py" "$work/scenarios"
    # Every call's own UDP ports for media: those that SIPp would give them are the same again after 2,500 calls.
    { echo SEQUENTIAL && seq -f '%.0f;' 10000 4 $((10000 + 4 * (sip_held_calls - 1))); } >"$work/udp-ports"
    sip_make_network
    if [ "${only:-crosspoint}" = crosspoint ]; then sip_start_crosspoint; fi
    if [ "${only:-kamailio_rtpengine}" = kamailio_rtpengine ]; then sip_start_kamailio; fi
    for ((round = 0; round < rounds; round++)); do
        # In turns, and each time another one begins.
        for ((name = 0; name < ${#cases[@]}; name++)); do
            case=${cases[$(((name + round) % ${#cases[@]}))]}
            if [ -n "$only" ] && [ "$only" != "$case" ]; then continue; fi
            sip_round_calls "$case"
            sip_round_held "$case"
        done
    done
    local status=0
    "$python" "$sip_tools/bench_summary.py" report "$work/rounds" ${json:+"$json"} || status=$?
    if [ "$status" -eq 3 ]; then tells_logs=no; fi
    return "$status"
}
