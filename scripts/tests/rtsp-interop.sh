#!/bin/bash
# RTSP with real peers: cameras, publishers and players that others wrote, through one node and through two in a row.
#
#   sudo scripts/tests/rtsp-interop.sh [--list] [--only SCENARIO]… [--times COUNT] [--without-node]
#
#   --list            says which scenarios there are
#   --only            runs only these
#   --times           runs them so often
#   --without-node    players and publishers talk to the cameras themselves: shows that the peers and the checks are right
#
# CROSSPOINT names the binary to test; without it, the debug build of this checkout.
#
# Every frame and sample is a function of its number (scripts/lib/rtsp/content.py), so that each player knows whether it got what
# the camera sent, bit by bit and without a gap. After every scenario no session, flow and leg may be left, nothing may have been
# dropped, and no transmission may have failed.
#
#     players p1 10.2.0.5 --- eth1 node eth0 --- cam0 10.1.0.2 cameras       node: 10.2.0.1, 10.1.0.1, 10.4.0.1
#                                  node eth2 --- b0 far b1 --- cam1          far: a second node with a name server, 10.4.0.2
#     players dir1 10.3.0.5 ---------------------- dir0 10.3.0.2 cameras     used without the node
#
# Exit code: 0 right, 1 wrong, 77 skipped for want of root.
set -euo pipefail
# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

peers="$repository/scripts/lib/rtsp"
linger=1
uses_node=yes
# The process of the first node; `start_node` sets it.
node=""

scenarios=(
    ffmpeg-udp ffmpeg-tcp gstreamer-udp gstreamer-tcp gstreamer-multicast eight-mixed
    camera-tcp-only camera-multicast camera-digest camera-basic camera-vlc
    rtsps tunnel camera-rtsps camera-srtp large-packets
    publish-ffmpeg-udp publish-ffmpeg-tcp publish-gstreamer-udp publish-gstreamer-tcp
    churn two-nodes killed camera-forgets camera-restarts wrong-input
)
# What makes sense only with a node between the peers.
only_with_node=(tunnel large-packets two-nodes killed camera-forgets camera-restarts wrong-input)

make_studio() {
    local role
    for role in cameras node far players; do make_namespace "$role"; done
    make_link cameras cam0 node eth0
    make_link node eth1 players p1
    make_link node eth2 far b0
    make_link far b1 cameras cam1
    make_link cameras dir0 players dir1
    inside cameras ip address add 10.1.0.2/24 dev cam0
    inside cameras ip address add 10.5.0.2/24 dev cam1
    inside cameras ip address add 10.3.0.2/24 dev dir0
    inside node ip address add 10.1.0.1/24 dev eth0
    inside node ip address add 10.2.0.1/24 dev eth1
    inside node ip address add 10.4.0.1/24 dev eth2
    inside far ip address add 10.4.0.2/24 dev b0
    inside far ip address add 10.5.0.1/24 dev b1
    inside players ip address add 10.2.0.5/24 dev p1
    inside players ip address add 10.3.0.5/24 dev dir1
    if [ "$uses_node" = yes ]; then
        inside cameras ip route add 224.0.0.0/4 dev cam0
        inside players ip route add 224.0.0.0/4 dev p1
    else
        inside cameras ip route add 224.0.0.0/4 dev dir0
        inside players ip route add 224.0.0.0/4 dev dir1
    fi
}

# camera NAME TCPPORT ARGUMENTS…: its process id is in $started; what it is asked is in $work/NAME.log.
camera() {
    local name=$1 tcp_port=$2
    shift 2
    : >"$work/$name.log"
    start cameras "$name.log" "$python" -u "$peers/camera.py" --tcp-port "$tcp_port" "$@"
    wait_until 10 grep -q ready "$work/$name.log" || die "$name: $(tail -n 1 "$work/$name.log")"
}

# An authority, and certificates of the node and of the camera, each in a file with its key.
make_certificates() {
    local name
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=studio" \
        -keyout "$work/authority.key" -out "$work/authority.pem" 2>/dev/null
    for name in node:10.2.0.1,IP:10.4.0.1 camera:10.1.0.2,IP:10.3.0.2; do
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=${name%%:*}" \
            -keyout "$work/${name%%:*}.key" -out "$work/request" 2>/dev/null
        openssl x509 -req -in "$work/request" -CA "$work/authority.pem" -CAkey "$work/authority.key" -CAcreateserial -days 2 \
            -extfile <(echo "subjectAltName=IP:${name#*:}") -out "$work/${name%%:*}.pem" 2>/dev/null
        cat "$work/${name%%:*}.key" >>"$work/${name%%:*}.pem"
        chmod 600 "$work/${name%%:*}.key" "$work/${name%%:*}.pem"
    done
}

