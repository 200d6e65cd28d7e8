# What the cases of scripts/tests/abuse.sh share: a studio with clients inside and outside, a daemon, and the bounds that hold while it is
# attacked. Sourced after common.sh.
#
#     outside 10.66.0.5 (a good client), 10.66.0.200… and fd66::/32 (bad ones) --- eth0 node eth1 --- cam0 10.67.0.2 inside
#                                                              node: 10.66.0.1, fd66::1, 10.67.0.1
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # variables of common.sh, and for the cases

abuse="$repository/scripts/lib/abuse"
good_client=10.66.0.5
# A device in the network of `allow` that means harm.
allowed_client=10.66.0.6
attackers=(10.66.0.200 10.66.0.201 10.66.0.202 10.66.0.203)
# What may be in use at most: memory in MiB, of the limit of open files, milliseconds of a good client's transactions.
most_memory=256
most_descriptors=50
most_latency=100

make_abuse_network() {
    local role address
    for role in outside node inside; do make_namespace "$role"; done
    make_link outside out0 node eth0
    make_link node eth1 inside cam0
    for address in "$good_client" "$allowed_client" "${attackers[@]}"; do inside outside ip address add "$address/24" dev out0; done
    for address in {1..4}; do inside outside ip address add "fd66::$address:16/32" dev out0 nodad; done
    inside node ip address add 10.66.0.1/24 dev eth0
    inside node ip address add fd66::1/32 dev eth0 nodad
    inside node ip address add 10.67.0.1/24 dev eth1
    inside inside ip address add 10.67.0.2/24 dev cam0
}

# needs_daemon: $CROSSPOINT, or a release build of this checkout.
needs_daemon() {
    if [ -z "${CROSSPOINT-}" ]; then
        swift build --package-path "$repository" -c release --product crosspoint >&2 || die "the build failed"
        CROSSPOINT="$repository/.build/release/crosspoint"
    fi
}

# start_abused_daemon: with what stands in $work/crosspoint.yaml, and with its memory and descriptors noted.
start_abused_daemon() {
    start_daemon
    open_files="$(awk '/^Max open files/ { print $4 }' "/proc/$daemon/limits")"
}

memory_of_daemon() { awk '/^VmHWM/ { print int($2 / 1024) }' "/proc/$daemon/status"; }
descriptors_of_daemon() { find "/proc/$daemon/fd" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l; }

# attack KIND SECONDS PROGRAM ARGUMENTS…: runs an attack from outside, and a good client's program ($good_command, an array, to which the
# number of seconds is added) beside it; then checks the bounds, and that the daemon lives. What both told is in $work/KIND.attack
# and $work/KIND.good.
good_command=()
attack() {
    local kind=$1 seconds=$2 attacker good most=0 now
    shift 2
    # The highest memory from here on.
    echo 5 >"/proc/$daemon/clear_refs"
    start outside "$kind.attack" "$@"
    attacker=$started
    start outside "$kind.good" "${good_command[@]}" "$seconds"
    good=$started
    while kill -0 "$good" 2>/dev/null; do
        now="$(descriptors_of_daemon)"
        [ "$now" -le "$most" ] || most=$now
        sleep 0.2
    done
    wait "$good" || wrong "$kind: the good client: $(tail -n 1 "$work/$kind.good")"
    stop "$attacker" INT
    say "  attacker: $(tail -n 1 "$work/$kind.attack" | cut -c1-300)"
    say "  good client: $(tail -n 1 "$work/$kind.good" | cut -c1-300)"
    kill -0 "$daemon" 2>/dev/null || die "$kind: the daemon has died: $(tail -n 3 "$work/daemon.log")"
    now="$(memory_of_daemon)"
    if [ "$now" -le $most_memory ]; then right "memory $now MiB"; else wrong "memory $now MiB, more than $most_memory"; fi
    if [ $((most * 100)) -le $((open_files * most_descriptors)) ]; then
        right "$most descriptors of $open_files"
    else
        wrong "$most descriptors of $open_files, more than $most_descriptors %"
    fi
    good_fared_well "$work/$kind.good"
}

# good_fared_well FILE: whether the good client was served in time, and refused nothing.
good_fared_well() {
    local verdict
    if verdict="$("$python" - "$1" "$most_latency" <<'PYTHON'
import json, sys
told = json.loads(open(sys.argv[1]).read().splitlines()[-1])
problems = []
if told["count"] < 20: problems.append(f"only {told['count']} transactions")
if told["failures"]: problems.append(f"{told['failures']} failed: {', '.join(told['failed'])}")
if told["p99"] is None or told["p99"] > float(sys.argv[2]): problems.append(f"the 99th percentile is {told['p99']} ms")
print("; ".join(problems) or f"{told['count']} transactions, the 99th percentile is {told['p99']} ms")
sys.exit(1 if problems else 0)
PYTHON
)"; then right "good client: $verdict"; else wrong "good client: $verdict"; fi
}

# log_lines PATTERN: how many lines of the daemon's log match.
log_lines() { grep -c -- "$1" "$work/daemon.log" || true; }
