# `scripts/bench rtsp`: sessions through a node, beside gst-rtsp-server serving the same players directly. Sourced by scripts/bench.
#
#     players p1…p8 10.2.N.5 --- eth1…eth8 node eth0 --- cam0 10.1.0.2 camera       far gen0 --- in0 node out1, out2 --- sink1, sink2 far
#     players q1…q8 10.3.N.5 ------------------------ dir1…dir8 10.3.N.2 camera
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # variables of common.sh

rtsp_make_network() {
    local role number
    for role in camera node players far; do make_namespace "$role"; done
    make_link camera cam0 node eth0
    inside camera ip address add 10.1.0.2/24 dev cam0
    inside node ip address add 10.1.0.1/24 dev eth0
    for number in {1..8}; do
        make_link node "eth$number" players "p$number"
        make_link camera "dir$number" players "q$number"
        inside node ip address add "10.2.$number.1/24" dev "eth$number"
        inside players ip address add "10.2.$number.5/24" dev "p$number"
        inside camera ip address add "10.3.$number.2/24" dev "dir$number"
        inside players ip address add "10.3.$number.5/24" dev "q$number"
    done
    make_link far gen0 node in0
    inside far ip address add 10.9.0.2/24 dev gen0
    inside node ip address add 10.9.0.1/24 dev in0
    for number in 1 2; do
        make_link node "out$number" far "sink$number"
        inside node ip link set "out$number" address "02:00:00:00:0$number:01"
        inside far ip link set "sink$number" address "02:00:00:00:0$number:02"
        inside node ip address add "10.9.$number.1/24" dev "out$number"
        inside far ip address add "10.9.$number.2/24" dev "sink$number"
    done
}

rtsp_start() {
    start camera camera.log "$python" -u "$repository/scripts/lib/rtsp/camera.py" --media telephone \
        --packet-time "$rtsp_packet_time" --backlog 1024 --quiet
    wait_until 10 grep -q ready "$work/camera.log" || die "the camera: $(tail -n 1 "$work/camera.log")"
    make_bpffs_directory
    write_configuration
    cat >>"$work/crosspoint.yaml" <<'CONFIGURATION'
rtsp:
  listen: ["8554"]
  linger: 1
  trusted-networks: [10.0.0.0/8]
  routes:
    - {name: cam1, path: /cam1, upstream: "rtsp://10.1.0.2:8554/cam1"}
routes:
  load:
    from: 239.1.1.10:5004@in0
    to: [10.9.1.2:20001@out1, 10.9.2.2:20002@out2]
CONFIGURATION
    CROSSPOINT="${CROSSPOINT:-$repository/.build/release/crosspoint}"
    start_daemon
}

# rtsp_players NETWORK HOST: so many players, all on one camera; their line of JSON. Addresses are 10.NETWORK.N.HOST and .5.
rtsp_players() {
    local number pairs=()
    for number in {1..8}; do pairs+=("10.$1.$number.$2,10.$1.$number.5"); done
    inside players "$repository/.build/release/rtsp-benchmark-players" --sessions "$rtsp_sessions" --concurrency 16 \
        --hold 1 --path /cam1 "${pairs[@]}"
}

# rtsp_transmit_errors: what each of the node's interfaces could not send so far, in $transmit_errors: what the far end found full.
declare -A transmit_errors
rtsp_transmit_errors() {
    local interface
    for interface in eth{1..8} out1 out2; do
        transmit_errors[$interface]="$(inside node ethtool -S "$interface" |
            awk '/xdp_xmit_errors/ { sum += $2 } END { print sum + 0 }')"
    done
}

# The same since `rtsp_transmit_errors` was called, as members of a JSON object.
rtsp_new_transmit_errors() {
    local interface members=""
    local -A earlier
    for interface in "${!transmit_errors[@]}"; do earlier[$interface]=${transmit_errors[$interface]}; done
    rtsp_transmit_errors
    for interface in "${!earlier[@]}"; do
        members="$members, \"$interface\": $((transmit_errors[$interface] - earlier[$interface]))"
    done
    printf '%s' "${members#, }"
}

rtsp_forwarded() {
    crosspoint stats --json load >"$work/statistics.json"
    "$python" "$repository/scripts/lib/statistics.py" packets "$work/statistics.json" load
}

# rtsp_round CASE: measures, and adds a line to $work/rounds.
rtsp_round() {
    local players sum_before="" forwarded generator=""
    rtsp_transmit_errors
    case $1 in
        gst_rtsp_server) players="$(rtsp_players 3 2)" ;;
        crosspoint) players="$(rtsp_players 2 1)" ;;
        crosspoint_on_air)
            sum_before="$(rtsp_forwarded)"
            : >"$work/generator.log"
            start far generator.log "$repository/.build/release/rtsp-benchmark-generator" --sink sink1 --sink sink2 \
                --rate "$rtsp_rate" --seconds "$rtsp_load_seconds"
            generator=$started
            wait_until 10 grep -q sending "$work/generator.log" || die "the generator: $(tail -n 1 "$work/generator.log")"
            players="$(rtsp_players 2 1)"
            wait "$generator" || die "the generator: $(tail -n 1 "$work/generator.log")"
            forwarded=$(($(rtsp_forwarded) - sum_before))
            ;;
    esac
    [ -n "$players" ] || die "the players measured nothing"
    printf '{"case": "%s", "players": %s' "$1" "$players" >>"$work/rounds"
    if [ "$1" != gst_rtsp_server ]; then printf ', "transmit_errors": {%s}' "$(rtsp_new_transmit_errors)" >>"$work/rounds"; fi
    if [ -n "$generator" ]; then
        printf ', "forwarded": %d, "generator": %s' "$forwarded" "$(tail -n 1 "$work/generator.log")" >>"$work/rounds"
    fi
    printf '}\n' >>"$work/rounds"
    # The source goes when its last player has gone: every round begins cold.
    sleep 3
}

bench_rtsp() {
    local rounds=5 json="" only="" round name cases=(crosspoint gst_rtsp_server crosspoint_on_air)
    rtsp_sessions=500
    rtsp_packet_time=10
    rtsp_rate=1000000
    rtsp_load_seconds=8
    while [ $# -gt 0 ]; do
        case $1 in
            --quick)
                rounds=1
                rtsp_load_seconds=5
                ;;
            --rounds) rounds=${2:?} && shift ;;
            --json) json=${2:?} && shift ;;
            --only) only=${2:?} && shift ;;
            *) die "$1: not an option of rtsp (see $0 --help)" ;;
        esac
        shift
    done
    # The runtime directory lies in memory, as in /run: journals on a disk would be measured with the sessions.
    TMPDIR=/dev/shm begin crosspoint-bench
    rtsp_make_network
    rtsp_start
    for ((round = 0; round < rounds; round++)); do
        # In turns, and each time another one begins.
        for ((name = 0; name < ${#cases[@]}; name++)); do
            local case=${cases[$(((name + round) % ${#cases[@]}))]}
            if [ -z "$only" ] || [ "$only" = "$case" ]; then rtsp_round "$case"; fi
        done
    done
    local status=0
    "$python" "$repository/scripts/lib/rtsp/bench_summary.py" "$work/rounds" "$rtsp_packet_time" ${json:+"$json"} || status=$?
    if [ "$status" -eq 3 ]; then tells_logs=no; fi
    return "$status"
}
