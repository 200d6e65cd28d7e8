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
# served beside it. Bounds: 256 MiB of memory, half of the descriptors, none of the good client's transactions refused, and 99 % of
# them within 100 ms.
#
# Exit code: 0 right, 1 wrong, 77 skipped for want of root.
set -euo pipefail
# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=../lib/abuse/abuse.sh source-path=SCRIPTDIR
. "$repository/scripts/lib/abuse/abuse.sh"

# A case is a function `case_NAME` with dashes as underscores; it calls `attack` and says what else must hold.
cases=(rtsp-sessions rtsp-legs rtsp-paths rtsp-pipeline rtsp-memory rtsp-connections rtsp-connections-ipv6 rtsp-slow rtsp-passwords)
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
