#!/bin/bash
# Faults of every kind between a camera and a receiver, and the cause that `crosspoint why` names for each.
#
#   sudo scripts/tests/why.sh [FAULT…]
#
# CROSSPOINT names the binary to test; without it, the debug build of this checkout. With arguments, only the faults of those names.
#
#     camera cam0 --- eth0 node eth1 --- rx1 receiver          another camera at eth2: cam2
#
# Exit code: 0 right, 1 wrong, 77 skipped for want of root.
set -euo pipefail
# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

CROSSPOINT=${CROSSPOINT:-$repository/.build/debug/crosspoint}
wanted=("$@")
senders=()
faults=0

make_studio() {
    local role
    for role in camera node receiver; do make_namespace "$role"; done
    make_link camera cam0 node eth0
    make_link camera cam2 node eth2
    make_link node eth1 receiver rx1
    make_link node eth3 receiver rx3
    inside node ip address add 10.1.0.1/24 dev eth0
    inside node ip address add 10.4.0.1/24 dev eth2
    inside node ip address add 10.2.0.1/24 dev eth1
    inside node ip address add 10.5.0.1/24 dev eth3
    inside node ip route add 10.9.0.0/24 via 10.2.0.5 dev eth1
    inside receiver ip address add 10.2.0.5/24 dev rx1
    inside receiver ip address add 10.5.0.5/24 dev rx3
}

# Routes that cannot be carried: they wait, with the reason.
configuration_of_faults() {
    write_configuration
    cat >>"$work/crosspoint.yaml" <<ROUTES
ports: [eth0, eth1, eth2, eth3]
keys-directory: $work/keys
routes:
  unplugged: {from: "239.9.1.1:5004@eth9", to: ["10.2.0.5:6001@eth1"]}
  unplugged-leg: {from: "239.9.1.2:5004@eth0", to: ["10.2.0.5:6002@eth9"]}
  foreign: {from: "10.77.0.1:5004@eth0", to: ["10.2.0.5:6003@eth1"]}
  too-much: {from: "239.9.1.4:5004@eth0", to: ["10.2.0.5:6004@eth1"], rate: 20Gb/s}
  looped: {from: "239.9.1.5:5004@eth0", to: ["239.9.1.5:5004@eth0"]}
ROUTES
}

# send INTERFACE FLOW…: the camera's packets, from now on.
send() {
    local interface=$1
    shift
    start camera senders.log "$python" "$repository/scripts/lib/send_frames.py" --interface "$interface" "$@"
    senders+=("$started")
}

silence() {
    local pid
    for pid in "${senders[@]}"; do stop "$pid" KILL; done
    senders=()
}

chosen() {
    [ "${#wanted[@]}" -gt 0 ] || return 0
    local name
    for name in "${wanted[@]}"; do if [ "$name" = "$1" ]; then return 0; fi; done
    return 1
}

# names CAUSE ROUTE [PATTERN]: `why ROUTE` ends with that cause ("healthy" for none), the right exit code, and a conclusion or remedy
# that matches.
names() {
    local cause=$1 route=$2 pattern=${3-.} status=0 found
    crosspoint why "$route" --seconds "${look-0.7}" --json >"$work/why.json" 2>"$work/why.err" || status=$?
    found="$("$python" -c '
import json, sys
found = json.load(open(sys.argv[1]))
print(found.get("cause") or ("healthy" if found["isHealthy"] else "none"), found["conclusion"], found.get("remedy") or "", sep="\n")' \
        "$work/why.json" 2>&1)" || true
    faults=$((faults + 1))
    if [ "$(head -n 1 <<<"$found")" != "$cause" ]; then
        wrong "$route: $(tr '\n' ' ' <<<"$found")$(cat "$work/why.err"), not $cause"
    elif [ "$status" -ne "$([ "$cause" = healthy ] && echo 0 || echo 1)" ] || [ -s "$work/why.err" ]; then
        wrong "$route: exit code $status, $(cat "$work/why.err")"
    elif ! tr '\n' ' ' <<<"$found" | grep -q -E -- "$pattern"; then
        wrong "$route: '$pattern' is not in: $found"
    else
        right "$cause: $(tail -n +2 <<<"$found" | tr '\n' ' ')"
    fi
}