start_cameras() {
    local interface=cam0
    [ "$uses_node" = yes ] || interface=dir0
    camera any 8554
    any=$started
    camera tcp-only 8555 --transport tcp
    camera multicast 8556 --transport multicast --interface $interface
    camera digest 8557 --authentication digest
    camera basic 8558 --authentication basic
    camera survives 8560 --survives
    camera secure 8562 --certificate "$work/camera.pem"
    camera srtp 8564 --certificate "$work/camera.pem" --srtp
    camera srtp-tcp 8565 --certificate "$work/camera.pem" --srtp --transport tcp
    camera large 8563 --transport tcp --mtu 4000
}

# Plays from the camera itself. Programs of many libraries that nobody has run for a while come from the disk, where they may take longer
# to begin than a session has to appear; and where the peers do not understand each other, it is not the node's fault.
load_peers() {
    inside players timeout 90 "$python" "$peers/player.py" ffmpeg udp rtsp://10.3.0.2:8554/cam1 --interface dir1 --seconds 1 \
        >"$work/direct.log" 2>&1 || die "without a node, the player: $(tail -n 1 "$work/direct.log")"
}

# VLC plays a file; it does not run as root.
start_vlc() {
    mkdir "$work/vlc"
    "$python" "$peers/content.py" file 60 >"$work/vlc/content.au"
    chmod 755 "$work"
    chown -R 65534:65534 "$work/vlc"
    start cameras vlc.log setpriv --reuid=65534 --regid=65534 --clear-groups -- env "HOME=$work/vlc" \
        cvlc --intf dummy "$work/vlc/content.au" --sout '#rtp{sdp=rtsp://:8559/vlc}'
    vlc=$started
    # It listens before it has anything to describe.
    within 10 inside cameras "$python" "$peers/probe.py" describe 127.0.0.1 8559 /vlc >/dev/null 2>&1 ||
        fault "VLC describes nothing: $(tail -n 1 "$work/vlc.log")"
}

# The node that players talk to, and the one behind it. Both find names by the name server that runs beside the second.
start_nodes() {
    make_bpffs_directory
    mkdir "$bpffs/node" "$bpffs/far" "$work/node" "$work/far"
    echo "nameserver 10.4.0.2" >"$work/resolv.conf"
    start far dnsmasq.log dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= \
        --listen-address=10.4.0.2 --bind-interfaces --log-facility=- --log-queries \
        --address=/b.studio.test/10.4.0.2 --srv-host=_rtsp._tcp.studio.test,b.studio.test,8554,0,10
    cat >"$work/node/crosspoint.yaml" <<CONFIGURATION
node: $run_id-node
runtime-directory: $work/node
bpffs: $bpffs/node
control: {socket: $work/node/control.sock}
metrics: {listen: off}
ports: [eth0, eth1, eth2]
rtsp:
  listen: ["8554"]
  tls-listen: ["322"]
  certificate: {chain: $work/node.pem, private-key: $work/node.key}
  ca-file: $work/authority.pem
  realm: studio
  linger: $linger
  multicast: {groups: 239.20.0.0/24, interface: eth1, udp-port: 5004, ttl: 16}
  routes:
    - {name: any, path: /any, upstream: "rtsp://10.1.0.2:8554/cam1"}
    - {name: tcp-only, path: /tcp-only, upstream: "rtsp://10.1.0.2:8555/cam1"}
    - {name: multicast, path: /multicast, upstream: "rtsp://10.1.0.2:8556/cam1"}
    - {name: digest, path: /digest, upstream: "rtsp://studio:secret@10.1.0.2:8557/cam1"}
    - {name: basic, path: /basic, upstream: "rtsp://studio:secret@10.1.0.2:8558/cam1"}
    - {name: vlc, path: /vlc, upstream: "rtsp://10.1.0.2:8559/vlc"}
    - {name: survives, path: /survives, upstream: "rtsp://10.1.0.2:8560/cam1"}
    - {name: secure, path: /secure, upstream: "rtsps://10.1.0.2:8562/cam1"}
    - {name: srtp, path: /srtp, upstream: "rtsps://10.1.0.2:8564/cam1"}
    - {name: srtp-tcp, path: /srtp-tcp, upstream: "rtsps://10.1.0.2:8565/cam1"}
    - {name: large, path: /large, upstream: "rtsp://10.1.0.2:8563/cam1"}
    - {name: by-service, path: /by-service, upstream: "rtsp://studio.test/far"}
    - {name: by-name, path: /by-name, upstream: "rtsp://b.studio.test:8554/far"}
    - {name: published, path: /published, publish: true, publish-users: anyone, read: anyone}
CONFIGURATION
    cat >"$work/far/crosspoint.yaml" <<CONFIGURATION
node: $run_id-far
runtime-directory: $work/far
bpffs: $bpffs/far
control: {socket: $work/far/control.sock}
metrics: {listen: off}
ports: [b0, b1]
rtsp:
  listen: ["8554"]
  linger: $linger
  routes:
    - {name: far, path: /far, upstream: "rtsp://10.5.0.2:8554/cam1"}
CONFIGURATION
    start_node node
    start_node far
}

