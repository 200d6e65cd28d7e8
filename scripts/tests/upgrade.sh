#!/bin/bash
# Replaces the daemon by another version's and back while a thousand routes forward, and looks at every packet.
#
#   sudo scripts/tests/upgrade.sh OLD NEW [--routes N] [--rate PACKETS] [--rounds N]
#
# OLD and NEW are crosspoint binaries; scripts/lib/other_layout.sh makes a NEW of a checkout. The node begins with OLD; its daemon is killed
# and NEW's is started, that one is killed and OLD's is started, and so on. Where OLD refuses the tables of NEW, as versions before
# generations do, that must disturb nothing, and the next daemon is NEW's again. All the time the load generator sends to every route and
# checks the header and the number of each copy. Not one packet may be missing, come twice or have another route's header, no
# counter may fall, and RTP accounting may not know of any loss.
#
#     far gen0 --- in0 node eth1…eth4 --- sink1…sink4 far            routes: 239.1.1.10:5004+N@in0 -> 10.9.S.2:20001+N@ethS
#
# Exit code: 0 right, 1 wrong, 77 skipped for want of root.
set -euo pipefail
# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

routes=1024
rate=500000
rounds=3
sinks=4

make_network() {
    local number
    for number in node far; do make_namespace "$number"; done
    make_link far gen0 node in0
    inside far ip link set gen0 address 02:00:00:00:00:02
    inside far ip address add 10.9.0.2/24 dev gen0
    inside node ip address add 10.9.0.1/24 dev in0
    for ((number = 1; number <= sinks; number++)); do
        make_link node "eth$number" far "sink$number"
        inside node ip link set "eth$number" address "02:00:00:00:0$number:01"
        inside far ip link set "sink$number" address "02:00:00:00:0$number:02"
        inside node ip address add "10.9.$number.1/24" dev "eth$number"
        inside far ip address add "10.9.$number.2/24" dev "sink$number"
    done
}

# Route n goes to sink 1 + n modulo their number; every 16th to the next one too, by a broadcast.
write_routes() {
    local number sink next legs
    write_configuration
    echo "routes:" >>"$work/crosspoint.yaml"
    for ((number = 0; number < routes; number++)); do
        sink=$((number % sinks + 1))
        next=$((sink % sinks + 1))
        legs="10.9.$sink.2:$((20001 + number))@eth$sink"
        if ((number % 16 == 0)); then legs="$legs, 10.9.$next.2:$((24097 + number))@eth$next"; fi
        printf '  r%d:\n    from: 239.1.1.10:%d@in0\n    to: [%s]\n' "$number" "$((5004 + number))" "$legs"
    done >>"$work/crosspoint.yaml"
}

# Whether every leg is in the fast path.
all_active() {
    [ "$(crosspoint route list --json | grep -o '"state" *: *"active"' | wc -l)" -eq $((routes + routes / 16)) ]
}

# take_statistics PHASE: reads all counters, and holds them against the reading before.
last_phase=""
take_statistics() {
    local shrunk
    if ! crosspoint stats --json >"$work/statistics-$1.json" 2>"$work/statistics.log"; then
        wrong "$1: no statistics: $(tail -n 1 "$work/statistics.log")"
        return
    fi
    if [ -n "$last_phase" ]; then
        if shrunk="$("$python" "$repository/scripts/lib/statistics.py" grew \
            "$work/statistics-$last_phase.json" "$work/statistics-$1.json")"; then
            right "$1: no counter fell"
        else
            wrong "$1: counters fell: $(head -n 3 <<<"$shrunk" | tr '\n' ';') $(wc -l <<<"$shrunk") in all"
        fi
    fi
    last_phase=$1
}

# start_version BINARY: its daemon takes the node over. Fails where it refuses the tables that it finds.
start_version() {
    CROSSPOINT=$1
    : >"$work/daemon.log"
    mkdir -p "$work/runtime"
    start node daemon.log "$CROSSPOINT" run --config "$work/crosspoint.yaml"
    daemon=$started
    wait_until 60 daemon_answers_or_is_dead || die "the daemon does not answer: $(tail -n 1 "$work/daemon.log")"
    if ! kill -0 "$daemon" 2>/dev/null; then
        grep -q "maps of layout" "$work/daemon.log" || die "the daemon has ended: $(tail -n 1 "$work/daemon.log")"
        return 1
    fi
}

