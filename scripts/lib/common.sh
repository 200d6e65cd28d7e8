# What the scripts here share: words for people, network namespaces of our own, and cleaning up after ourselves.
#
# A script that sources this file and calls `begin NAME` gets a work directory in $work, and everything that `make_namespace`,
# `start` and `make_bpffs_directory` made is taken away again when it ends: well, badly, or by Ctrl-C.
# shellcheck shell=bash
# shellcheck disable=SC2034  # the scripts that source this use the variables

repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
# Debian's own: the one that has GStreamer's bindings, whatever else is called python3 in PATH.
python=/usr/bin/python3
# Numbers with points, sorting by bytes.
export LC_ALL=C.UTF-8
# No bytecode beside the sources.
export PYTHONDONTWRITEBYTECODE=1

work=""
bpffs=""
run_id=""
namespaces=()
children=()
# Whether `finish` still has to say where the logs are.
tells_logs=yes

say() { printf '%s\n' "$*"; }

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# What a test found, and how often it was wrong.
wrongs=0
right() { say "  right: $*"; }
wrong() {
    wrongs=$((wrongs + 1))
    say "  WRONG: $*"
}

require_root() {
    [ "$(id -u)" -eq 0 ] || die "must run as root: it makes network namespaces and loads XDP programs (try: sudo $0)"
}

# begin NAME: makes $work, and sees to it that `clean_up` runs in the end. NAME also begins the names of the namespaces.
begin() {
    run_id="$1-$$"
    work="$(mktemp -d "${TMPDIR:-/tmp}/$run_id-XXXXXX")"
    trap 'finish $?' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

# Cleans up; after a failure the logs stay, and their place is told. A script may define `explain_failure` for a last word.
finish() {
    local status=$1
    trap - EXIT
    trap '' INT TERM HUP
    clean_up
    if [ "$status" -ne 0 ] && declare -F explain_failure >/dev/null; then explain_failure "$status"; fi
    if [ "$status" -eq 0 ]; then
        rm -rf "$work"
    elif [ "$tells_logs" = yes ]; then
        printf 'Logs: %s\n' "$work" >&2
    fi
    exit "$status"
}

clean_up() {
    local pid namespace
    for pid in "${children[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    wait_until 3 no_children || for pid in "${children[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
    for namespace in "${namespaces[@]}"; do
        # Whoever is still in a namespace of ours was started by us: a daemon's helper, for example.
        while read -r pid; do kill -KILL "$pid" 2>/dev/null || true; done < <(ip netns pids "$namespace" 2>/dev/null)
        wait_until 3 is_empty_namespace "$namespace" || true
        ip netns delete "$namespace" 2>/dev/null || true
    done
    if [ -n "$bpffs" ]; then rm -rf "$bpffs"; fi
    children=()
    namespaces=()
}

no_children() {
    local pid
    for pid in "${children[@]}"; do
        if kill -0 "$pid" 2>/dev/null; then return 1; fi
    done
}

is_empty_namespace() { [ -z "$(ip netns pids "$1" 2>/dev/null)" ]; }

# wait_until SECONDS COMMAND…: tries the command every 50 ms until it succeeds, for so long at most.
wait_until() {
    local tries=$(($1 * 20))
    shift
    while ! "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.05
    done
}

# make_namespace ROLE: a network namespace of our own, known as ROLE to the functions below.
make_namespace() {
    ip netns add "$run_id-$1"
    namespaces+=("$run_id-$1")
    inside "$1" ip link set lo up
}

# inside ROLE COMMAND…: runs a command in that namespace. By nsenter, since `ip netns exec` hides /sys/fs/bpf.
inside() {
    local role=$1
    shift
    nsenter --net="/run/netns/$run_id-$role" -- "$@"
}

# start ROLE LOG COMMAND…: the same in the background, output to $work/LOG. Its process id is in $started.
start() {
    local role=$1 log=$2
    shift 2
    nsenter --net="/run/netns/$run_id-$role" -- "$@" >>"$work/$log" 2>&1 </dev/null &
    started=$!
    children+=("$started")
}

# stop PID [SIGNAL]: ends what `start` started, and waits for its end.
stop() {
    kill "-${2-TERM}" "$1" 2>/dev/null || true
    # The shell would tell that it was killed.
    { wait "$1" || true; } 2>/dev/null
}

# make_link ROLE INTERFACE ROLE INTERFACE: a cable (veth pair) between two namespaces.
# Both ends compute checksums, or what ordinary sockets send would be wrong on the wire; both ends poll, or frames that XDP
# redirects to them would vanish; addresses are usable at once. The ends are up before they are told to poll: told earlier, the
# kernel (6.18) does not take them for a place to redirect to.
make_link() {
    ip link add "$2" netns "$run_id-$1" type veth peer name "$4" netns "$run_id-$3"
    local role interface
    for role in "$1 $2" "$3 $4"; do
        interface=${role#* }
        role=${role% *}
        inside "$role" sysctl -q -w "net.ipv6.conf.$interface.accept_dad=0"
        inside "$role" ip link set "$interface" up
    done
    for role in "$1 $2" "$3 $4"; do
        interface=${role#* }
        role=${role% *}
        inside "$role" ethtool -K "$interface" tx off gro on >/dev/null
    done
}

# make_small_studio: namespaces "camera" (cam0, 10.1.0.7), "node" (eth0, eth1) and "receiver" (rx1, 10.2.0.5), and the cables between them.
make_small_studio() {
    local role
    for role in camera node receiver; do make_namespace "$role"; done
    make_link camera cam0 node eth0
    make_link node eth1 receiver rx1
    inside camera ip address add 10.1.0.7/24 dev cam0
    inside camera ip route add 224.0.0.0/4 dev cam0
    inside node ip address add 10.1.0.1/24 dev eth0
    inside node ip address add 10.2.0.1/24 dev eth1
    inside receiver ip address add 10.2.0.5/24 dev rx1
}

# make_bpffs_directory: a directory for pins of our own, in $bpffs. Its name has no dot: the kernel refuses those.
make_bpffs_directory() {
    bpffs="/sys/fs/bpf/$run_id"
    mkdir "$bpffs"
}

# write_configuration: $work/crosspoint.yaml for a daemon with everything of its own; more may be added to it.
write_configuration() {
    cat >"$work/crosspoint.yaml" <<CONFIGURATION
node: $run_id
runtime-directory: $work/runtime
bpffs: $bpffs
control:
  socket: $work/control.sock
metrics:
  listen: off
CONFIGURATION
}

# start_daemon: `crosspoint run` in the namespace "node", with $work/crosspoint.yaml, which is written if it is not there. Its
# process id is in $daemon. CROSSPOINT names another binary than the one that was built; $daemon_launcher, if it is not empty, is
# what starts it: setpriv and its arguments, say.
daemon_launcher=()
start_daemon() {
    [ -e "$work/crosspoint.yaml" ] || write_configuration
    mkdir -p "$work/runtime"
    start node daemon.log "${daemon_launcher[@]}" "$CROSSPOINT" run --config "$work/crosspoint.yaml"
    daemon=$started
    wait_until 20 daemon_answers_or_is_dead || true
    daemon_answers >/dev/null 2>&1 || die "the daemon does not answer: $(tail -n 1 "$work/daemon.log")"
}

daemon_answers() { crosspoint route list; }
daemon_answers_or_is_dead() { daemon_answers || ! kill -0 "$daemon"; }

# crosspoint COMMAND…: the command line program, talking to our daemon.
crosspoint() { inside node "$CROSSPOINT" "$@" --socket "$work/control.sock"; }