# start_node ROLE: its process id is in $node or $far.
start_node() {
    # shellcheck disable=SC2016  # the inner shell's
    start "$1" "$1.log" unshare --mount --propagation private bash -c \
        'mount --bind "$0" /etc/resolv.conf && exec "$@"' "$work/resolv.conf" "$CROSSPOINT" run --config "$work/$1/crosspoint.yaml"
    declare -g "$1=$started"
    wait_until 20 node_answers "$1" || die "the daemon in $1 does not answer: $(tail -n 1 "$work/$1.log")"
}

node_answers() {
    at "$1" route list && inside "$1" bash -c ': </dev/tcp/127.0.0.1/8554'
}

# at ROLE COMMAND…: the command line program, talking to that node.
at() {
    local role=$1
    shift
    inside "$role" "$CROSSPOINT" "$@" --socket "$work/$role/control.sock"
}

# The scenario's faults.
faults=""
fault() { faults="$faults${faults:+; }$(tr '\n' ' ' <<<"$*" | sed 's/ *$//')"; }

# url PATH: where players find the camera or publisher of that name.
url() {
    if [ "$uses_node" = yes ]; then
        if [ "$1" = by-rtsps ]; then
            echo rtsps://10.2.0.1:322/any
            return
        fi
        case $1 in
            by-https) echo rtsp://10.2.0.1:322/any && return ;;
            by-rtsph) echo rtsph://10.2.0.1:8554/any && return ;;
            by-rtspsh) echo rtspsh://10.2.0.1:322/any && return ;;
        esac
        if [[ $1 == srtp* ]]; then
            echo "rtsps://10.2.0.1:322/$1"
            return
        fi
        echo "rtsp://10.2.0.1:8554/$1"
        return
    fi
    case $1 in
        any) echo rtsp://10.3.0.2:8554/cam1 ;;
        tcp-only) echo rtsp://10.3.0.2:8555/cam1 ;;
        multicast) echo rtsp://10.3.0.2:8556/cam1 ;;
        digest) echo rtsp://studio:secret@10.3.0.2:8557/cam1 ;;
        basic) echo rtsp://studio:secret@10.3.0.2:8558/cam1 ;;
        vlc) echo rtsp://10.3.0.2:8559/vlc ;;
        secure | by-rtsps) echo rtsps://10.3.0.2:8562/cam1 ;;
        survives) echo rtsp://10.3.0.2:8560/cam1 ;;
        srtp) echo rtsps://10.3.0.2:8564/cam1 ;;
        srtp-tcp) echo rtsps://10.3.0.2:8565/cam1 ;;
    esac
}

# play PEER TRANSPORT NAME [ARGUMENTS…]: starts a player.
player_pids=()
play() {
    local interface=p1 log="player-${#player_pids[@]}.log" what=$3
    [ "$uses_node" = yes ] || interface=dir1
    : >"$work/$log"
    start players "$log" "$python" "$peers/player.py" "$1" "$2" "$(url "$what")" --interface $interface \
        --authorities "$work/authority.pem" "${@:4}"
    player_pids+=("$started")
}

