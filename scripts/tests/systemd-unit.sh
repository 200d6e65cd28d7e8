#!/bin/bash
# The daemon as the systemd unit runs it: the unit is well formed, and its capabilities are enough for an ordinary user.
#
#   sudo scripts/tests/systemd-unit.sh
#
# CROSSPOINT names the binary to test; without it, the debug build of this checkout.
#
# A user that has no account here, with exactly the capabilities that packaging/systemd/crosspoint.service names, and none to be
# had later, loads the fast path, attaches, adds routes, forwards, counts, reads its configuration again, dies, and takes over
# what it left. What systemd itself adds (its sandbox, its file descriptor store) is not part of this test.
#
#     camera cam0 --- eth0 node eth1 --- rx1 receiver
#
# Exit code: 0 right, 1 wrong, 77 skipped for want of root.
set -euo pipefail
# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

unit="$repository/packaging/systemd/crosspoint.service"
user=64055

verify_unit() {
    if ! command -v systemd-analyze >/dev/null; then
        say "  systemd-analyze is not installed: the unit's form is not checked"
        return
    fi
    # The binary and the user of the unit are not installed here.
    sed -e "s|/usr/bin/crosspoint|$CROSSPOINT|" -e '/^\(User\|Group\)=/d' "$unit" >"$work/crosspoint.service"
    if systemd-analyze verify --man=no "$work/crosspoint.service" >"$work/verify" 2>&1 && [ ! -s "$work/verify" ]; then
        right "systemd-analyze has nothing to say about the unit"
    else
        wrong "systemd-analyze: $(cat "$work/verify")"
    fi
    # What the sandbox leaves open, in tenths: 0 is nothing, 100 everything.
    if systemd-analyze security --offline=true --threshold=30 "$unit" >"$work/exposure" 2>&1; then
        right "the unit's exposure is $(sed -n 's/.*Overall exposure level for .*: \([0-9.]*\).*/\1/p' "$work/exposure")"
    else
        wrong "systemd-analyze security: $(tail -n 1 "$work/exposure")"
    fi
}

