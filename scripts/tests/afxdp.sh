#!/bin/bash
# The AF_XDP engine in the daemon as a whole: moved to, moved from, stopped, killed and started again, while media runs.
#
#   sudo scripts/tests/afxdp.sh
#
# CROSSPOINT names the binary to test; without it, the debug build of this checkout.
#
# A camera's flow goes through the node to two receivers' UDP ports, where each packet is known by its number. Moves between engines and a daemon
# that is stopped lose nothing and send nothing twice; a daemon that is killed loses what its worker had at that moment, and not more.
# Statistics say which engine has the flow, with the daemon running or dead. Bad input is refused in one line.
#
#     camera cam0 --- eth0 node eth1 --- rx1 receiver
#
# Exit code: 0 right, 1 wrong, 77 skipped for want of root.
set -euo pipefail
# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

packets_per_second=2000
# What the rings of a worker hold.
largest_loss=2048

send() {
    start camera "$1.camera.log" "$python" "$repository/scripts/lib/rtp_sequence.py" send --rate "$packets_per_second" cam=239.1.1.10:5004
    sender=$started
    wait_until 10 grep -q ready "$work/$1.camera.log" || die "the camera does not start: $(tail -n 1 "$work/$1.camera.log")"
}

receive() {
    start receiver "$1.receiver.log" "$python" "$repository/scripts/lib/rtp_sequence.py" receive first=10.2.0.5:5004 second=10.2.0.5:5006
    receiver=$started
    wait_until 10 grep -q ready "$work/$1.receiver.log" || die "the receiver does not start: $(tail -n 1 "$work/$1.receiver.log")"
}

# What statistics say carries the flow.
engine() { crosspoint stats --json 2>/dev/null | "$python" -c 'import json, sys; print(json.load(sys.stdin)["flows"][0]["engine"])'; }
engine_is() { [ "$(engine)" = "$1" ]; }

# expect_engine NAME WHEN
expect_engine() {
    if wait_until 20 engine_is "$1"; then right "$2: the engine is $1"; else wrong "$2: the engine is $(engine)"; fi
}

# How many packets the flow has had: to wait until some more have come.
packets() { crosspoint stats --json 2>/dev/null | "$python" -c 'import json, sys; print(json.load(sys.stdin)["flows"][0]["packets"])'; }
has_more_than() { [ "$(packets)" -gt "$1" ]; }
let_some_come() { wait_until 20 has_more_than $(($(packets) + 500)) || wrong "$1: no packets come"; }

# refused WORDS COMMAND…: the command fails with one line that has these words.
refused() {
    local words=$1 output
    shift
    if output="$(crosspoint "$@" 2>&1)"; then
        wrong "$*: was not refused"
    elif [ "$(wc -l <<<"$output")" -eq 1 ] && grep -q -- "$words" <<<"$output"; then
        right "$words: refused in one line"
    else
        wrong "$*: said: $output"
    fi
}

# check_media RUN LARGEST-LOSS
check_media() {
    local sent line name missing
    sent="$(sed -n 's/^cam sent //p' "$work/$1.camera.log")"
    for name in first second; do
        line="$(grep "^$name received " "$work/$1.receiver.log")"
        # Each packet counts once, since none came twice.
        missing=${line#* received }
        missing=$((sent - ${missing%% *}))
        case $line in
            *" duplicated 0") ;;
            *) wrong "$1, leg $name: came twice: $line" ;;
        esac
        if [ "$missing" -ge 0 ] && [ "$missing" -le "$2" ]; then
            right "$1, leg $name: $missing of $sent packets missing, at most $2 may be"
        else
            wrong "$1, leg $name: $sent sent, $line"
        fi
    done
}

# finish_run NAME LARGEST-LOSS: waits until the receiver has what is on its way.
finish_run() {
    stop "$sender"
    sleep 1
    stop "$receiver"
    check_media "$1" "$2"
}

if [ "$(id -u)" -ne 0 ]; then
    say "AF_XDP engine: skipped, needs root"
    exit 77
fi
CROSSPOINT="${CROSSPOINT:-$repository/.build/debug/crosspoint}"
[ -x "$CROSSPOINT" ] || die "$CROSSPOINT: not there; build it first (swift build)"
begin crosspoint-afxdp
say "AF_XDP engine:"

make_small_studio
make_bpffs_directory
write_configuration
printf 'afxdp:\n  frames: 2048\n' >>"$work/crosspoint.yaml"
start_daemon
refused "is unknown" route add cam --from 239.1.1.10:5004@eth0 --to 10.2.0.5:5004@eth1 --engine dpdk
crosspoint route add cam --from 239.1.1.10:5004@eth0 --to 10.2.0.5:5004@eth1 >>"$work/route.log" 2>&1 ||
    die "route cam: $(tail -n 1 "$work/route.log")"
crosspoint leg add cam 10.2.0.5:5006@eth1 >>"$work/route.log" 2>&1 || die "leg: $(tail -n 1 "$work/route.log")"
legs_send() { [ "$(crosspoint route show cam | grep -c active)" -eq 2 ]; }
wait_until 20 legs_send || die "the legs do not send: $(crosspoint route show cam)"

receive moves
send moves
let_some_come "kernel"
expect_engine kernel "at first"
for engine_wanted in afxdp kernel afxdp; do
    crosspoint route set cam --engine $engine_wanted >>"$work/route.log" 2>&1 || wrong "set: $(tail -n 1 "$work/route.log")"
    expect_engine $engine_wanted "moved"
    let_some_come "$engine_wanted"
done
if crosspoint stats | grep -q "AF_XDP PORT"; then right "stats show the sockets"; else wrong "stats show no sockets"; fi
stop "$daemon" TERM
expect_engine kernel "daemon stopped"
let_some_come "daemon stopped"
start_daemon
expect_engine afxdp "daemon started again"
let_some_come "daemon started again"
finish_run moves 0

receive kill
send kill
let_some_come "afxdp"
stop "$daemon" KILL
expect_engine kernel "daemon killed"
let_some_come "daemon killed"
start_daemon
expect_engine afxdp "daemon started once more"
let_some_come "daemon started once more"
finish_run kill $largest_loss

# Too little locked memory: the capability that makes it unlimited is taken away.
stop "$daemon" TERM
daemon_launcher=(prlimit --memlock=65536:65536 setpriv --bounding-set -ipc_lock --inh-caps -ipc_lock)
start_daemon
refused "locked memory" route add more --from 239.1.1.11:5004@eth0 --to 10.2.0.5:5008@eth1 --engine afxdp
if crosspoint route show cam | grep -q "locked memory"; then
    right "a route that runs goes on in the kernel engine, and says why"
else
    wrong "route show says: $(crosspoint route show cam | grep engine)"
fi

if [ "$wrongs" -gt 0 ]; then
    say "AF_XDP engine: $wrongs things wrong"
    exit 1
fi
say "AF_XDP engine: passed"