# Waits for all players, and tells what they found.
end_players() {
    local number pid
    for number in "${!player_pids[@]}"; do
        pid=${player_pids[$number]}
        wait "$pid" || fault "$(tail -n 1 "$work/player-$number.log")"
        sed -n '$s/^/    /p' "$work/player-$number.log" >>"$work/details"
    done
    player_pids=()
}

# probe ARGUMENTS…: scripts/lib/rtsp/probe.py in the players' namespace.
probe() {
    local what=$1
    shift
    inside players timeout 60 "$python" "$peers/probe.py" "$what" 10.2.0.1 8554 "$@" >"$work/probe" 2>&1 ||
        fault "$what: $(head -n 5 "$work/probe")"
}

# within SECONDS COMMAND…: tries the command until it succeeds, for so long at most, however long a try takes.
within() {
    local end=$((SECONDS + $1))
    shift
    while ! "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}

# sessions ROLE KIND=COUNT…: within some seconds the node has just these sessions, all of them streaming. What was wrong when there
# were any is told, since players leave when they have had enough.
sessions() {
    [ "$uses_node" = yes ] || return 0
    : >"$work/sessions.closest"
    within 6 sessions_are "$@" || fault "$1: $(cat "$work/sessions.closest")"
}

sessions_are() {
    local role=$1
    shift
    at "$role" session list --json >"$work/sessions.json" 2>"$work/sessions.wrong" &&
        "$python" "$repository/scripts/lib/nodecheck.py" sessions "$work/sessions.json" "$@" >"$work/sessions.wrong" 2>&1 && return
    if [ ! -s "$work/sessions.closest" ] || grep -q '"name"' "$work/sessions.json"; then
        cp "$work/sessions.wrong" "$work/sessions.closest"
    fi
    return 1
}

# camera_saw CAMERA COUNT: since the scenario began, so many sessions played there; without the node, any number. (The server makes
# a session also for a SETUP that it refuses.)
marks() { wc -l <"$work/$1.log"; }
camera_saw() {
    [ "$uses_node" = yes ] || return 0
    local seen
    seen="$(tail -n "+$((${mark[$1]-0} + 1))" "$work/$1.log" | grep -c '^request PLAY ' || true)"
    [ "$seen" -eq "$2" ] || fault "the camera saw $seen sessions instead of $2"
}

# one_camera NAME PLAYERS…: players (peer:transport) on one camera at the same time.
one_camera() {
    local name=$1 player
    shift
    for player in "$@"; do play "${player%:*}" "${player#*:}" "$name"; done
    sessions node "rtsp-player=$#" rtsp-upstream=1
    end_players
    [ ! -e "$work/$name.log" ] || camera_saw "$name" 1
}

run_ffmpeg-udp() { one_camera any ffmpeg:udp; }
run_ffmpeg-tcp() { one_camera any ffmpeg:tcp; }
run_gstreamer-udp() { one_camera any gstreamer:udp; }
run_gstreamer-tcp() { one_camera any gstreamer:tcp; }

run_gstreamer-multicast() {
    local name=any
    [ "$uses_node" = yes ] || name=multicast
    play gstreamer multicast "$name"
    play gstreamer multicast "$name"
    sessions node rtsp-player=2 rtsp-upstream=1
    end_players
    if [ "$uses_node" = yes ]; then
        # Whoever knows only the SDP finds the group in it.
        at node rtsp route add standing --path /standing --upstream rtsp://10.1.0.2:8554/cam1 --multicast >/dev/null
        probe listen /standing
        at node rtsp route remove standing >/dev/null
    fi
}

run_eight-mixed() {
    local transport
    for transport in udp tcp; do
        play ffmpeg $transport any
        play ffmpeg $transport any --seconds 4
        play gstreamer $transport any
        play gstreamer $transport any --seconds 3
    done
    sessions node rtsp-player=8 rtsp-upstream=1
    end_players
    camera_saw any 1
}

run_camera-tcp-only() {
    if [ "$uses_node" = yes ]; then
        one_camera tcp-only ffmpeg:udp gstreamer:udp ffmpeg:tcp
    else
        one_camera tcp-only ffmpeg:tcp gstreamer:tcp
    fi
}

run_camera-multicast() {
    if [ "$uses_node" = yes ]; then
        one_camera multicast ffmpeg:udp gstreamer:tcp
    else
        one_camera multicast ffmpeg:multicast gstreamer:multicast
    fi
}

run_camera-digest() { one_camera digest ffmpeg:udp gstreamer:tcp; }
run_camera-basic() { one_camera basic gstreamer:udp ffmpeg:tcp; }

run_camera-vlc() {
    start_vlc
    # VLC speaks UDP only, and its session is audio.
    play ffmpeg udp vlc --media audio
    play gstreamer udp vlc --media audio
    if [ "$uses_node" = yes ]; then play gstreamer tcp vlc --media audio; fi
    sessions node rtsp-player=3 rtsp-upstream=1
    end_players
    stop "$vlc"
}

# Players by TLS, which check the node's certificate (ffmpeg does not).
run_rtsps() {
    play ffmpeg tcp by-rtsps
    play gstreamer tcp by-rtsps
    sessions node rtsp-player=2 rtsp-upstream=1
    end_players
    camera_saw any 1
}

# RTSP within HTTP, and within HTTPS.
run_tunnel() {
    play ffmpeg http any
    play gstreamer tcp by-rtsph
    play ffmpeg https by-https
    play gstreamer tcp by-rtspsh
    sessions node rtsp-player=4 rtsp-upstream=1
    end_players
    camera_saw any 1
}

# A camera by TLS, whose certificate the node checks.
run_camera-rtsps() {
    if [ "$uses_node" = yes ]; then
        one_camera secure ffmpeg:udp gstreamer:tcp
    else
        one_camera secure gstreamer:tcp
    fi
}

# Cameras that encrypt with keys by MIKEY, by UDP and by TCP; what they send leaves the node inside TLS.
run_camera-srtp() {
    if [ "$uses_node" = yes ]; then
        one_camera srtp ffmpeg:tcp gstreamer:tcp
        one_camera srtp-tcp gstreamer:tcp
    else
        one_camera srtp gstreamer:udp
        one_camera srtp-tcp gstreamer:tcp
    fi
}

# Packets of 4,000 bytes, which only TCP takes to the players. Whoever asks for UDP, and can have TCP, gets that.
run_large-packets() {
    play ffmpeg tcp large --seconds 6
    sessions node rtsp-player=1 rtsp-upstream=1
    # The node looks once a second how long packets are; these are three seconds' worth.
    within 10 has_forwarded rtsp.large.0.rtp 600 || fault "the node forwards no packets"
    play gstreamer any large
    play gstreamer udp large --media video --timeout 3
    wait "${player_pids[2]}" && fault "packets of 4,000 bytes came by UDP"
    unset 'player_pids[2]'
    end_players
    grep -q 'longer than the MTU of eth1' "$work/node.log" || fault "the node does not say why UDP is refused"
}

# Whether so many packets came on a route of the node.
has_forwarded() {
    at node stats --json "$1" >"$work/statistics.json" 2>/dev/null &&
        [ "$("$python" "$repository/scripts/lib/statistics.py" packets "$work/statistics.json" "$1")" -ge "$2" ]
}

# published PEER TRANSPORT: one publisher, and players on what it publishes.
published() {
    local publisher camera
    if [ "$uses_node" = yes ]; then
        start cameras publisher.log "$python" "$peers/publisher.py" "$1" "$2" rtsp://10.1.0.1:8554/published
        publisher=$started
        sessions node rtsp-publisher=1
        play ffmpeg udp published
        play gstreamer tcp published
        play gstreamer udp published
        sessions node rtsp-publisher=1 rtsp-player=3
        end_players
    else
        # The server takes streams in the order in which it is told to; rtspclientsink offers them in any.
        local media=video,audio
        [ "$1" = ffmpeg ] || media=video
        camera recorder 8561 --record --media $media
        camera=$started
        start players publisher.log "$python" "$peers/publisher.py" "$1" "$2" rtsp://10.3.0.2:8561/cam1 --media $media
        publisher=$started
        sleep 4
    fi
    kill "$publisher" 2>/dev/null || true
    wait "$publisher" || fault "the publisher: $(tail -n 1 "$work/publisher.log")"
    [ "$uses_node" = no ] || return 0
    wait_until 5 grep -q '^received' "$work/recorder.log" || true
    grep -q '^received.*right$' "$work/recorder.log" || fault "$(grep '^received' "$work/recorder.log")"
    stop "$camera"
}

run_publish-ffmpeg-udp() { published ffmpeg udp; }
run_publish-ffmpeg-tcp() { published ffmpeg tcp; }
run_publish-gstreamer-udp() { published gstreamer udp; }
run_publish-gstreamer-tcp() { published gstreamer tcp; }

# Sessions one after the other: RTP-Info tells the first packet, and TEARDOWN the last.
run_churn() {
    if [ "$uses_node" = yes ]; then
        probe churn /any 10
        camera_saw any 1
    else
        inside players timeout 60 "$python" "$peers/probe.py" churn 10.3.0.2 8554 /cam1 3 >"$work/probe" 2>&1 ||
            fault "$(head -n 5 "$work/probe")"
    fi
}

run_two-nodes() {
    play ffmpeg udp by-service
    play gstreamer tcp by-service
    play gstreamer udp by-service
    sessions node rtsp-player=3 rtsp-upstream=1
    sessions far rtsp-player=1 rtsp-upstream=1
    end_players
    camera_saw any 1
    grep -q '_rtsp._tcp.studio.test' "$work/dnsmasq.log" || fault "the node did not ask for the SRV record"
    within $((linger + 5)) is_idle far || fault "far: $(cat "$work/idle.wrong")"
    play ffmpeg tcp by-name
    end_players
}

# hold PATH [--gap]: a player by UDP that goes on with its session over a new connection when it is told so, by `resume`.
hold() {
    rm -f "$work/hold.in"
    mkfifo "$work/hold.in"
    : >"$work/hold.log"
    # Both ends, so that opening it does not wait.
    exec 7<>"$work/hold.in"
    nsenter --net="/run/netns/$run_id-players" -- "$python" -u "$peers/probe.py" hold 10.2.0.1 8554 "$@" \
        <"$work/hold.in" >>"$work/hold.log" 2>&1 7<&- &
    held=$!
    children+=("$held")
    wait_until 10 grep -q playing "$work/hold.log" || fault "hold: $(tail -n 1 "$work/hold.log")"
}

resume() {
    echo resume >&7
    wait_until 10 grep -q resumed "$work/hold.log" || fault "the session was not resumed"
}

release() {
    # The end of the input would not tell: a daemon that was started meanwhile has it open too.
    echo leave >&7
    exec 7>&-
    wait "$held" || fault "hold: $(grep -v -E '^(playing|resumed)$' "$work/hold.log" | head -n 5)"
}

# The daemon is killed; the camera sends on, since it keeps its sessions. No packet by UDP is missing, and afterwards the node knows
# its sessions again. (ffmpeg and rtspsrc end by themselves when their TCP connection does.)
run_killed() {
    hold /survives
    sessions node rtsp-player=1 rtsp-upstream=1
    stop "$node" KILL
    sleep 1.5
    start_node node
    resume
    sessions node rtsp-player=1 rtsp-upstream=1
    sleep 1
    release
    camera_saw survives 1
}

# Whether the camera has been asked to play so often.
has_played() { [ "$(tail -n "+$((${mark[$1]-0} + 1))" "$work/$1.log" | grep -c '^request PLAY ')" -ge "$2" ]; }

# The same with a camera that stops sending when the TCP connection ends, though it goes on to answer for the session: it is asked
# again, and feeds the same players.
run_camera-forgets() {
    hold /any --gap
    sessions node rtsp-player=1 rtsp-upstream=1
    stop "$node" KILL
    sleep 0.5
    start_node node
    resume
    within 20 has_played any 2 || fault "the camera was not asked to play again"
    sessions node rtsp-player=1 rtsp-upstream=1
    sleep 1
    release
    camera_saw any 2
}

# The camera goes and comes back; its players stay.
run_camera-restarts() {
    hold /any --gap
    sessions node rtsp-player=1 rtsp-upstream=1
    stop "$any" KILL
    sleep 1
    camera any 8554
    any=$started
    mark[any]=0
    sessions node rtsp-player=1 rtsp-upstream=1
    sleep 2
    release
    camera_saw any 1
}

# Whatever one peer does, the others do not notice.
run_wrong-input() {
    local before after deaf
    play ffmpeg udp any --seconds 12 --timeout 40
    play gstreamer tcp any --seconds 12 --timeout 40
    sessions node rtsp-player=2 rtsp-upstream=1
    before="$(resident)"
    inside players timeout 60 "$python" "$peers/probe.py" deaf 10.2.0.1 8554 /any 8 >"$work/deaf.log" 2>&1 &
    deaf=$!
    children+=("$deaf")
    probe input /any
    probe flood 2000
    wait "$deaf" || fault "a client that reads nothing: $(tail -n 1 "$work/deaf.log")"
    after="$(resident)"
    [ $((after - before)) -lt 65536 ] || fault "the daemon grew from $before to $after KiB"
    end_players
}

# The daemon's memory, KiB.
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$node/status"; }

# is_idle ROLE: nothing of a session is left at the node.
is_idle() {
    at "$1" session list --json >"$work/sessions.json" 2>"$work/idle.wrong" &&
        at "$1" stats --json >"$work/statistics-$1.json" 2>"$work/idle.wrong" &&
        "$python" "$repository/scripts/lib/nodecheck.py" idle "$work/sessions.json" "$work/statistics-$1.json" >"$work/idle.wrong" 2>&1
}

# Frames that could not be sent, over all interfaces of the nodes.
transmit_errors() {
    local role interface
    for role in node far; do
        for interface in $(inside "$role" ip -o link show type veth | sed -n 's/^[0-9]*: \([^@:]*\).*/\1/p'); do
            inside "$role" ethtool -S "$interface" | awk -v where="$role $interface" '/xdp_xmit_errors/ && $2 { print where, $2 }'
        done
    done
}

check_afterwards() {
    local role
    for role in node far; do
        within $((linger + 5)) is_idle "$role" || fault "$role: $(cat "$work/idle.wrong")"
        "$python" "$repository/scripts/lib/nodecheck.py" drops "$work/before-$role.json" "$work/statistics-$role.json" >"$work/drops.wrong" 2>&1 ||
            fault "$role: $(cat "$work/drops.wrong")"
    done
    transmit_errors >"$work/errors.after"
    cmp -s "$work/errors.before" "$work/errors.after" || fault "transmit errors: $(comm -13 "$work/errors.before" "$work/errors.after")"
}

declare -A mark
run_scenario() {
    local name=$1 began=$SECONDS log role
    faults=""
    : >"$work/details"
    for log in any tcp-only multicast digest basic survives secure srtp srtp-tcp large; do mark[$log]="$(marks $log)"; done
    if [ "$uses_node" = yes ]; then
        for role in node far; do at "$role" stats --json >"$work/before-$role.json"; done
        transmit_errors >"$work/errors.before"
    fi
    "run_$name"
    if [ "$uses_node" = yes ]; then check_afterwards; fi
    if [ -z "$faults" ]; then
        printf '  ok      %-22s %2d s\n' "$name" $((SECONDS - began))
    else
        wrongs=$((wrongs + 1))
        printf '  FAILED  %-22s %2d s  %s\n' "$name" $((SECONDS - began)) "$faults"
        cat "$work/details"
    fi
}

is_listed() {
    local one=$1
    shift
    [[ " $* " == *" $one "* ]]
}

only=()
times=1
while [ $# -gt 0 ]; do
    case $1 in
        --list) printf '%s\n' "${scenarios[@]}" && exit 0 ;;
        --only)
            is_listed "${2-}" "${scenarios[@]}" || die "${2-}: not a scenario (see $0 --list)"
            only+=("$2")
            shift
            ;;
        --times)
            [[ ${2-} =~ ^[1-9][0-9]*$ ]] || die "--times ${2-}: not a number of times"
            times=$2
            shift
            ;;
        --without-node) uses_node=no ;;
        --help | -h) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" && exit 0 ;;
        *) die "$1: not an option (see $0 --help)" ;;
    esac
    shift
done
if [ "$(id -u)" -ne 0 ]; then
    say "skipped: it makes network namespaces, and loads XDP programs"
    exit 77
fi
CROSSPOINT="${CROSSPOINT-$repository/.build/debug/crosspoint}"
begin crosspoint-rtsp
"$repository/scripts/setup" --rtsp >"$work/setup.log" || die "setup: $(tail -n 1 "$work/setup.log")"
make_studio
make_certificates
start_cameras
load_peers
if [ "$uses_node" = yes ]; then start_nodes; fi
for ((time = 1; time <= times; time++)); do
    for scenario in "${scenarios[@]}"; do
        if [ ${#only[@]} -gt 0 ] && ! is_listed "$scenario" "${only[@]}"; then continue; fi
        if [ "$uses_node" = no ] && is_listed "$scenario" "${only_with_node[@]}"; then continue; fi
        run_scenario "$scenario"
    done
done
[ "$wrongs" -eq 0 ]