number=0
# fault CAUSE FLOW ROUTE-ARGUMENTS…: a route of its own, packets as FLOW says ("none", or of the route's group, GROUP in it), and the
# cause that must be named. PATTERN is what the text must match.
fault() {
    local cause=$1 flow=$2
    shift 2
    number=$((number + 1))
    local route="fault-$number" group="239.1.2.$number" from
    chosen "$cause" || return 0
    from=${FROM-GROUP:5004@eth0}
    local arguments=()
    for word in "$@"; do arguments+=("${word//GROUP/$group}"); done
    if ! crosspoint route add "$route" --from "${from//GROUP/$group}" "${arguments[@]}" >"$work/out" 2>&1; then
        wrong "$cause: route add: $(cat "$work/out")"
        return 0
    fi
    # shellcheck disable=SC2086  # several flows are several words
    [ "$flow" = none ] || send "${PORT-cam0}" ${flow//GROUP/$group}
    [ "$flow" = none ] || sleep 0.3
    names "$cause" "$route" "${PATTERN-.}"
    silence
    crosspoint route remove "$route" >/dev/null
}

to=(--to "10.2.0.5:7000@eth1")

at_the_port() {
    say "== packets at the port"
    inside node ethtool -K eth0 rxvlan off >/dev/null
    PATTERN='healthy' fault healthy "dst=GROUP" "${to[@]}"
    fault no-packets none "${to[@]}"
    PATTERN='10.1.0.7.*TTL 1' fault ttl-expired "dst=GROUP,ttl=1" "${to[@]}"
    PATTERN='VLAN 100.*eth0.100' fault wrong-vlan "dst=GROUP,vlan=100" "${to[@]}"
    FROM='GROUP:5004@eth0.100,join=off' PATTERN='no VLAN tag' fault wrong-vlan "dst=GROUP" "${to[@]}"
    PATTERN='port 5006' fault wrong-udp-port "dst=GROUP,dport=5006" "${to[@]}"
    PATTERN='239.7.7.7:5004' fault wrong-group "dst=239.7.7.7" "${to[@]}"
    FROM='GROUP:5004@eth0,source=10.1.0.7' PATTERN='take .*239.7.7.8:6000' fault wrong-group "dst=239.7.7.8,dport=6000 dst=239.7.7.9,src=10.1.0.8" "${to[@]}"
    fault fragments "dst=GROUP,fragments=yes,size=1000" "${to[@]}"
    fault ip-options "dst=GROUP,options=yes" "${to[@]}"
    PATTERN='MPEG-TS.*payload: raw' fault not-rtp "dst=GROUP,kind=ts" "${to[@]}"
    fault not-rtp "dst=GROUP,kind=other" "${to[@]}"
    FROM='GROUP:5004@eth0,source=10.1.0.9' PATTERN='10.1.0.7:5004.*10.1.0.9' fault wrong-source "dst=GROUP" "${to[@]}"
    FROM='GROUP:5004@eth0,source-port=6000' fault wrong-source "dst=GROUP" "${to[@]}"
    PATTERN='10.1.0.[78].*10.1.0.[78]' fault two-senders "dst=GROUP dst=GROUP,src=10.1.0.8,ssrc=7" "${to[@]}"
    PORT=cam2 PATTERN='eth2.*@eth2' fault sender-at-other-port "dst=GROUP" "${to[@]}"
    FROM='GROUP:5004@eth0,join=off' fault not-joined none "${to[@]}"
    fault martian-source "dst=GROUP,src=127.0.0.1" "${to[@]}"
    fault damaged-packets "dst=GROUP,damage=yes" "${to[@]}"
    fault own-packets "dst=GROUP,smac=$(mac_of eth0)" "${to[@]}"
    FROM='10.1.0.1:5004@eth0' fault wrong-mac "dst=10.1.0.1,mac=02:00:00:00:00:99" "${to[@]}"
    PATTERN='90000' fault payload-type "dst=GROUP,pt=0" "${to[@]}" --clock 90000
    PATTERN='100.0 Mb/s' fault rate-differs "dst=GROUP" "${to[@]}" --rate 100Mb/s
    if chosen loss; then
        look=2.5 fault loss "dst=GROUP,lose=5" "${to[@]}"
    fi
    inside node ethtool -K eth0 rxvlan on >/dev/null 2>&1 || true
    if inside node ethtool -k eth0 | grep -q 'rx-vlan-offload: on'; then
        FROM='GROUP:5004@eth0.100,join=off' PATTERN='rxvlan off' fault vlan-stripped "dst=GROUP" "${to[@]}"
    fi
    inside node ethtool -K eth0 rxvlan off >/dev/null 2>&1 || true
}

at_the_legs() {
    say "== legs"
    fault no-legs "dst=GROUP"
    fault leg-unresolved "dst=GROUP" --to 10.2.0.77:7000@eth1
    fault leg-unroutable "dst=GROUP" --to 10.66.0.1:7000@eth1
    PATTERN='gateway 10.2.0.5|10.2.0.5 at' fault leg-ttl "dst=GROUP" --to 10.9.0.5:7000@eth1,ttl=1
    inside node ip link set eth3 mtu 900
    PATTERN='MTU' fault leg-mtu "dst=GROUP,size=1000" --to 10.5.0.5:7000@eth3
    PATTERN='MTU' fault leg-mtu "dst=GROUP,size=1000" --to 239.3.3.3:7000@eth3
    inside node ip link set eth3 mtu 1500
    inside receiver ip link set rx3 down
    PATTERN='eth3' fault leg-link-down "dst=GROUP" --to 239.3.3.3:7000@eth3
    inside receiver ip link set rx3 up
}

of_keys() {
    say "== keys"
    chosen wrong-key || return 0
    "$CROSSPOINT" key new wan --profile AES_CM_128_HMAC_SHA1_80 --directory "$work/keys" >"$work/out"
    FROM='GROUP:5004@eth0,srtp=wan' PATTERN='wan' fault wrong-key "dst=GROUP" "${to[@]}"
}

of_intent() {
    say "== routes that are not carried"
    if chosen route-refused; then
        names route-refused foreign '10.77.0.1'
        names route-refused too-much '20.00 Gb/s'
        names route-refused looped 'loop'
    fi
    if chosen interface-missing; then
        names interface-missing unplugged 'eth9'
        send cam0 dst=239.9.1.2
        sleep 0.3
        names interface-missing unplugged-leg 'eth9'
        silence
    fi
    if chosen route-unknown; then names route-unknown unpluged "Did you mean 'unplugged'"; fi
    if chosen port-down; then
        crosspoint route add down --from 239.1.3.1:5004@eth2 "${to[@]}" >/dev/null
        inside camera ip link set cam2 down
        wait_until 5 is_down eth2 || true
        names port-down down 'eth2'
        inside camera ip link set cam2 up
        crosspoint route remove down >/dev/null
    fi
}

# Not from /sys, which is that of the host's own namespace.
is_down() { ! inside node ip link show "$1" | grep -q LOWER_UP; }
mac_of() { inside node ip -o link show "$1" | sed 's/.*ether \([0-9a-f:]*\).*/\1/'; }

# What a scan leaves, and what a killed daemon leaves: nothing but what was there before.
of_the_daemon() {
    chosen daemon-dead || return 0
    say "== daemon"
    crosspoint route add steady --from 239.1.4.1:5004@eth0 "${to[@]}" >/dev/null
    send cam0 dst=239.1.4.1
    local before scanning
    before="$(kernel_objects)"
    crosspoint scan eth0 --seconds 20 >/dev/null 2>&1 &
    scanning=$!
    sleep 1
    stop "$daemon" KILL
    wait "$scanning" || true
    names daemon-dead steady 'fast path goes on'
    sleep 1.2
    if [ "$(kernel_objects)" = "$before" ]; then
        right "a daemon that is killed during a scan leaves what was there before it"
    else
        wrong "left behind: $(diff <(echo "$before") <(kernel_objects))"
    fi
    start_daemon
    names healthy steady
    crosspoint scan eth0 --seconds 20 >/dev/null 2>&1 &
    scanning=$!
    sleep 1
    kill -KILL "$scanning"
    wait "$scanning" 2>/dev/null || true
    if crosspoint scan eth0 --seconds 0.5 | grep -q steady; then right "a killed command holds nobody up"; else wrong "no scan after a killed one"; fi
    silence
}

# Pins, and the programs of the ports.
kernel_objects() {
    find "$bpffs" | sort
    inside node ip -d link show | grep -o 'prog/xdp id [0-9]*' || true
}

require_root
begin why
make_bpffs_directory
make_studio
configuration_of_faults
start_daemon
at_the_port
at_the_legs
of_keys
of_intent
of_the_daemon
say "$faults faults, $wrongs wrong"
[ "$wrongs" -eq 0 ]
