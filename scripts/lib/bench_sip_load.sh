# `scripts/bench sip-standing`: what a call costs beside others that stand. Sourced by scripts/bench, after bench_sip.sh, whose network and peers it uses.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # variables of common.sh and bench_sip.sh

# load_start CALLS: a node for so many calls, which calls user `quick` at UDP port 5062 of the callees, and others at 5060.
load_start() {
    make_bpffs_directory
    write_configuration
    cat >>"$work/crosspoint.yaml" <<CONFIGURATION
ports: [eth0, eth1]
limits: {flows: $((4 * ($1 + 4000)))}
sip:
  allow: [10.1.0.0/24, 10.2.0.0/24]
  udp-ports: 14000-64999
  limits: {requests-per-second: 0, calls: $(($1 + 4000)), calls-per-source: $(($1 + 4000))}
  dial-plan:
    - {name: quick, user: quick, to: ["sip:10.2.0.5:5062"]}
    - {name: callees, to: ["sip:10.2.0.5"]}
CONFIGURATION
    CROSSPOINT="${CROSSPOINT:-$repository/.build/release/crosspoint}"
    start_daemon
}

# load_peer SIDE NAME SCENARIO UDPPORT ARGUMENTS…: starts a SIPp; its process id is in $started.
load_peer() {
    local side=$1 name=$2 scenario=$3 port=$4 address=10.1.0.2
    shift 4
    [ "$side" = callers ] || address=10.2.0.5
    rm -rf "${work:?}/$name"
    mkdir -p "$work/$name"
    # shellcheck disable=SC2016  # the inner shell's
    start "$side" "$name.log" bash -c 'cd "$0" && ulimit -n "$(ulimit -Hn)" && exec "$@"' "$work/$name" sipp \
        -sf "$work/scenarios/$scenario-${side%s}.xml" -p "$port" -t u1 -nd -nostdin -inf "$work/udp-ports" -key rtp 7000 \
        -i "$address" -mi "$address" -trace_logs -log_file "$work/$name/places" -trace_err -error_file "$work/$name/errors" "$@"
}

load_listens() { inside callees ss -Hlun "sport = :$1" | grep -q .; }

# Processor time of the daemon so far, milliseconds.
load_cpu() { awk -v tick="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) * 1000 / tick }' "/proc/$daemon/stat"; }

load_stands() { [ "$(cat "$work"/held-*/places 2>/dev/null | grep -c '^caller .* [0-9]*$')" -ge "$1" ]; }

# standing_level CALLS: so many calls stand; what an idle second and one more call cost.
standing_level() {
    local calls=$1 more=$(($1 - standing)) before after idle
    if [ "$more" -gt 0 ]; then
        { echo SEQUENTIAL && seq -f '%.0f;' $((10000 + 4 * standing)) 4 $((9996 + 4 * calls)); } >"$work/udp-ports"
        load_peer callers "held-$calls" measured-held $((5070 + standing_levels)) -s bob -m "$more" -l "$more" -r 200 \
            -cid_str "%u-held-$calls@callers" -recv_timeout 600000 10.1.0.1:5060
        standing_levels=$((standing_levels + 1))
        standing=$calls
        wait_until $((30 + more / 40)) load_stands "$calls" || die "$(cat "$work"/held-*/places | grep -c '^caller') of $calls calls stand"
        sleep 3
    fi
    before="$(load_cpu)"
    sleep "$standing_seconds"
    after="$(load_cpu)"
    idle="$(awk -v a="$before" -v b="$after" -v s="$standing_seconds" 'BEGIN { print (b - a) / s }')"
    before="$(load_cpu)"
    load_peer callers quick-callers measured-quick 5062 -s quick -m $((100 * standing_seconds)) -l 1000 -r 100 \
        -cid_str "%u-quick-$calls@callers" -trace_stat -stf "$work/quick-callers/statistics" -fd 1 -timeout 300 10.1.0.1:5060
    wait "$started" || true
    after="$(load_cpu)"
    printf '{"kind": "standing", "standing": %d, "idle_ms_per_second": %s, "cpu_ms": %s, "counts": {%s}}\n' "$calls" "$idle" \
        "$(awk -v a="$before" -v b="$after" 'BEGIN { print b - a }')" \
        "$("$python" "$sip_tools/bench_summary.py" counts "$work/quick-callers/statistics")" >>"$work/rounds"
}

# load_begin CALLS: the studio, with callees that hold calls and callees that do not.
load_begin() {
    # A node has four sockets for each call. Their number is not what is measured.
    ulimit -n $((4 * $1 + 2000)) 2>/dev/null || die "no limit of $((4 * $1 + 2000)) open files: raise the hard limit (now $(ulimit -Hn))"
    TMPDIR=/dev/shm begin crosspoint-bench
    mkdir "$work/scenarios"
    "$python" "$sip_tools/scenarios.py" "$work/scenarios"
    { echo SEQUENTIAL && seq -f '%.0f;' 10000 4 54996; } >"$work/udp-ports"
    sip_make_network
    load_start "$1"
    load_peer callees quick-callees measured-quick 5062
    load_peer callees held-callees measured-held 5060
    wait_until 10 load_listens 5060 || die "the callees do not listen: $(tail -n 1 "$work/held-callees.log")"
    wait_until 10 load_listens 5062 || die "the callees do not listen: $(tail -n 1 "$work/quick-callees.log")"
}

bench_sip_standing() {
    local json="" levels=() level status=0
    standing=0 standing_levels=0 standing_seconds=10
    while [ $# -gt 0 ]; do
        case $1 in
            --quick) levels=(100 1000) ;;
            --json) json=${2:?} && shift ;;
            --calls)
                [[ ${2-} =~ ^[0-9]{1,5}$ && $2 -le 10000 ]] || die "--calls: a number up to 10,000"
                levels+=("$2") && shift
                ;;
            *) die "$1: not an option of sip-standing (see $0 --help)" ;;
        esac
        shift
    done
    if [ ${#levels[@]} -eq 0 ]; then
        # As many as the limit of open files lets stand.
        local most
        most=$(ulimit -Hn)
        if [ "$most" = unlimited ]; then most=10000; else most=$(((most - 2000) / 4)); fi
        for level in 0 100 1000 5000 10000; do
            if [ "$level" -le "$most" ]; then levels+=("$level"); fi
        done
        if [ "$most" -lt 10000 ]; then levels+=("$most"); fi
    fi
    load_begin "${levels[-1]}"
    for level in "${levels[@]}"; do standing_level "$level"; done
    "$python" "$sip_tools/bench_load.py" standing "$work/rounds" ${json:+"$json"} || status=$?
    if [ "$status" -eq 3 ]; then tells_logs=no; fi
    return "$status"
}
