#!/bin/bash
# The files of the quick starts (packaging/examples, docs/quick-starts), each run by a daemon, with media where it is a matter of routes.
#
#   sudo scripts/tests/quick-starts.sh
#
# CROSSPOINT names the binary to test; without it, the debug build of this checkout.
#
#     camera cam0 10.1.0.7, .21 --- eth0 node eth1 --- rx1 receiver
#     node wan0 198.51.100.1 --- 198.51.100.2 wan0 far eth1 --- rx2 far-receiver
#
# Exit code: 0 right, 1 wrong, 77 skipped for want of root.
set -euo pipefail
# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

[ "$(id -u)" -eq 0 ] || { say "skipped: needs root" && exit 77; }
CROSSPOINT="${CROSSPOINT:-$repository/.build/debug/crosspoint}"
examples="$repository/packaging/examples"

make_networks() {
    local role
    for role in camera node receiver far far-receiver; do make_namespace "$role"; done
    make_link camera cam0 node eth0
    make_link node eth1 receiver rx1
    make_link node wan0 far wan0
    make_link far eth1 far-receiver rx2
    inside camera ip address add 10.1.0.7/24 dev cam0
    inside camera ip address add 10.1.0.21/24 dev cam0
    inside camera ip route add 224.0.0.0/4 dev cam0
    inside node ip address add 10.1.0.1/24 dev eth0
    inside node ip address add 10.2.0.1/24 dev eth1
    inside receiver ip address add 10.2.0.5/24 dev rx1
    inside node ip address add 198.51.100.1/24 dev wan0
    inside far ip address add 198.51.100.2/24 dev wan0
    inside far ip address add 10.3.0.1/24 dev eth1
    inside far-receiver ip address add 10.3.0.5/24 dev rx2
    local group
    for group in 239.169.1.1 239.9.1.10 239.9.1.11 239.9.1.12; do inside receiver ip address add "$group/32" dev rx1 autojoin; done
    inside far-receiver ip address add 239.1.1.10/32 dev rx2 autojoin
}

# run ROLE EXAMPLE: a daemon in the namespace with the example's file, and everything of its own beside it; its process id is in $started.
run() {
    local role=$1 directory="$work/$1"
    mkdir -p "$directory/runtime" "$directory/state" "$bpffs/$role"
    cat "$examples/$2.yaml" - >"$directory/crosspoint.yaml" <<CONFIGURATION
runtime-directory: $directory/runtime
state-directory: $directory/state
keys-directory: $work/keys
bpffs: $bpffs/$role
control:
  socket: $directory/control.sock
metrics:
  listen: off
CONFIGURATION
    start "$role" "$role.log" "$CROSSPOINT" run --config "$directory/crosspoint.yaml"
    wait_until 20 at "$role" route list || die "$2: the daemon does not answer: $(tail -n 1 "$work/$role.log")"
}
at() {
    local role=$1
    shift
    inside "$role" "$CROSSPOINT" "$@" --socket "$work/$role/control.sock"
}
all_active() {
    at "$1" route list --json >"$work/routes.json"
    ! grep -qE '"state" *: *"(unresolved|link-down|unroutable|shut|no-worker)"' "$work/routes.json" && grep -q '"active"' "$work/routes.json"
}
# leave ROLE PID: ends a daemon and what it left.
leave() {
    stop "$2"
    inside "$1" "$CROSSPOINT" unload --config "$work/$1/crosspoint.yaml" >/dev/null || wrong "unload at $1"
}

# media TEXT RECEIVER "NAME=PLACE…" "NAME=PLACE…": what is sent to the second places must all come to the first ones.
media() {
    local text=$1 role=$2 receivers senders sender receiver name sent line
    read -ra receivers <<<"$3"
    read -ra senders <<<"$4"
    start "$role" receiver.log "$python" "$repository/scripts/lib/rtp_sequence.py" receive "${receivers[@]}"
    receiver=$started
    sleep 1
    start camera camera.log "$python" "$repository/scripts/lib/rtp_sequence.py" send --rate 500 "${senders[@]}"
    sender=$started
    sleep 3
    stop "$sender"
    sleep 1
    stop "$receiver"
    for name in "${receivers[@]%%=*}"; do
        sent="$(sed -n "s/^${name%-*} sent //p" "$work/camera.log" | tail -n 1)"
        line="$(grep "^$name received" "$work/receiver.log" | tail -n 1)"
        if [ "${sent:-0}" -gt 500 ] && [ "$line" = "$name received $sent missing 0 duplicated 0" ]; then
            right "$text: $line"
        else
            wrong "$text: of $sent packets: $line"
        fi
    done
}

begin quick-starts
make_networks
make_bpffs_directory

say "AES67 and Dante"
run node aes67
daemon=$started
wait_until 10 all_active node || wrong "legs: $(cat "$work/routes.json")"
media "stagebox 1" receiver "one-group=239.169.1.1:5004 one-unicast=10.2.0.5:5004" "one=239.69.1.1:5004"
leave node "$daemon"

say "two sites"
"$CROSSPOINT" key new wan --link --directory "$work/keys" >/dev/null
run far two-sites-receiver
far=$started
run node two-sites-sender
daemon=$started
wait_until 10 all_active node || wrong "legs: $(cat "$work/routes.json")"
wait_until 10 all_active far || wrong "legs: $(cat "$work/routes.json")"
media "programme" far-receiver "programme-there=239.1.1.10:5004" "programme=239.1.1.10:5004"
leave node "$daemon"
leave far "$far"

say "ST 2110 gateway"
run node st2110-gateway
daemon=$started
wait_until 10 all_active node || wrong "legs: $(cat "$work/routes.json")"
media "camera 1" receiver "video-group=239.9.1.10:5004 video-multiviewer=10.2.0.5:5004 audio-group=239.9.1.11:5004 audio-multiviewer=10.2.0.5:5006 anc-group=239.9.1.12:5004" \
    "video=239.1.1.10:5004 audio=239.1.1.11:5004 anc=239.1.1.12:5004"
leave node "$daemon"

# Sessions are what rtsp-interop.sh and sip-interop.sh are about; here the file does what its page says of the daemon.
say "RTSP wall and SIP codecs"
run node rtsp-wall
daemon=$started
if at node rtsp route list | grep -q wall; then right "the wall's routes are there"; else wrong "no wall"; fi
leave node "$daemon"
run node sip-codecs
daemon=$started
if at node sip registrations >"$work/out" 2>&1; then right "the registrar is there"; else wrong "$(cat "$work/out")"; fi
leave node "$daemon"

[ $wrongs -eq 0 ] || die "$wrongs things are wrong"
say "the quick starts: passed"
