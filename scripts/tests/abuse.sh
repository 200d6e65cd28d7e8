#!/bin/bash
# Clients and programs that mean harm, against the daemon in network namespaces: what they can take, and what others notice of it.
#
#   sudo scripts/tests/abuse.sh [--list] [--only CASE]… [--seconds SECONDS]
#
#   --list       says which cases there are
#   --only       runs only these
#   --seconds    how long each attack lasts (8)
#
# CROSSPOINT names the binary to test; without it, a release build of this checkout. While an attack runs, a well-behaved client is
# served beside it, RTSP or SIP. Bounds: 256 MiB of memory, half of the descriptors, none of the good client's transactions refused, and 99 % of
# them within 100 ms.
#
# Exit code: 0 right, 1 wrong, 77 skipped for want of root.
set -euo pipefail
# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=../lib/abuse/abuse.sh source-path=SCRIPTDIR
. "$repository/scripts/lib/abuse/abuse.sh"

# A case is a function `case_NAME` with dashes as underscores; it calls `attack` and says what else must hold.
cases=(rtsp-sessions rtsp-legs rtsp-paths rtsp-pipeline rtsp-memory rtsp-connections rtsp-connections-ipv6 rtsp-slow rtsp-passwords
    sip-cancels sip-dialogs sip-elsewhere sip-invites sip-names sip-connections)
seconds=8

configure() {
    write_configuration
    # The owner may write the file of users, and nobody else read it.
    (umask 077 && printf 'secret\n' | "$CROSSPOINT" user add alice --file "$work/users" --realm studio >/dev/null)
    cat >>"$work/crosspoint.yaml" <<CONFIGURATION
rtsp:
  listen: ["8554"]
  users-file: $work/users
  realm: studio
  routes:
    - {name: cam, path: /cam, upstream: "rtsp://10.67.0.2:8554/cam", on-demand: false}
    - {name: fast, path: /fast, upstream: "rtsp://10.67.0.2:8554/fast"}
    - {name: silent, path: /silent, upstream: "rtsp://10.67.0.2:8555/silent"}
    - {name: pre, prefix: /pre, upstream: "rtsp://10.67.0.2:8554/pre"}
    - {name: closed, path: /closed, upstream: "rtsp://10.67.0.2:8554/closed", read: any-user}
sip:
  listen: [5060]
  allow: [10.66.0.0/25]
  registrar: {allow: [10.66.0.0/25]}
  dial-plan:
    - {name: desk, user: desk, to: 'sip:10.67.0.2:5070'}
    - {name: devices, to: registered}
CONFIGURATION
}

# rtsp_attack KIND SOURCE…: an attack of rtsp_attacks.py over IPv4, with a good RTSP client beside it.
rtsp_attack() {
    local kind=$1 host=10.66.0.1
    shift
    case $1 in *:*) host=fd66::1 ;; esac
    good_command=("$python" "$abuse/good.py" 10.66.0.1 8554 /cam "$good_client")
    attack "$kind" "$seconds" "$python" "$abuse/rtsp_attacks.py" "${kind%-ipv6}" "$host" 8554 "$seconds" "$@"
}

case_rtsp_sessions() { rtsp_attack sessions "${attackers[0]}"; }
case_rtsp_legs() { rtsp_attack legs "${attackers[0]}"; }
case_rtsp_paths() { rtsp_attack paths "${attackers[0]}"; }
case_rtsp_pipeline() { rtsp_attack pipeline "${attackers[0]}"; }
case_rtsp_memory() { rtsp_attack memory "${attackers[@]}"; }
case_rtsp_connections() { rtsp_attack connections "${attackers[@]}"; }
case_rtsp_connections_ipv6() { rtsp_attack connections-ipv6 fd66::1:16 fd66::2:16 fd66::3:16 fd66::4:16; }
case_rtsp_slow() { rtsp_attack slow "${attackers[0]}"; }
case_rtsp_passwords() {
    local before lines
    before="$(log_lines 'wrong')"
    rtsp_attack passwords "${attackers[0]}"
    lines=$(($(log_lines 'wrong') - before))
    if [ "$lines" -le $((20 + 2 * seconds)) ]; then right "$lines lines of the log"; else wrong "$lines lines of the log"; fi
}

# sip_attack KIND SOURCE…: an attack of sip_attacks.py, with a good SIP device beside it.
sip_attack() {
    local kind=$1
    shift
    good_command=("$python" "$abuse/good_sip.py" 10.66.0.1 5060 "$good_client")
    attack "sip-$kind" "$seconds" "$python" "$abuse/sip_attacks.py" "$kind" 10.66.0.1 5060 "$seconds" "$@"
}

# answered_less KIND: whether fewer bytes came back than were sent: nothing is amplified.
answered_less() {
    local verdict
    if verdict="$("$python" -c 'import json, sys
told = json.loads(open(sys.argv[1]).read().splitlines()[-1])
print(told["bytes answered"], "bytes answered,", told["bytes sent"], "sent")
sys.exit(told["bytes answered"] > told["bytes sent"] or told["sent"] < 1000)' "$work/sip-$1.attack")"; then
        right "$verdict"
    else
        wrong "$verdict"
    fi
}

case_sip_cancels() { sip_attack cancels "${attackers[0]}" && answered_less cancels; }
case_sip_dialogs() { sip_attack dialogs "${attackers[0]}" && answered_less dialogs; }
case_sip_elsewhere() {
    local listener
    # Takes what the node sends to the place that the Via names.
    start inside elsewhere.received "$python" -c 'import socket, sys
taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
taken.bind(("10.67.0.2", 5099))
print("ready", flush=True)
while True: print("taken", taken.recv(65536)[:40], flush=True)'
    listener=$started
    wait_until 5 grep -q ready "$work/elsewhere.received" || die "the listener of the other network does not start"
    sip_attack elsewhere "${attackers[0]}"
    stop "$listener"
    answered_less elsewhere
    if grep -q taken "$work/elsewhere.received"; then
        wrong "the other network was sent $(grep -c taken "$work/elsewhere.received") answers"
    else
        right "nothing was sent to where the Via names"
    fi
}
case_sip_invites() { sip_attack invites "$allowed_client" && answered_less invites; }
case_sip_names() { sip_attack names "$allowed_client" && answered_less names; }
case_sip_connections() { sip_attack connections "${attackers[@]}"; }

only=()
while [ $# -gt 0 ]; do
    case $1 in
        --list) printf '%s\n' "${cases[@]}" && exit 0 ;;
        --only) only+=("${2:?}") && shift ;;
        --seconds) seconds=${2:?} && shift ;;
        --help | -h) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" && exit 0 ;;
        *) die "$1: not an option (see $0 --help)" ;;
    esac
    shift
done
for name in "${only[@]}"; do
    [[ " ${cases[*]} " == *" $name "* ]] || die "$name: not a case; there are: ${cases[*]}"
done
[ ${#only[@]} -eq 0 ] || cases=("${only[@]}")
if [ "$(id -u)" -ne 0 ]; then
    say "skipped: needs root, to make network namespaces and load XDP programs"
    exit 77
fi
needs_daemon
begin crosspoint-abuse
make_abuse_network
make_bpffs_directory
configure
start inside camera.log "$python" "$abuse/camera.py" 10.67.0.2 8554 --silent 8555
wait_until 10 grep -q ready "$work/camera.log" || die "the camera: $(tail -n 1 "$work/camera.log")"
start_abused_daemon
for name in "${cases[@]}"; do
    say "$name"
    "case_${name//-/_}"
done
say ""
say "${#cases[@]} cases, $wrongs wrong"
[ "$wrongs" -eq 0 ]