# look NAME PHASE: the version that runs must have everything, and be able to change it.
look() {
    local number
    if wait_until 20 all_active; then
        right "$2: $1 carries $routes routes: $(grep -o 'fast path .*' "$work/daemon.log" | head -n 1)"
    else
        wrong "$2: $1 does not carry all routes: $(tail -n 1 "$work/daemon.log")"
    fi
    take_statistics "$2"
    if crosspoint leg add r1 10.9.4.2:28000@eth4 >"$work/change.log" 2>&1; then
        number="$(crosspoint route show r1 --json | grep -o '"number" *: *[0-9]*' | grep -o '[0-9]*' | sort -n | tail -n 1)"
        crosspoint leg remove r1 "$number" >"$work/change.log" 2>&1 || wrong "$2: a leg cannot be removed: $(cat "$work/change.log")"
    else
        wrong "$2: a leg cannot be added: $(tail -n 1 "$work/change.log")"
    fi
}

check_copies() {
    "$python" - "$work/generator.log" "$rate" <<'PYTHON'
import json, sys

report = json.loads(open(sys.argv[1], encoding="utf-8").read().strip().splitlines()[-1])
good, bad = sum(report["good"]), sum(report["bad"])
again = sum(report["out_of_order"])
print(f"sent {report['sent']} packets at {report['packets_per_second']:.0f}/s, {good} of {report['expected']} copies right, "
      f"{bad} wrong, {report['missing']} missing, {again} twice or late, {report['strays']} for nobody")
wrong = bad or again or report["missing"] or report["strays"] or good != report["expected"]
sys.exit(1 if wrong else 0)
PYTHON
}

check_accounting() {
    "$python" - "$work/statistics-end.json" <<'PYTHON'
import json, sys

flows = json.load(open(sys.argv[1], encoding="utf-8"))["flows"]
lost = sum(flow["rtp"]["lostPackets"] for flow in flows)
events = sum(flow["rtp"]["lossEvents"] + flow["rtp"]["sequenceResets"] for flow in flows)
refused = sum(leg["refusedPackets"] for flow in flows for leg in flow["legs"])
print(f"{len(flows)} flows, {sum(flow['packets'] for flow in flows)} packets: {lost} lost, {events} gaps and resets, {refused} refused")
sys.exit(1 if lost or events or refused else 0)
PYTHON
}

[ $# -ge 2 ] || die "OLD NEW: two crosspoint binaries (see the head of this file)"
old=$(realpath "$1")
new=$(realpath "$2")
shift 2
while [ $# -gt 0 ]; do
    case $1 in
        --routes) routes=${2:?} && shift ;;
        --rate) rate=${2:?} && shift ;;
        --rounds) rounds=${2:?} && shift ;;
        *) die "$1: not an option of $0" ;;
    esac
    shift
done
if [ "$(id -u)" -ne 0 ]; then
    say "upgrade under load: skipped, needs root"
    exit 77
fi
generator="$repository/.build/release/rtsp-benchmark-generator"
[ -x "$generator" ] || generator="$repository/.build/debug/rtsp-benchmark-generator"
[ -x "$generator" ] || die "$generator: not there; build it first (swift build)"
begin crosspoint-upgrade
say "upgrade under load: $routes routes, $rate packets a second"

make_network
make_bpffs_directory
write_routes
start_version "$old" || die "the old version does not start: $(tail -n 1 "$work/daemon.log")"
look old begin
start far generator.log "$generator" --flows "$routes" --rate "$rate" --seconds $((rounds * 24 + 10)) \
    --sink sink1 --sink sink2 --sink sink3 --sink sink4
load=$started
wait_until 20 grep -q sending "$work/generator.log" || die "the generator: $(tail -n 1 "$work/generator.log")"
sleep 2
take_statistics running

for ((round = 1; round <= rounds; round++)); do
    stop "$daemon" KILL
    start_version "$new" || wrong "up$round: the new version refuses: $(tail -n 1 "$work/daemon.log")"
    look new "up$round"
    stop "$daemon" KILL
    if start_version "$old"; then
        look old "down$round"
    else
        right "down$round: the old version refuses: $(tail -n 1 "$work/daemon.log" | cut -c1-160)"
    fi
    kill -0 "$load" 2>/dev/null || wrong "round $round: the load has ended already, which proves nothing"
done
stop "$daemon" KILL
start_version "$new" || wrong "the new version refuses: $(tail -n 1 "$work/daemon.log")"
look new last
say "  waiting for the end of the load"
wait "$load" || wrong "the generator: $(tail -n 1 "$work/generator.log")"
take_statistics end

if text="$(check_copies)"; then right "$text"; else wrong "$text"; fi
if text="$(check_accounting)"; then right "$text"; else wrong "$text"; fi
stop "$daemon"
[ "$wrongs" -eq 0 ] || exit 1
