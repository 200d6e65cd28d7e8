#!/bin/bash
# The daemon dies and comes back while media runs, behind a switch that snoops IGMPv3 and MLDv2, as in a studio.
#
#   sudo scripts/tests/restart-behind-switch.sh
#
# CROSSPOINT names the binary to test; without it, the debug build of this checkout.
#
# Three flows (any source, one source, IPv6) go through the switch to the node, and from there to a receiver that knows the number
# of each packet. The daemon is killed (SIGKILL), started again, stopped (SIGTERM), started again. Not one packet may be missing or
# come twice, the node may not leave a group for a moment, and no counter may fall or disagree with what was sent.
#
#     camera cam0 --- to-camera [switch br0] to-node --- eth0 node eth1 --- rx1 receiver
#
# Exit code: 0 right, 1 wrong, 77 skipped for want of root.
set -euo pipefail
# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

# Groups for any source, for a single source (SSM), and in IPv6, and the routes that ask for them.
groups=(239.1.1.10 232.1.1.20 ff3e::8000:30)
routes=(any single six)
packets_per_second=3000

# A switch with an impatient querier: it asks every 2 s, forgets a port that has not answered for 5 s, and cuts a port off the
# moment that it leaves. So what goes wrong in a studio after minutes goes wrong here within the test. (Units: 1/100 s.)
make_switch() {
    inside switch ip link add br0 type bridge mcast_snooping 1 mcast_querier 1 mcast_igmp_version 3 mcast_mld_version 2 \
        mcast_startup_query_count 2 mcast_startup_query_interval 100 mcast_query_response_interval 100 \
        mcast_query_interval 200 mcast_membership_interval 500 mcast_querier_interval 500 mcast_last_member_interval 50
    # MLD queries come from the bridge's link-local address; IGMP queries may come from 0.0.0.0.
    inside switch sysctl -q -w net.ipv6.conf.br0.accept_dad=0
    inside switch ip link set br0 up
    local port
    for port in to-camera to-node; do
        inside switch ip link set "$port" master br0
        inside switch bridge link set dev "$port" fastleave on
    done
}

make_studio() {
    local role
    for role in camera switch node receiver; do make_namespace "$role"; done
    make_link camera cam0 switch to-camera
    make_link switch to-node node eth0
    make_link node eth1 receiver rx1
    make_switch
    inside camera ip address add 10.1.0.7/24 dev cam0
    inside camera ip -6 address add fd01::7/64 dev cam0
    inside camera ip route add 224.0.0.0/4 dev cam0
    inside node ip address add 10.1.0.1/24 dev eth0
    inside node ip -6 address add fd01::1/64 dev eth0
    inside node ip address add 10.2.0.1/24 dev eth1
    inside node ip -6 address add fd02::1/64 dev eth1
    inside receiver ip address add 10.2.0.5/24 dev rx1
    inside receiver ip -6 address add fd02::5/64 dev rx1
}

# send LOG RATE: the camera sends the three flows until it is stopped.
send() {
    start camera "$1" "$python" "$repository/scripts/lib/rtp_sequence.py" send --rate "$2" \
        any=239.1.1.10:5004 single=232.1.1.20:5006 "six=[ff3e::8000:30]:5008"
    sender=$started
    wait_until 5 grep -q ready "$work/$1" || die "the camera does not start: $(tail -n 1 "$work/$1")"
}

receive() {
    start receiver receiver.log "$python" "$repository/scripts/lib/rtp_sequence.py" receive \
        any=10.2.0.5:5004 single=10.2.0.5:5006 "six=[fd02::5]:5008"
    receiver=$started
    wait_until 5 grep -q ready "$work/receiver.log" || die "the receiver does not start: $(tail -n 1 "$work/receiver.log")"
}

# Whether media passes from the switch to the node, within a second.
media_reaches_node() {
    local status=0
    inside switch timeout 1 tcpdump -q -n -c 1 -i to-node -Q out 'udp dst portrange 5004-5008' >/dev/null 2>&1 || status=$?
    [ "$status" -eq 0 ]
}
media_stays_away() { ! media_reaches_node; }

# Whether the switch has the node down for all groups.
switch_knows_node() {
    local group members
    members="$(inside switch bridge mdb show dev br0)"
    for group in "${groups[@]}"; do
        grep -q "port to-node grp $group " <<<"$members" || return 1
    done
}

# What the switch says and hears about membership, for as long as the test runs.
watch_switch() {
    start switch mdb.log stdbuf -oL bridge -timestamp monitor mdb
    mdb_watcher=$started
    # IGMP, and whatever of IPv6 has a hop-by-hop header, as MLD always has.
    start switch membership.log tcpdump -n -U -i to-node -w "$work/membership.pcap" 'igmp or (ip6 and ip6[6] == 0)'
    membership_watcher=$started
    wait_until 5 grep -q listening "$work/membership.log" || die "tcpdump does not start: $(tail -n 1 "$work/membership.log")"
}

