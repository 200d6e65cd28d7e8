#!/bin/bash
# An operator's day at a node: wrong input of every kind, then everything that the command line and the API can do.
#
#   sudo scripts/tests/operator.sh
#
# CROSSPOINT names the binary to test; without it, the debug build of this checkout.
#
# A flow runs through the node all the time. Whatever is refused must be refused with one line that names the thing and the
# remedy, with the right exit code, and the flow must not miss a packet of it. Nor may it miss one when the configuration is read
# again, when the daemon is replaced, or while it is dead. Every example of docs/api.md is run as it stands there.
#
#     camera cam0 --- eth0 node eth1 --- rx1 receiver          node: also br0, a bridge, which has no native XDP
#
# Exit code: 0 right, 1 wrong, 77 skipped for want of root.
set -euo pipefail
# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

packets_per_second=2000
# shellcheck disable=SC2016  # awk's own
examples_of_blocks='
    function end() { if (text) printf "%s%c", text, 0; text = "" }
    /^```/ { end(); inside = !inside; next }
    inside && /^xp / { end(); text = $0 "\n"; next }
    text { text = text $0 "\n" }'

make_studio() {
    local role
    for role in camera node receiver; do make_namespace "$role"; done
    make_link camera cam0 node eth0
    make_link node eth1 receiver rx1
    inside node ip link add br0 type bridge
    inside node ip link set br0 up
    inside camera ip address add 10.1.0.7/24 dev cam0
    inside camera ip route add 224.0.0.0/4 dev cam0
    inside node ip address add 10.1.0.1/24 dev eth0
    inside node ip address add 10.2.0.1/24 dev eth1
    inside receiver ip address add 10.2.0.5/24 dev rx1
}

# refused CODE PATTERN COMMAND…: the command must end with that code and one line on standard error, and the line must match.
refused() {
    local code=$1 pattern=$2 status=0 lines
    shift 2
    "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
    lines="$(wc -l <"$work/err")"
    if [ "$status" -eq "$code" ] && [ "$lines" -eq 1 ] && [ ! -s "$work/out" ] && grep -q -E -- "$pattern" "$work/err"; then
        right "$(cat "$work/err")"
    else
        wrong "${*:2} ended with $status (not $code), $lines lines, or without '$pattern': $(cat "$work/out" "$work/err")"
    fi
}

# accepted PATTERN COMMAND…: the command must succeed and print something that matches.
accepted() {
    local pattern=$1 status=0
    shift
    "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
    if [ "$status" -eq 0 ] && [ ! -s "$work/err" ] && grep -q -E -- "$pattern" "$work/out"; then
        right "$(printf '%s ' "$@" | cut -c1-100): $(head -n 1 "$work/out" | cut -c1-100)"
    else
        wrong "$* ended with $status, or did not print '$pattern': $(cat "$work/out" "$work/err")"
    fi
}

# configuration TEXT: a configuration file with that text, in $file.
file=""
configuration() {
    file="$work/wrong.yaml"
    printf '%b' "$1" >"$file"
}

run() { timeout 20 nsenter --net="/run/netns/$run_id-node" -- "$CROSSPOINT" run "$@"; }
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all -- "$@"; }

packets_received() { crosspoint stats --json | "$python" -c '
import json, sys
print([flow["packets"] for flow in json.load(sys.stdin)["flows"] if flow["route"] == sys.argv[1]][0])' "$1"; }

# The counter of a flow, and whether it has grown since.
still_forwards() {
    local before after
    before="$(packets_received "$1")"
    sleep 0.3
    after="$(packets_received "$1")"
    if [ "$after" -gt "$before" ]; then right "$2: $1 forwards on"; else wrong "$2: $1 stands still at $after packets"; fi
}

wrong_configurations() {
    configuration 'routes:\n  a:\n    from: 239.1.1.1:99999@eth0\n    to: []\n'
    refused 1 'wrong.yaml:3: routes.a.from: .*99999.*1 to 65535' run --config "$file"
    configuration 'routes:\n  a:\n    from: 239.1.1.1:5004@eth0\n    to: []\n    paylod: raw\n'
    refused 1 "wrong.yaml:5: .*paylod.*did you mean 'payload'" run --config "$file"
    configuration 'node: half\nroutes:\n  a:\n    fro'
    refused 1 'wrong.yaml:4: .*half written' run --config "$file"
    configuration 'node: [\n'
    refused 1 'wrong.yaml:[0-9]+: is not YAML' run --config "$file"
    configuration 'limits: {flows: 0}\n'
    refused 1 'wrong.yaml:1: limits.flows' run --config "$file"
    configuration 'metrics: {listen: nowhere}\n'
    refused 1 'wrong.yaml:1: metrics.listen' run --config "$file"
    refused 1 'missing.yaml: cannot be read: No such file' run --config "$work/missing.yaml"
    configuration 'node: secret\n'
    chmod 000 "$file"
    refused 1 'wrong.yaml: cannot be read: Permission denied' as_nobody "$CROSSPOINT" run --config "$file"
    rm -f "$file"
}

without_daemon() {
    refused 69 "no daemon answers at .*crosspoint run" crosspoint route list
    refused 69 "no daemon answers at" crosspoint stats
    refused 64 "see 'crosspoint help route add'" "$CROSSPOINT" route add
    refused 64 "see 'crosspoint help'" "$CROSSPOINT" rout list
}

without_privileges() {
    mkdir "$work/nobody" "$bpffs/nobody"
    chown 65534:65534 "$work/nobody" "$bpffs/nobody"
    printf 'runtime-directory: %s\nbpffs: %s\ncontrol: {socket: %s}\nmetrics: {listen: off}\n' \
        "$work/nobody" "$bpffs/nobody" "$work/nobody/control.sock" >"$work/nobody.yaml"
    refused 77 "bpf.*root|root.*bpf|not permitted" as_nobody "$CROSSPOINT" run --config "$work/nobody.yaml"
    refused 77 "no permission to use .*control.sock; run as root, or give the daemon a control.group" \
        as_nobody "$CROSSPOINT" route list --socket "$work/control.sock"
    refused 77 "permi" as_nobody "$CROSSPOINT" stats --bpffs "$bpffs"
}

wrong_routes() {
    local from=239.1.1.90:5004@eth0 to=10.2.0.5:7000@eth1
    refused 64 '239.1.1.999' crosspoint route add new --from 239.1.1.999:5004@eth0 --to $to
    refused 64 "99999.*1 to 65535" crosspoint route add new --from 239.1.1.90:99999@eth0 --to $to
    refused 64 'tll.*ttl' crosspoint route add new --from $from --to $to,tll=4
    refused 64 'INTERFACE' crosspoint route add new --from 239.1.1.90:5004 --to $to
    refused 64 '[Nn]ame' crosspoint route add 'a b' --from $from --to $to
    refused 64 'loopback' crosspoint route add new --from $from --to 127.0.0.1:5004@eth1
    refused 64 '224.0.0' crosspoint route add new --from 224.0.0.5:5004@eth0 --to $to
    refused 64 'payload' crosspoint route add new --from $from --to $to --payload video
    refused 64 'rate' crosspoint route add new --from $from --to $to --rate fast
    refused 1 'eth9.*br0, eth0, eth1' crosspoint route add new --from 239.1.1.90:5004@eth9 --to $to
    refused 1 'eth9.*br0, eth0, eth1' crosspoint route add new --from $from --to 10.2.0.5:7000@eth9
    refused 1 'br0.*native XDP' crosspoint route add new --from $from --to 10.2.0.5:7000@br0
    refused 1 'lo: .*native XDP' crosspoint route add new --from $from --to 10.2.0.5:7000@lo
    refused 1 'steady.*another name' crosspoint route add steady --from $from --to $to
    refused 1 'packets are those of route steady' crosspoint route add new --from 239.5.5.5:5004@eth0 --to $to
    refused 1 'loop' crosspoint route add new --from $from --to 239.5.5.5:5004@eth0
    refused 1 "loop" crosspoint route add new --from $from --to $from
    refused 1 "own address" crosspoint route add new --from $from --to 10.2.0.1:7000@eth1
    refused 1 "neither a multicast group nor an address" crosspoint route add new --from 10.9.9.9:5004@eth0 --to $to
    refused 1 "20.00 Gb/s.*10.00 Gb/s.*--force" crosspoint route add new --from $from --to $to --rate 20Gb/s
    refused 1 "VLAN" crosspoint route add new --from 239.1.1.90:5004@eth0.100 --to $to
    refused 1 "nothing" crosspoint route show nothing
    refused 1 "nothing" crosspoint route remove nothing
    refused 1 "nothing" crosspoint route take nothing --from $from
    refused 1 "nothing has changed.*239.1.1.90.*within 0?.*--force" crosspoint route take steady --from 239.1.1.90:5004@eth0 --timeout 0.2
    refused 64 "timeout 0 s.*60" crosspoint route take steady --from 239.1.1.90:5004@eth0 --timeout 0
    refused 1 "nothing" crosspoint stats nothing
    refused 1 "leg.*9" crosspoint leg remove steady 9
    refused 64 'octet|address' crosspoint leg add steady 10.2.0:5004@eth1
    refused 1 'loop|own source' crosspoint leg add steady 239.5.5.5:5004@eth0
    refused 1 'never' crosspoint stats --watch never
    refused 64 'watch' crosspoint stats --watch 0
    refused 1 "another daemon .*runtime-directory" run --config "$work/crosspoint.yaml"
    # The daemon has made its pins itself: one with a runtime directory of its own must not take them for nobody's.
    sed "s|$work/runtime|$work/other-runtime|; s|$work/control.sock|$work/other.sock|" "$work/crosspoint.yaml" >"$work/other.yaml"
    refused 1 "another daemon .*bpffs of its own" run --config "$work/other.yaml"
}

# The configuration file is made wrong while the daemon runs: nothing changes. Then right: only what changed is touched.
reload() {
    cp "$work/crosspoint.yaml" "$work/good.yaml"
    printf 'routes:\n  steady:\n    from: 239' >>"$work/crosspoint.yaml"
    refused 1 'crosspoint.yaml:[0-9]+: .*half written' crosspoint config reload
    refused 1 'crosspoint.yaml:[0-9]+: .*half written' crosspoint config save
    still_forwards steady "after a half-written configuration"
    cat "$work/good.yaml" - >"$work/crosspoint.yaml" <<'ROUTES'
routes:
  steady:
    from: 239.5.5.5:5004@eth0,source=10.1.0.7
    to: [10.2.0.5:5014@eth1]
  configured:
    from: 239.5.5.6:5004@eth0
    to: [10.2.0.5:5006@eth1]
ROUTES
    kill -HUP "$daemon"
    wait_until 5 sends_to configured 10.2.0.5:5006@eth1 || wrong "SIGHUP did not bring the route of the file"
    wait_until 5 forwards configured || wrong "the route of the file does not forward"
    local before after
    before="$(packets_received configured)"
    sed -i 's/10.2.0.5:5006@eth1/10.2.0.5:5008@eth1/' "$work/crosspoint.yaml"
    kill -HUP "$daemon"
    wait_until 5 sends_to configured 10.2.0.5:5008@eth1 || wrong "SIGHUP did not change the route"
    after="$(packets_received configured)"
    if [ "$before" -le "$after" ]; then right "a changed leg leaves the flow's counters"; else wrong "the flow's counters began anew"; fi
    accepted '0 routes added, 0 changed, 0 removed, 2 unchanged' crosspoint config reload
}

sends_to() { crosspoint route show "$1" --json | grep -q "$2"; }
forwards() { [ "$(packets_received "$1")" -gt 0 ]; }

# What `config save` writes, the daemon reads, and it means the same.
save() {
    accepted 'added' crosspoint route add kept --from 239.5.5.9:5004@eth0 --to 10.2.0.5:5010@eth1,ttl=9,dscp=EF --rate 1Mb/s
    accepted 'saved to' crosspoint config save
    accepted '0 routes added, 0 changed, 0 removed, 3 unchanged' crosspoint config reload
    crosspoint config save - >"$work/saved.yaml"
    if cmp -s "$work/saved.yaml" "$work/crosspoint.yaml"; then right "saving twice gives the same file"; else wrong "config save is not stable"; fi
    accepted 'ok|3 routes|valid|route' "$CROSSPOINT" config check "$work/crosspoint.yaml"
    accepted 'redirect|REDIRECT' inside node "$CROSSPOINT" check --config "$work/crosspoint.yaml"
    if grep -q -E '^eth0 .* native +yes ' "$work/out" && grep -q -E '^br0 .* generic +no ' "$work/out"; then
        right "check: redirect works on eth0, and not on br0"
    else
        wrong "check: $(cat "$work/out")"
    fi
    # In a container, whose processes have numbers of their own.
    accepted 'REDIRECT' inside node unshare --pid --fork --mount-proc "$CROSSPOINT" check --config "$work/crosspoint.yaml"
    if grep -q -E '^eth0 .* native +yes ' "$work/out"; then
        right "check: redirect works on eth0, seen from a PID namespace too"
    else
        wrong "check in a PID namespace: $(cat "$work/out")"
    fi
}

# A veth whose other end does not poll takes redirected frames and loses them: what its driver announces does not tell.
probe() {
    inside node ip link add deaf type veth peer name deaf-peer
    inside node ip link set deaf up
    inside node ip link set deaf-peer up
    accepted "deaf: redirect unknown: .*check --attach" inside node "$CROSSPOINT" check
    accepted "deaf: no redirect: .*ethtool -K PEER gro on" inside node "$CROSSPOINT" check --attach
    inside node ethtool -K deaf-peer gro on
    accepted "^deaf +up +veth .* yes " inside node "$CROSSPOINT" check --attach
    if inside node ip link show deaf | grep -q xdp; then wrong "check left a program attached"; fi
    refused 1 "ports: port br0: .*no native XDP; use another interface" check_of 'ports: [br0]\n'
    refused 1 "ports: there is no interface 'eth7' on this host; did you mean" check_of 'ports: [eth7]\n'
    inside node ip link delete deaf
}

# check_of TEXT: only what `check` says on standard error about a configuration with that text.
check_of() {
    configuration "$1"
    inside node "$CROSSPOINT" check --config "$file" >/dev/null
}

# Runs the examples of docs/api.md, as they stand there.
api_examples() {
    local example
    # shellcheck disable=SC2317  # called by the examples
    xp() { inside node curl -sS --fail-with-body --unix-socket "$work/control.sock" "$@"; }
    # An example begins with `xp` and goes on to the next, or to the end of its block.
    while IFS= read -r -d '' example; do
        if eval "$example" >"$work/out" 2>"$work/err"; then
            right "$(head -n 1 <<<"$example" | tr -s ' '): $(head -c 60 "$work/out" | tr '\n' ' ')"
        else
            wrong "docs/api.md: $example: $(cat "$work/out" "$work/err")"
        fi
    done < <(awk "$examples_of_blocks" "$repository/docs/api.md")
}

metrics() {
    local metric
    inside node curl -sS http://127.0.0.1:9464/metrics >"$work/metrics"
    for metric in crosspoint_flow_packets_total crosspoint_leg_packets_total crosspoint_port_received_packets_total; do
        grep -q "^$metric{" "$work/metrics" || wrong "/metrics has no $metric"
    done
    if [ "$(inside node curl -s -o "$work/out" -w '%{http_code}' -X DELETE http://127.0.0.1:9464/v1/routes/steady)" = 405 ]; then
        right "/metrics is there, and the TCP port changes nothing"
    else
        wrong "DELETE over TCP: $(cat "$work/out")"
    fi
    accepted 'crosspoint_flow_packets_total\{.*steady' crosspoint stats --prometheus
    accepted '"route" : "steady"' crosspoint stats --json steady
    if timeout 1.5 nsenter --net="/run/netns/$run_id-node" -- "$CROSSPOINT" stats --watch 0.2 --socket "$work/control.sock" \
        >"$work/watch" 2>&1; [ "$(grep -c '^ROUTE' "$work/watch")" -ge 3 ]; then
        right "stats --watch shows it again and again"
    else
        wrong "stats --watch: $(head -n 5 "$work/watch")"
    fi
}

# Tables that are small by configuration fill up, and what is in them is not touched.
full_table() {
    local number=0
    while crosspoint route add "many$number" --from "239.6.0.$number:5004@eth0,join=off" --to "10.2.0.5:$((9000 + number))@eth1" \
        >/dev/null 2>"$work/err"; do
        number=$((number + 1))
        [ "$number" -lt 250 ] || break
    done
    if grep -q 'table: .*limits' "$work/err"; then
        right "after $number routes: $(cat "$work/err")"
    else
        wrong "after $number routes: $(cat "$work/err")"
    fi
    while [ "$number" -gt 0 ]; do
        number=$((number - 1))
        crosspoint route remove "many$number" >/dev/null
    done
    # What was removed drains for ten seconds.
    wait_until 40 crosspoint route add late --from 239.6.1.1:5004@eth0 --to 10.2.0.5:8999@eth1 || wrong "the table does not empty"
    crosspoint route remove late >/dev/null
}

restart() {
    stop "$daemon" KILL
    still_forwards steady "daemon dead"
    accepted 'the daemon does not answer; it was last alive at 20' crosspoint stats
    accepted 'crosspoint_flow_packets_total\{.*steady' crosspoint stats --prometheus
    start_daemon
    accepted kept crosspoint route list
    still_forwards steady "daemon back"
}

# watched_state ROUTE STATE: the daemon has the state for the route's flow.
watched_state() {
    inside node curl -sS --unix-socket "$work/control.sock" http://x/v1/states |
        "$python" -c 'import json, sys; sys.exit(not any(f["route"] == sys.argv[1] and f["state"] == sys.argv[2] for f in json.load(sys.stdin)))' "$1" "$2"
}

# flow_state ROUTE TEXT: a single reading of the statistics says so.
flow_state() { crosspoint stats "$1" | grep -q "$2"; }

# A sender whose packets are for a route, and not as it expects, is named with the difference, by all that tells a state.
explanations() {
    accepted added crosspoint route add astray --from 239.7.7.9:5004@eth0 --to 10.2.0.5:8997@eth1
    wait_until 5 watched_state astray no-signal || wrong "a route that never had a packet is not without signal"
    local case
    for case in "ttl-expired|ttl expired|IP_MULTICAST_TTL, 1|239.7.7.9|5004" "wrong-udp-port|wrong udp port|IP_MULTICAST_TTL, 9|239.7.7.9|5010"; do
        IFS='|' read -r state label option group udp_port <<<"$case"
        start camera astray.log "$python" -c "
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.$option)
for _ in range(400):
    s.sendto(b'\x80\x60' + bytes(100), ('$group', $udp_port))
    time.sleep(0.02)
"
        wait_until 5 watched_state astray "$state" || wrong "$label is not the state"
        wait_until 3 flow_state astray "$label" || wrong "stats does not say $label: $(crosspoint stats astray)"
        accepted "\"kind\" : \"flow.state\"" crosspoint events --kind flow --json
        crosspoint events --kind flow | grep -q "route astray: $label: .*10.1.0.7" || wrong "no event says $label: $(crosspoint events --kind flow)"
        stop "$started"
        right "a sender with $label is named"
    done
    accepted removed crosspoint route remove astray
}

# Changes have an author, a port that goes down is one event that names its routes, and a follower sees the next daemon's events, too.
events() {
    accepted 'route steady: from 239.5.5.5:5004@eth0.*, by root .crosspoint, process [0-9]+' crosspoint events --kind route
    accepted '"kind" : "route.added"' crosspoint events --since 1h --json
    refused 64 "severity 'loud'.*warning" crosspoint events --severity loud
    refused 64 "since 'soon'.*10m" crosspoint events --since soon
    local follower
    start node follower.log "$CROSSPOINT" events --follow --severity notice --socket "$work/control.sock"
    follower=$started
    wait_until 5 grep -q 'route steady: first packet' "$work/follower.log" || wrong "the follower has no past: $(cat "$work/follower.log")"
    inside node ip link add spare type veth peer name spare-peer
    inside node ip link set spare up
    inside node ip link set spare-peer up
    accepted added crosspoint route add lonely --from 239.7.7.7:5004@eth0 --to 239.7.8.8:5004@spare,source=10.3.0.1
    wait_until 5 watched_state steady ok || wrong "the state of a flow that runs is not ok"
    wait_until 5 watched_state lonely no-signal || wrong "a route that never had a packet is not without signal"
    inside node ip link set spare down
    wait_until 5 grep -q 'error .*port spare: is down or has no carrier: route lonely$' "$work/follower.log" ||
        wrong "no event of the port: $(cat "$work/follower.log")"
    inside node ip link set spare up
    wait_until 5 grep -q 'notice .*port spare: is up: route lonely$' "$work/follower.log" || wrong "no event of the port that is up"
    stop "$daemon" TERM
    wait_until 10 grep -q 'the daemon has stopped' "$work/follower.log" || wrong "a follower keeps the daemon: $(cat "$work/follower.log")"
    start_daemon
    wait_until 10 test "$(grep -c 'the daemon is ready' "$work/follower.log")" -ge 1 || wrong "the follower does not come back"
    accepted removed crosspoint route remove lonely
    inside node ip link delete spare
    stop "$follower"
    right "events: $(wc -l <"$work/follower.log") lines for the follower"
}

# A daemon that starts with a file which was broken since runs with what the file said before, and says so; mended, it is read.
broken_start() {
    cp "$work/crosspoint.yaml" "$work/good.yaml"
    stop "$daemon" KILL
    printf 'routes:\n  steady:\n    from: 239' >>"$work/crosspoint.yaml"
    start_daemon
    still_forwards steady "daemon started with a broken file"
    accepted 'degraded: the node runs with the configuration that it had before: .*half written' crosspoint events --severity error
    accepted '"problem":".*half written' inside node curl -sS --unix-socket "$work/control.sock" http://x/v1/node
    inside node curl -sS --max-time 2 rtsp://127.0.0.1:8554/ >/dev/null 2>"$work/err" || grep -q 'RTSP' "$work/err" ||
        inside node ss -ltn | grep -q ':8554 ' || wrong "the RTSP listener is away: $(cat "$work/err")"
    cp "$work/good.yaml" "$work/crosspoint.yaml"
    accepted '0 routes added' crosspoint config reload
    if inside node curl -sS --unix-socket "$work/control.sock" http://x/v1/node | grep -q problem; then
        wrong "the node is still degraded after a reload"
    fi
    # Where the node has not run before, a broken file is an error.
    cp "$work/crosspoint.yaml" "$work/fresh.yaml"
    sed -i "s|$work/runtime|$work/fresh-runtime|" "$work/fresh.yaml"
    printf 'routes:\n  steady:\n    from: 239' >>"$work/fresh.yaml"
    refused 1 "fresh.yaml:[0-9]+: .*half written" run --config "$work/fresh.yaml"
}

if [ "$(id -u)" -ne 0 ]; then
    say "an operator's day: skipped, needs root"
    exit 77
fi
CROSSPOINT="${CROSSPOINT:-$repository/.build/debug/crosspoint}"
[ -x "$CROSSPOINT" ] || die "$CROSSPOINT: not there; build it first (swift build)"
begin crosspoint-operator
say "an operator's day:"
chmod 755 "$work"

make_studio
make_bpffs_directory
wrong_configurations
without_daemon
write_configuration
sed -i 's/listen: off/listen: 127.0.0.1:9464/' "$work/crosspoint.yaml"
printf 'limits: {flows: 64, legs: 64}\n' >>"$work/crosspoint.yaml"
# docs/api.md has requests for the RTSP proxy.
echo 'rtsp: {listen: [8554]}' >>"$work/crosspoint.yaml"
start_daemon

accepted added crosspoint route add steady --from 239.5.5.5:5004@eth0,source=10.1.0.7 --to 10.2.0.5:5014@eth1
start receiver receiver.log "$python" "$repository/scripts/lib/rtp_sequence.py" receive steady=10.2.0.5:5014
receiver=$started
wait_until 5 grep -q ready "$work/receiver.log" || die "the receiver does not start: $(tail -n 1 "$work/receiver.log")"
start camera camera.log "$python" "$repository/scripts/lib/rtp_sequence.py" send --rate $packets_per_second \
    steady=239.5.5.5:5004 configured=239.5.5.6:5004
sender=$started
wait_until 5 forwards steady || die "the flow does not come in"

without_privileges
wrong_routes
still_forwards steady "after all that was refused"
api_examples
reload
save
probe
metrics
events
explanations
restart
broken_start
full_table

stop "$sender"
sleep 0.3
stop "$receiver"
sent="$(sed -n 's/^steady sent //p' "$work/camera.log")"
line="$(grep "^steady received " "$work/receiver.log")"
if [ "$line" = "steady received $sent missing 0 duplicated 0" ]; then
    right "all of $sent packets of the flow arrived, each once"
else
    wrong "$sent packets sent, ${line#* }"
fi
crosspoint stats --json >"$work/statistics.json"
if "$python" "$repository/scripts/lib/statistics.py" agrees "$work/statistics.json" "steady=$sent" >"$work/out"; then
    right "the counters agree"
else
    wrong "the counters: $(cat "$work/out")"
fi

if [ "$wrongs" -gt 0 ]; then
    say "an operator's day: $wrongs things wrong"
    exit 1
fi
say "an operator's day: passed"