# The capabilities of the unit as setpriv writes them: -all,+bpf,+perfmon,…
capabilities() {
    local names
    read -r -a names < <(sed -n "s/^$1=//p" "$unit" | tr '[:upper:]' '[:lower:]')
    [ ${#names[@]} -gt 0 ] || die "$unit: no $1"
    printf -- '-all'
    printf ',+%s' "${names[@]#cap_}"
}

check_privileges() {
    local line
    for line in Uid Gid; do
        grep -q -E "^$line:\s$user\s$user\s$user\s$user$" "/proc/$daemon/status" || wrong "$line: $(grep "^$line" "/proc/$daemon/status")"
    done
    right "user $user, $(grep CapEff "/proc/$daemon/status" | tr -s '\t ' ' '), $(grep NoNewPrivs "/proc/$daemon/status" | tr -s '\t ' ' ')"
}

sends_to() { crosspoint route show "$1" --json | grep -q "$2"; }
all_sending() { [ "$(crosspoint route list --json | grep -c '"active"')" -eq "$1" ]; }
daemon_is_dead() { ! kill -0 "$daemon" 2>/dev/null; }

if [ "$(id -u)" -ne 0 ]; then
    say "the systemd unit: skipped, needs root"
    exit 77
fi
CROSSPOINT="${CROSSPOINT:-$repository/.build/debug/crosspoint}"
[ -x "$CROSSPOINT" ] || die "$CROSSPOINT: not there; build it first (swift build)"
begin crosspoint-unit
say "the systemd unit:"

verify_unit
make_small_studio
make_bpffs_directory
# As the unit's ExecStartPre, RuntimeDirectory and UMask do. The work directory itself must let the user through.
chmod 755 "$work"
chown $user:$user "$bpffs"
chmod 750 "$bpffs"
install -d -o $user -g $user -m 0750 "$work/runtime"
write_configuration
sed -i "s|socket: .*|socket: $work/runtime/control.sock|" "$work/crosspoint.yaml"
ln -s runtime/control.sock "$work/control.sock"
ambient="$(capabilities AmbientCapabilities)"
bounding="$(capabilities CapabilityBoundingSet)"
[ "$ambient" = "$bounding" ] || wrong "the unit's two sets of capabilities differ: $ambient and $bounding"
# The user must be able to run what another user has built.
install -m 755 "$CROSSPOINT" "$work/crosspoint"
CROSSPOINT="$work/crosspoint"
daemon_launcher=(
    setpriv "--reuid=$user" "--regid=$user" --clear-groups --no-new-privs
    "--inh-caps=$ambient" "--ambient-caps=$ambient" "--bounding-set=$bounding" --
)
start_daemon
check_privileges

crosspoint route add group --from 239.5.5.5:5004@eth0 --to 10.2.0.5:5004@eth1 >"$work/out" 2>&1 || wrong "$(cat "$work/out")"
crosspoint route add address --from 10.1.0.1:322@eth0 --to 10.2.0.5:5006@eth1 >"$work/out" 2>&1 || wrong "$(cat "$work/out")"
wait_until 5 all_sending 2 || wrong "not all legs send: $(crosspoint route list)"
right "a group joined, a UDP port below 1024 reserved, next hops resolved"

start receiver receiver.log "$python" "$repository/scripts/lib/rtp_sequence.py" receive group=10.2.0.5:5004 address=10.2.0.5:5006
receiver=$started
wait_until 5 grep -q ready "$work/receiver.log" || die "the receiver does not start: $(tail -n 1 "$work/receiver.log")"
start camera camera.log "$python" "$repository/scripts/lib/rtp_sequence.py" send --rate 2000 \
    group=239.5.5.5:5004 address=10.1.0.1:322
sender=$started
sleep 1

printf 'routes:\n  configured:\n    from: 239.5.5.6:5004@eth0\n    to: [10.2.0.5:5008@eth1]\n' >>"$work/crosspoint.yaml"
kill -HUP "$daemon"
if wait_until 5 sends_to configured 10.2.0.5:5008@eth1; then right "SIGHUP brought a route"; else wrong "SIGHUP brought nothing"; fi

stop "$daemon" KILL
sleep 0.5
start_daemon
check_privileges
if wait_until 5 all_sending 3; then right "killed and started again: all routes are there"; else wrong "$(crosspoint route list)"; fi
if setpriv --reuid=$user --regid=$user --clear-groups "--inh-caps=$ambient" "--ambient-caps=$ambient" "--bounding-set=$bounding" -- \
    nsenter --net="/run/netns/$run_id-node" true 2>/dev/null; then
    wrong "the user could enter a network namespace: it has more than the unit gives it"
fi
stop "$daemon" TERM
wait_until 5 daemon_is_dead || wrong "the daemon does not end"
start_daemon

sleep 0.5
stop "$sender"
sleep 0.3
stop "$receiver"
for route in group address; do
    sent="$(sed -n "s/^$route sent //p" "$work/camera.log")"
    line="$(grep "^$route received " "$work/receiver.log")"
    if [ "$line" = "$route received $sent missing 0 duplicated 0" ]; then
        right "route $route: all of $sent packets, each once"
    else
        wrong "route $route: $sent packets sent, ${line#* }"
    fi
done
# As an operator would who is in the daemon's group, and as root.
if setpriv --reuid=65534 --regid=$user --clear-groups --inh-caps=-all --bounding-set=-all -- \
    "$CROSSPOINT" stats --socket "$work/runtime/control.sock" >"$work/out" 2>&1 && grep -q '^group' "$work/out"; then
    right "a member of the daemon's group reads the statistics"
else
    wrong "a member of the daemon's group: $(cat "$work/out")"
fi
if inside node "$CROSSPOINT" unload --config "$work/crosspoint.yaml" >"$work/out" 2>&1; then
    wrong "unload was not refused while the daemon runs: $(cat "$work/out")"
fi
stop "$daemon" TERM
if inside node "${daemon_launcher[@]}" "$CROSSPOINT" unload --config "$work/crosspoint.yaml" >"$work/out" 2>&1 &&
    [ -z "$(ls -A "$bpffs" 2>/dev/null)" ] && ! inside node ip link show eth0 | grep -q xdp; then
    right "unload, as that user: $(cat "$work/out")"
else
    wrong "unload: $(cat "$work/out") $(ls -A "$bpffs" 2>&1) $(inside node ip link show eth0 | head -1)"
fi

if [ "$wrongs" -gt 0 ]; then
    say "the systemd unit: $wrongs things wrong"
    exit 1
fi
say "the systemd unit: passed"