# take_statistics PHASE: reads all counters, and holds them against the reading before.
last_phase=""
take_statistics() {
    if ! crosspoint stats --json >"$work/statistics-$1.json" 2>"$work/statistics.log"; then
        wrong "$1: no statistics: $(tail -n 1 "$work/statistics.log")"
        return
    fi
    if [ -n "$last_phase" ]; then
        local shrunk
        if shrunk="$("$python" "$repository/scripts/lib/statistics.py" grew \
            "$work/statistics-$last_phase.json" "$work/statistics-$1.json")"; then
            right "$1: no counter fell"
        else
            wrong "$1: counters fell: ${shrunk//$'\n'/; }"
        fi
    fi
    last_phase=$1
}

# phase NAME: two queries long, then a look at the switch and at the counters.
phase() {
    sleep 4.5
    if switch_knows_node; then right "$1: the switch has the node in all groups"; else wrong "$1: the switch has no entry for the node"; fi
    take_statistics "$1"
}

check_routes() {
    local route list
    list="$(crosspoint route list)"
    for route in "${routes[@]}"; do
        grep -q -w "$route" <<<"$list" || wrong "$1: route $route did not come back"
    done
}

check_membership() {
    local group pattern leaves deleted
    tcpdump -n -v -r "$work/membership.pcap" >"$work/membership.txt" 2>/dev/null
    # tcpdump breaks IGMP reports over two lines. A report that changes to INCLUDE or blocks sources is a leave, and so are the
    # leave of IGMPv2 and the done of MLDv1.
    for group in "${groups[@]}"; do
        grep -q -F "gaddr $group " "$work/membership.txt" || wrong "no report for $group was seen: the test would not see a leave either"
        pattern="gaddr ${group//./\\.} (to_in|block)|igmp leave ${group//./\\.}|listener done.*${group}"
        leaves="$(grep -E -c "$pattern" "$work/membership.txt" || true)"
        if [ "$leaves" -eq 0 ]; then right "$group: no leave"; else wrong "$group: the node left it $leaves times"; fi
        grep -q "^dev br0 port to-node grp $group " "$work/mdb.log" || wrong "$group: the switch's table was not watched"
        deleted="$(grep -c "Deleted.*port to-node grp $group " "$work/mdb.log" || true)"
        if [ "$deleted" -eq 0 ]; then
            right "$group: always in the switch's table"
        else
            wrong "$group: the switch forgot the node $deleted times"
        fi
    done
}

check_media() {
    local route sent line
    for route in "${routes[@]}"; do
        sent="$(sed -n "s/^$route sent //p" "$work/camera.log")"
        line="$(grep "^$route received " "$work/receiver.log")"
        if [ "$line" = "$route received $sent missing 0 duplicated 0" ]; then
            right "route $route: all of $sent packets, each once"
        else
            wrong "route $route: $sent packets sent, ${line#* }"
        fi
    done
}

check_counters() {
    local route expected=() problems
    for route in "${routes[@]}"; do expected+=("$route=$(sed -n "s/^$route sent //p" "$work/camera.log")"); done
    if problems="$("$python" "$repository/scripts/lib/statistics.py" agrees "$work/statistics-end.json" "${expected[@]}")"; then
        right "the counters say what was sent, without a gap over both restarts"
    else
        wrong "the counters: ${problems//$'\n'/; }"
    fi
}

if [ "$(id -u)" -ne 0 ]; then
    say "restart behind a switch: skipped, needs root"
    exit 77
fi
CROSSPOINT="${CROSSPOINT:-$repository/.build/debug/crosspoint}"
[ -x "$CROSSPOINT" ] || die "$CROSSPOINT: not there; build it first (swift build)"
begin crosspoint-restart
say "restart behind a switch:"

make_studio
make_bpffs_directory
start_daemon

# A bridge floods until its querier has had time to hear the answers. Only when it has stopped does the test prove anything.
send flood.log 200
wait_until 30 media_stays_away || die "the switch floods: multicast snooping has no effect in this kernel, and the test proves nothing"
if media_reaches_node; then wrong "media reaches the node before it has joined"; else right "before the routes, no media reaches the node"; fi
stop "$sender"

watch_switch
crosspoint route add any --from 239.1.1.10:5004@eth0 --to 10.2.0.5:5004@eth1 >>"$work/route.log" 2>&1 ||
    die "route any: $(tail -n 1 "$work/route.log")"
crosspoint route add single --from 232.1.1.20:5006@eth0,source=10.1.0.7 --to 10.2.0.5:5006@eth1 >>"$work/route.log" 2>&1 ||
    die "route single: $(tail -n 1 "$work/route.log")"
crosspoint route add six --from "[ff3e::8000:30]:5008@eth0" --to "[fd02::5]:5008@eth1" >>"$work/route.log" 2>&1 ||
    die "route six: $(tail -n 1 "$work/route.log")"
wait_until 5 switch_knows_node || die "the node did not join: the switch knows only: $(inside switch bridge mdb show dev br0)"

receive
send camera.log $packets_per_second
phase "running"

stop "$daemon" KILL
phase "daemon killed"
start_daemon
check_routes "daemon started again"
phase "daemon started again"

stop "$daemon" TERM
phase "daemon stopped"
start_daemon
check_routes "daemon started a third time"
phase "daemon started a third time"

stop "$sender"
sleep 0.5
take_statistics end
stop "$receiver"
stop "$mdb_watcher"
stop "$membership_watcher"
check_media
check_counters
check_membership

if [ "$wrongs" -gt 0 ]; then
    say "restart behind a switch: $wrongs things wrong"
    exit 1
fi
say "restart behind a switch: passed"
