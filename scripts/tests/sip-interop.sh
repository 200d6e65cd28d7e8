#!/bin/bash
# SIP with real peers: calls of SIPp, baresip and Kamailio through a node.
#
#   sudo scripts/tests/sip-interop.sh [--list] [--only SCENARIO]… [--without-node]
#
#   --list            says which scenarios there are
#   --only            runs only these
#   --without-node    callers call the callees themselves: shows that the peers and the checks are right
#
# CROSSPOINT names the binary to test; without it, the debug build of this checkout.
#
# Every packet of media tells who sent it and which one it is (scripts/lib/sip/media.py), so that each side knows whether it got what
# the other sent, from the node, without a gap. After every scenario no session, flow and leg may be left, nothing may have been
# dropped, and no transmission may have failed.
#
#     callers cal0 10.1.0.2 --- eth0 node eth1 --- cle0 10.2.0.5 callees       node: 10.1.0.1, 10.2.0.1
#             fd00:1::2                                 fd00:2::5               fd00:1::1, fd00:2::1
#     callers dir0 10.3.0.2 ---------------------- dir1 10.3.0.5 callees       used without the node
#
# Exit code: 0 right, 1 wrong, 77 skipped for want of root.
set -euo pipefail
# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

peers="$repository/scripts/lib/sip"
uses_node=yes

scenarios=(
    basic echo tcp ipv6 ipv4-to-ipv6 callee-ends held port-change late-offer early-media reliable
    cancel-early cancel-ringing cancel-crosses busy challenged challenges refused-change glare forked lossy no-ack wrong-input
    baresip-l16 baresip-tcp baresip-tls baresip-srtp baresip-srtp-called baresip-srtp-calling registered nat-udp nat-tcp message message-registered kamailio-udp kamailio-tcp kamailio-tls
    kamailio-asks kamailio-asks-sha-256 dns-naptr dns-unavailable dns-ipv6
    restarted
)
# What makes sense only with a node between the peers.
only_with_node=(ipv4-to-ipv6 challenged challenges cancel-crosses glare forked no-ack wrong-input baresip-srtp-called
    baresip-srtp-calling registered nat-udp nat-tcp message-registered kamailio-asks kamailio-asks-sha-256
    dns-naptr dns-unavailable dns-ipv6 restarted)

make_studio() {
    local role
    for role in callers node callees; do make_namespace "$role"; done
    make_link callers cal0 node eth0
    make_link node eth1 callees cle0
    make_link callers dir0 callees dir1
    inside callers ip address add 10.1.0.2/24 dev cal0
    inside callers ip address add fd00:1::2/64 dev cal0
    inside callers ip address add 10.3.0.2/24 dev dir0
    inside callers ip address add fd00:3::2/64 dev dir0
    inside node ip address add 10.1.0.1/24 dev eth0
    inside node ip address add fd00:1::1/64 dev eth0
    inside node ip address add 10.2.0.1/24 dev eth1
    inside node ip address add fd00:2::1/64 dev eth1
    inside callees ip address add 10.2.0.5/24 dev cle0
    inside callees ip address add fd00:2::5/64 dev cle0
    inside callees ip address add 10.3.0.5/24 dev dir1
    inside callees ip address add fd00:3::5/64 dev dir1
}

# address SIDE FAMILY: where a side is: callers, callees, or what they call (caller's and callee's view of the node).
address() {
    local network=1
    if [ "$uses_node" = no ]; then network=3; elif [ "$1" = callees ]; then network=2; fi
    case $1-$2 in
        callers-4) echo "10.$network.0.2" ;;
        callers-6) echo "fd00:$network::2" ;;
        callees-4) echo "10.$network.0.5" ;;
        callees-6) echo "fd00:$network::5" ;;
    esac
}

# called FAMILY: what callers call.
called() {
    if [ "$uses_node" = no ]; then address callees "$1"; elif [ "$1" = 4 ]; then echo 10.1.0.1; else echo fd00:1::1; fi
}

# media_source SIDE FAMILY: where media comes from, seen from a side.
media_source() {
    if [ "$uses_node" = no ]; then
        if [ "$1" = callers ]; then address callees "$2"; else address callers "$2"; fi
        return
    fi
    case $1-$2 in
        callers-4) echo 10.1.0.1 ;;
        callers-6) echo fd00:1::1 ;;
        callees-4) echo 10.2.0.1 ;;
        callees-6) echo fd00:2::1 ;;
    esac
}

bracketed() { if [[ $1 == *:* ]]; then echo "[$1]"; else echo "$1"; fi; }

# Whom callers call.
called_user=bob
called_host=""

# Process ids, told by `start_node`, `baresip` and `kamailio`.
node="" alice="" bob="" proxy_callers="" proxy_callees=""

# A reason to drop packets that the scenario brings about.
harmless=""

# The scenario's faults.
faults=""
fault() { faults="$faults${faults:+; }$(tr '\n' ' ' <<<"$*" | sed 's/ *$//')"; }

# within SECONDS COMMAND…: tries the command until it succeeds, for so long at most, however long a try takes.
within() {
    local end=$((SECONDS + $1))
    shift
    while ! "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}

# --- Media

start_media() {
    local side
    for side in callers callees; do
        : >"$work/$side.commands"
        start "$side" "$side-media.log" "$python" "$peers/media.py" "$work/$side.commands" "$work/$side.report"
    done
}

# media SIDE COMMAND…: and waits until it is done.
media() {
    local side=$1
    shift
    echo "$*" >>"$work/$side.commands"
    within 10 media_has_read "$side" || die "the media of $side does not answer: $(tail -n 1 "$work/$side-media.log")"
}

media_has_read() {
    [ -e "$work/$1.report" ] &&
        [ "$(sed 's/.*"commands": \([0-9]*\).*/\1/' "$work/$1.report")" -ge "$(wc -l <"$work/$1.commands")" ]
}

# hears SIDE ENDPOINT CONDITION…: within some seconds all of this is so.
hears() {
    within 10 media_is "$@" || fault "$1: $(cat "$work/media.wrong")"
}

media_is() { "$python" "$peers/media.py" check "$work/$1.report" "${@:2}" 2>"$work/media.wrong"; }

# quiet SIDE ENDPOINT: media that flowed has stopped.
quiet() { hears "$1" "$2" "quiet_ms>=400"; }

# --- SIPp

# sipp SIDE SCENARIO FAMILY TRANSPORT [ARGUMENTS…]: starts a side of a call; its process id is in $caller or $callee.
sipp() {
    local side=$1 scenario=$2 family=$3 transport=$4 name="${sipp_name:-${1%s}}" port="${sipp_port:-5060}" remote=()
    shift 4
    local place="$work/sipp/$name"
    mkdir -p "$place"
    rm -f "$place"/*
    : >"$place/calls"
    local mine
    mine="$(address "$side" "$family")"
    # The URI of credentials: SIPp makes one up of its own. As a callee it would check with it what names another.
    if [ "$side" = callers ]; then
        remote=(
            "$(bracketed "${called_host:-$(called "$family")}"):5060" -s "$called_user" -cid_str "%u-$scenario@callers"
            -auth_uri "$called_user@$(bracketed "$(called "$family")"):5060"
        )
    fi
    # shellcheck disable=SC2016  # the inner shell's
    start "$side" "$name.log" bash -c 'cd "$0" && exec "$@"' "$place" sipp -sf "$work/scenarios/$scenario-${side%s}.xml" \
        -i "$mine" -p "$port" -mi "$mine" -t "$transport" -m 1 -nd -nostdin -rtp_echo \
        -key rtp 7000 -key rtp2 7010 -key commands "$work/$side.commands" -key calls "$place/calls" \
        -recv_timeout 45000 -timeout 60 -timeout_error -trace_err -error_file "$place/errors" -trace_msg -message_file "$place/messages" \
        "$@" "${remote[@]}"
    declare -g "$name=$started"
    if [ "$side" = callees ]; then within 10 listens callees "$transport" "$port" || fault "the callee does not listen"; fi
}

# Whether a SIPp listens.
listens() { inside "$1" ss -Hln"${2:0:1}" "sport = :$3" | grep -q .; }

# go SIDE: lets the SIPp of a side pass its gate. One that has not come to it yet would take the INFO for nonsense, so wait for it.
go() {
    local side=$1 name="${1%s}" call
    if [ "$side" = callers ]; then
        call="1-$call_name@callers"
    else
        within 10 test -s "$work/sipp/$name/calls" || fault "the callee was not called"
        call="$(tail -n 1 "$work/sipp/$name/calls")"
    fi
    inside "$side" "$python" "$peers/poke.py" "$(address "$side" "${call_family[$side]}")" 5060 "$call"
}

# sees SIDE COUNT REGEX: within some seconds so many messages of the SIPp of this side have such a line.
sees() { within 10 has_seen "$@" || fault "$1: no message '$3' came"; }
has_seen() {
    local file="$work/sipp/${1%s}/messages"
    [ -e "$file" ] && [ "$(grep -c -E "$3" "$file")" -ge "$2" ]
}

# call SCENARIO [FAMILY [FAMILY [TRANSPORT [TRANSPORT]]]]: both sides with their media; families and transports are the caller's and the
# callee's, who listens on $callee_port.
declare -A call_family
call() {
    call_name=$1
    call_family[callers]=${2-4}
    call_family[callees]=${3-${2-4}}
    local transport=${4-u1} callee_media=${callee_media-send}
    media callers open caller "$(address callers "${call_family[callers]}")" 7000 send
    if [ "$callee_media" != none ]; then
        media callees open callee "$(address callees "${call_family[callees]}")" 7000 "$callee_media"
    fi
    sipp_port="${callee_port-5060}" sipp callees "$1" "${call_family[callees]}" "${5-$transport}"
    sipp callers "$1" "${call_family[callers]}" "$transport"
}

# Both sides have ended, and well.
end_call() {
    local name pid
    for name in caller callee; do
        pid=${!name}
        wait "$pid" || fault "the $name's SIPp ended with $?: $(sipp_errors "$name")"
    done
    local side
    for side in callers callees; do
        for name in caller callee moved; do media "$side" close "$name"; done
    done
}

sipp_errors() {
    local place="$work/sipp/$1"
    mkdir -p "$work/failed"
    cp "$place/messages" "$work/failed/$call_name-$1.messages" 2>/dev/null || true
    cp "$place/errors" "$work/failed/$call_name-$1.errors" 2>/dev/null || true
    if [ -s "$place/errors" ]; then grep -v '^$' "$place/errors" | head -n 4; else tail -n 3 "$work/$1.log"; fi
}

# --- Calls

# both_hear [COUNT]: media flows both ways, comes from the node, and nothing is missing; RTCP, too.
both_hear() {
    local count=${1-15}
    hears callers caller "received>=$count" lost=0 wrong=0 repeated=0 \
        "sources=$(media_source callers "${call_family[callers]}")" "rtcp>=1"
    hears callees "${2-callee}" "received>=$count" lost=0 wrong=0 repeated=0 \
        "sources=$(media_source callees "${call_family[callees]}")" "rtcp>=1"
}

# A call that the caller ends when both have heard each other.
plain_call() {
    call "$@"
    both_hear
    node_shows
    go callers
    end_call
}

run_basic() { plain_call basic 4 4; }

# SIPp sends back what it gets.
run_echo() {
    callee_media=none call echo
    hears callers caller "received>=50" lost=0 wrong=0 repeated=0 "sources=$(media_source callers 4)"
    node_shows
    go callers
    end_call
}
run_ipv6() {
    [ "$uses_node" = no ] || called_user=six
    plain_call basic 6 6
    called_user=bob
}

# The call changes the address family on its way.
run_ipv4-to-ipv6() {
    called_user=six
    plain_call basic 4 6
    called_user=bob
}
run_late-offer() { plain_call late-offer 4 4; }

run_tcp() {
    called_user="$(by tcp bob)"
    call paced 4 4 t1
    both_hear
    end_call
    called_user=bob
}

run_callee-ends() {
    call callee-ends
    both_hear
    go callees
    end_call
}

run_held() {
    call held
    both_hear
    # sendonly: the callee still hears, the caller does not.
    go callers
    sees callees 2 '^INVITE'
    quiet callers caller
    media callees mark callee
    hears callees callee "received>=10" lost=0
    go callers
    sees callees 3 '^INVITE'
    media callers mark caller
    both_hear
    # inactive: nobody hears.
    go callers
    sees callees 4 '^INVITE'
    quiet callers caller
    quiet callees callee
    go callers
    sees callees 5 '^INVITE'
    media callers mark caller
    media callees mark callee
    both_hear
    # c=0.0.0.0
    go callers
    sees callees 6 '^INVITE'
    quiet callers caller
    go callers
    sees callees 7 '^INVITE'
    media callers mark caller
    media callees mark callee
    both_hear
    # The callee's turn.
    go callees
    sees callers 1 '^INVITE'
    quiet callees callee
    media callers mark caller
    hears callers caller "received>=10" lost=0
    go callees
    sees callers 2 '^INVITE'
    media callees mark callee
    both_hear
    go callers
    end_call
}

run_port-change() {
    # What still comes from the old UDP port when media has arrived from the new one.
    harmless=drop_wrong_source
    media callers open moved "$(address callers 4)" 7010 send
    media callees open moved "$(address callees 4)" 7010 send
    call port-change
    both_hear
    go callers
    hears callers moved "received>=15" lost=0 wrong=0
    media callers silent caller
    go callees
    hears callees moved "received>=15" lost=0 wrong=0
    media callees silent callee
    media callers mark moved
    hears callers moved "received>=15" lost=0 wrong=0
    go callers
    end_call
}

run_early-media() {
    call early-media
    both_hear
    go callees
    sees callers 1 '^SIP/2.0 200'
    media callers mark caller
    media callees mark callee
    both_hear
    go callers
    end_call
}

run_reliable() {
    call reliable
    both_hear
    go callees
    sees callers 2 '^SIP/2.0 200'
    both_hear 30
    go callers
    end_call
}

cancelled() {
    call "$1"
    sees callees 1 '^INVITE'
    sees callers 1 "$2"
    go callers
    end_call
}
run_cancel-early() { cancelled cancel-early '^SIP/2.0 100'; }
run_cancel-ringing() { cancelled cancel-ringing '^SIP/2.0 180'; }
run_cancel-crosses() { cancelled cancel-crosses '^SIP/2.0 180'; }

run_busy() {
    call busy
    end_call
}

# The node asks whoever calls this user for credentials.
run_challenged() {
    called_user=vip
    plain_call challenged 4 4
    called_user=bob
}

# The node has credentials for the next hop, which the callee checks.
run_challenges() {
    called_user=guarded
    plain_call challenges 4 4
    called_user=bob
}

run_refused-change() {
    call refused-change
    both_hear
    go callers
    sees callers 1 '^SIP/2.0 488'
    media callers mark caller
    media callees mark callee
    both_hear
    go callers
    end_call
}

run_glare() {
    call glare
    both_hear
    go callees
    sees callers 3 '^SIP/2.0 200'
    both_hear 30
    go callers
    end_call
}

# Every third datagram of SIP is lost on the way in, on both sides.
run_lossy() {
    local side
    for side in callers callees; do
        inside "$side" nft -f - <<'RULES'
table inet loss {
    chain input {
        type filter hook input priority 0; policy accept;
        meta l4proto udp udp dport 5060 ip saddr != 127.0.0.1 fib saddr type != local numgen inc mod 3 0 drop
    }
}
RULES
    done
    call lossy
    both_hear
    go callers
    end_call
    for side in callers callees; do inside "$side" nft delete table inet loss; done
}

# Who never acknowledges loses the call, and so does the other side.
run_no-ack() {
    call no-ack
    end_call
}

# Two callees ring; one takes the call, the other is told that it is over.
run_forked() {
    local loser
    sipp_name=loser sipp_port=5070 sipp callees cancel-ringing 4 u1
    loser=$started
    called_user=both
    plain_call basic 4 4
    called_user=bob
    wait "$loser" || fault "the other callee's SIPp ended with $?: $(sipp_errors loser)"
}

# Whatever scanners send, a call does not notice, and the node still answers.
run_wrong-input() {
    local before after
    inside callers ip address add 10.9.9.9/32 dev cal0
    inside node ip route add 10.9.9.0/24 via 10.1.0.2
    call basic
    both_hear
    before="$(resident)"
    inside callers timeout 60 "$python" "$peers/scanner.py" 10.1.0.1 5060 "$repository/scripts/fuzzers/seeds/sip/parser" 10.9.9.9 10.1.0.2 \
        2>"$work/scanner.wrong" || fault "$(tail -n 1 "$work/scanner.wrong")"
    after="$(resident)"
    [ $((after - before)) -lt 65536 ] || fault "the daemon grew from $before to $after KiB"
    both_hear 50
    node_shows
    go callers
    end_call
    inside node ip route del 10.9.9.0/24
    inside callers ip address del 10.9.9.9/32 dev cal0
}

# The daemon's memory, KiB.
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$node/status"; }

# The daemon is killed; media goes on, and so does the call when another one has read the journal.
run_restarted() {
    harmless=drop_wrong_source
    media callees open moved "$(address callees 4)" 7010 send
    call restarted
    both_hear
    stop "$node" KILL
    media callers mark caller
    media callees mark callee
    both_hear 50
    start_node
    both_hear 60
    node_shows
    go callers
    sees callees 2 '^INVITE'
    quiet callers caller
    go callers
    sees callees 3 '^INVITE'
    media callers mark caller
    both_hear
    go callees
    hears callees moved "received>=15" lost=0 wrong=0
    media callees silent callee
    media callers mark caller
    hears callers caller "received>=15" lost=0 wrong=0
    go callers
    end_call
}

# --- baresip

# baresip SIDE TRANSPORT CODEC [ARGUMENTS…]: starts one, as alice or bob; $baresip_options are for baresip itself.
baresip_options=()
# What each of them has to say: when that has ended, so has the call.
baresip_seconds=30
baresip() {
    local side=$1 user=alice interface=cal0
    if [ "$side" = callees ]; then user=bob interface=cle0; fi
    if [ "$uses_node" = no ]; then interface=$([ "$side" = callers ] && echo dir0 || echo dir1); fi
    rm -rf "${work:?}/$user"
    "$python" "$peers/baresip.py" prepare "$work/$user" "$user" "$(address "$side" 4)" "$interface" "$2" "$3" "$baresip_seconds" \
        --authorities "$work/ca.pem" --certificate "$work/$side.pem" "${@:4}"
    : >"$work/$user.log"
    start "$side" "$user.log" stdbuf -oL baresip -4 -v "${baresip_options[@]}" -f "$work/$user"
    declare -g "$user=$started"
    within 10 grep -q 'baresip is ready' "$work/$user.log" || fault "baresip does not start: $(tail -n 1 "$work/$user.log")"
}

tell() {
    local side=callers
    [ "$1" = alice ] || side=callees
    inside "$side" "$python" "$peers/baresip.py" tell "$(address "$side" 4)" "${@:2}" 2>"$work/tell.wrong" ||
        fault "$1: $(tail -n 1 "$work/tell.wrong")"
}

# Whether so many bytes of audio have been heard.
has_heard() { [ "$(cat "$work/$1"/heard/*-dec.wav 2>/dev/null | wc -c)" -ge "$2" ]; }

# baresip_call TRANSPORT CODEC CALLED: alice calls bob, both hear what the other says, bob hangs up.
baresip_call() {
    baresip callees "$1" "$2"
    baresip callers "$1" "$2"
    baresip_talk "$2" "$3"
}

# baresip_talk CODEC CALLED: the same, when both have been started.
baresip_talk() {
    local user listener
    tell alice dial "$2"
    for user in alice bob; do
        within 15 grep -q 'Call established' "$work/$user.log" || fault "$user: no call: $(grep -v Populated "$work/$user.log" | tail -n 2)"
        within 15 has_heard $user 400000 || fault "$user heard too little"
    done
    node_shows
    tell bob hangup
    within 10 grep -q 'terminated' "$work/alice.log" || fault "alice's call does not end"
    stop "$alice"
    stop "$bob"
    for user in alice bob; do
        listener=$([ $user = alice ] && echo bob || echo alice)
        if [ "$1" = l16 ]; then
            "$python" "$peers/baresip.py" same "$work/$user" "$work/$listener" 2>"$work/heard.wrong" || fault "$listener: $(cat "$work/heard.wrong")"
        else
            "$python" "$peers/baresip.py" tone "$work/$listener" "$([ $user = alice ] && echo 440 || echo 660)" 2>"$work/heard.wrong" ||
                fault "$listener: $(cat "$work/heard.wrong")"
        fi
    done
}

# by TRANSPORT USER: who the node calls by that transport.
by() { if [ "$uses_node" = yes ]; then echo "$1.$2"; else echo "$2"; fi; }

run_baresip-l16() { baresip_call udp l16 "sip:bob@$(called 4)"; }
run_baresip-tcp() { baresip_call tcp l16 "sip:$(by tcp bob)@$(called 4);transport=tcp"; }
run_baresip-tls() { baresip_call tls opus "sip:$(by tls bob)@$(called 4):5061;transport=tls"; }

# srtp_talk CALLERSTRANSPORT CALLEESTRANSPORT CALLED: whoever speaks TLS takes and gives SRTP only, and whoever does not, plain RTP.
srtp_talk() {
    local side transport arguments
    for side in callees callers; do
        transport=$([ $side = callees ] && echo "$2" || echo "$1")
        arguments=()
        [ "$transport" != tls ] || arguments=(--srtp)
        baresip "$side" "$transport" l16 "${arguments[@]}"
    done
    baresip_talk l16 "$3"
}

run_baresip-srtp() { srtp_talk tls tls "sip:$(by srtp bob)@$(called 4):5061;transport=tls"; }
run_baresip-srtp-called() { srtp_talk udp tls "sip:required.bob@10.1.0.1"; }
run_baresip-srtp-calling() { srtp_talk tls udp "sip:off.bob@10.1.0.1:5061;transport=tls"; }

# A device registers under a name, and is called by it.
run_registered() {
    local arguments=(--name desk --register 10.2.0.1)
    baresip callees udp l16 "${arguments[@]}"
    within 10 grep -q '200 OK' "$work/bob.log" || fault "bob is not registered: $(tail -n 1 "$work/bob.log")"
    baresip callers udp l16
    baresip_talk l16 "sip:desk@10.1.0.1"
}

# established USER COUNT: its call number COUNT stands, and so many bytes have been heard of it.
established() {
    within 15 has_line "$2" 'Call established' "$work/$1.log" || fault "$1: no call: $(grep -v Populated "$work/$1.log" | tail -n 2)"
}
has_line() { [ "$(grep -c "$2" "$3")" -ge "$1" ]; }

# nat TRANSPORT: a device that masquerades as its router, at other UDP and TCP ports, registers, is called and calls, and hears when the
# other side hangs up. Without an ACK it would end its call after 32 s.
nat() {
    local arguments=(--name desk --register 10.2.0.1) before="$work/crosspoint.yaml.before" dialled=sip:desk@10.1.0.1
    make_namespace device
    make_link device dev0 callees nat0
    inside device ip address add 192.168.77.7/24 dev dev0
    inside device ip route add default via 192.168.77.1
    inside callees ip address add 192.168.77.1/24 dev nat0
    inside callees sysctl -q -w net.ipv4.ip_forward=1
    inside callees nft -f - <<'RULES'
table ip router {
    chain postrouting {
        type nat hook postrouting priority srcnat;
        oifname "cle0" ip saddr 192.168.77.0/24 meta l4proto { tcp, udp } masquerade to :41000-41999
    }
}
RULES
    cp "$work/crosspoint.yaml" "$before"
    sed -i 's/^sip:$/sip:\n  source: learn/' "$work/crosspoint.yaml"
    stop "$node"
    start_node
    # What the device sends to where it has not opened its router yet.
    harmless=drop_wrong_source
    rm -rf "${work:?}/bob"
    "$python" "$peers/baresip.py" prepare "$work/bob" bob 192.168.77.7 dev0 "$1" l16 70 "${arguments[@]}"
    : >"$work/bob.log"
    start device bob.log stdbuf -oL baresip -4 -v -f "$work/bob"
    bob=$started
    within 10 grep -q '200 OK' "$work/bob.log" || fault "bob is not registered: $(tail -n 1 "$work/bob.log")"
    crosspoint sip registrations >"$work/registrations"
    grep -q '10.2.0.5:41' "$work/registrations" || fault "bob is not behind a NAT: $(tail -n 1 "$work/registrations")"
    baresip_seconds=70
    baresip callers "$1" l16
    baresip_seconds=30
    tell alice dial "$dialled"
    for user in alice bob; do
        established $user 1
        within 15 has_heard $user 400000 || fault "$user heard too little"
    done
    node_shows
    sleep 34
    ! grep -q terminated "$work/bob.log" || fault "bob hung up: $(grep terminated "$work/bob.log")"
    node_shows
    tell alice hangup
    within 10 has_line 1 terminated "$work/bob.log" || fault "bob does not hear that alice hung up"
    rm -f "$work"/{alice,bob}/heard/*-dec.wav
    inside device "$python" "$peers/baresip.py" tell 192.168.77.7 dial "sip:$([ "$1" = udp ] || echo tcp.)alice@10.2.0.1"
    for user in alice bob; do
        established $user 2
        within 15 has_heard $user 400000 || fault "$user heard too little of the call to alice"
    done
    tell alice hangup
    within 10 has_line 2 terminated "$work/bob.log" || fault "bob does not hear that alice has ended its call"
    stop "$alice"
    stop "$bob"
    mv "$before" "$work/crosspoint.yaml"
    stop "$node"
    start_node
    inside callees nft delete table ip router
    ip netns del "$run_id-device"
}
run_nat-udp() { nat udp; }
run_nat-tcp() { nat tcp; }

# A MESSAGE outside of calls goes by the dial plan.
run_message() {
    call_name=message
    sipp callees message 4 u1
    sipp callers message 4 u1
    end_call
    sees callees 1 '^MESSAGE'
}

# A MESSAGE reaches a device that has registered, whose answer reaches the sender.
run_message-registered() {
    local arguments=(--name desk --register 10.2.0.1)
    call_name=message-registered
    # What a message says it shows nowhere but in a trace.
    baresip_options=(-s)
    baresip callees udp l16 "${arguments[@]}"
    baresip_options=()
    within 10 grep -q '200 OK' "$work/bob.log" || fault "bob is not registered: $(tail -n 1 "$work/bob.log")"
    called_user=desk
    sipp callers message-registered 4 u1
    called_user=bob
    # shellcheck disable=SC2154  # sipp makes it
    wait "$caller" || fault "the caller's SIPp ended with $?: $(sipp_errors caller)"
    within 10 grep -q 'Stand by, desk' "$work/bob.log" || fault "bob has not got the message: $(tail -n 1 "$work/bob.log")"
    stop "$bob"
}

# --- Kamailio

# kamailio SIDE ADDRESS NEXT [ARGUMENTS…]: a proxy there, on UDP, TCP and TLS, that sends everything on.
kamailio() {
    local side=$1 interface=cal0
    [ "$side" = callers ] || interface=cle0
    if [ "$uses_node" = no ]; then interface=$([ "$side" = callers ] && echo dir0 || echo dir1); fi
    inside "$side" ip address add "$2/24" dev "$interface"
    mkdir -p "$work/kamailio-$side"
    cat >"$work/kamailio-$side/tls.cfg" <<CONFIGURATION
[server:default]
method = TLSv1.2+
certificate = $work/$side.pem
private_key = $work/$side.pem
verify_certificate = no
[client:default]
method = TLSv1.2+
ca_list = $work/ca.pem
verify_certificate = yes
CONFIGURATION
    : >"$work/kamailio-$side.log"
    start "$side" "kamailio-$side.log" kamailio -DD -E -f "$peers/kamailio.cfg" -P "$work/kamailio-$side/pid" \
        -Y "$work/kamailio-$side" -m 32 -M 4 -A "NEXT=\"$3\"" -A WITH_TLS -A "TLS_CONFIGURATION=\"$work/kamailio-$side/tls.cfg\"" \
        -l "udp:$2:5060" -l "tcp:$2:5060" -l "tls:$2:5061" "${@:4}"
    declare -g "proxy_$side=$started"
    within 10 listens_at "$side" "$2" || fault "Kamailio does not start: $(tail -n 1 "$work/kamailio-$side.log")"
}

listens_at() { inside "$1" ss -Hltn src "$2:5061" | grep -q .; }

# kamailio_call TRANSPORT SCENARIO: SIPp calls SIPp through a proxy, the node, and another proxy; the proxies and the node speak with
# each other by this transport.
kamailio_call() {
    local front=10.1.0.3 behind=10.2.0.6 next
    if [ "$uses_node" = no ]; then front=10.3.0.3 behind=10.3.0.6; fi
    next="sip:$(called 4):5060;transport=$1"
    if [ "$uses_node" = no ]; then next="sip:$behind:5060;transport=$1"; fi
    if [ "$1" = tls ]; then next="${next/:5060/:5061}"; fi
    kamailio callees $behind "sip:$(address callees 4):5060"
    kamailio callers $front "$next"
    called_user="$1.proxied" called_host=$front call "$2"
    both_hear
    node_shows
    go "${3-callers}"
    end_call
    stop "$proxy_callers"
    stop "$proxy_callees"
    inside callers ip address del "$front/24" dev "$([ "$uses_node" = yes ] && echo cal0 || echo dir0)"
    inside callees ip address del "$behind/24" dev "$([ "$uses_node" = yes ] && echo cle0 || echo dir1)"
}

run_kamailio-udp() { kamailio_call udp basic; }
run_kamailio-tcp() { kamailio_call tcp callee-ends callees; }
run_kamailio-tls() { kamailio_call tls basic; }

# kamailio_asks ALGORITHM: the proxy behind the node wants to know who every request of it is from.
kamailio_asks() {
    local who algorithm=$1
    kamailio callees 10.2.0.6 "sip:$(address callees 4):5060" \
        -A 'PASSWORD="secret"' -A "ALGORITHM=\"$algorithm\"" -A "CALLEE=\"$(address callees 4)\""
    called_user=asked.proxied plain_call basic 4 4
    # INVITE and BYE; the ACK has the credentials of its INVITE, and nobody may ask for them.
    for who in INVITE BYE; do
        within 10 grep -q "authenticated $who" "$work/kamailio-callees.log" || fault "Kamailio has not authenticated the $who"
    done
    # With another password the caller hears that it may not, and the callee nothing.
    call_name=forbidden
    called_user=strange.proxied sipp callers forbidden 4 u1
    wait "$caller" || fault "the caller's SIPp ended with $?: $(sipp_errors caller)"
    stop "$proxy_callees"
    inside callees ip address del 10.2.0.6/24 dev cle0
}

run_kamailio-asks() { kamailio_asks MD5; }
run_kamailio-asks-sha-256() { kamailio_asks SHA-256; }

# --- Next hops by name (RFC 3263)

# Whether the name server was asked for records of this type.
was_asked() { grep -q "query\[$1\] $2 " "$work/dnsmasq.log"; }

# The name server beside the callees. Of studio.test the NAPTR records prefer TCP, and of its SRV records the first is for a UDP port where
# nobody listens; busy.test has SRV records alone, and at the first of them the callee takes no calls; of six.test there is IPv6 only.
start_name_server() {
    echo "nameserver 10.2.0.5" >"$work/resolv.conf"
    : >"$work/dnsmasq.log"
    start callees dnsmasq.log dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user=root --pid-file= \
        --listen-address=10.2.0.5 --bind-interfaces --log-facility=- --log-queries --local=/test/ \
        --naptr-record=studio.test,20,50,s,SIP+D2U,,_sip._udp.studio.test \
        --naptr-record=studio.test,10,50,s,SIP+D2T,,_sip._tcp.studio.test \
        --srv-host=_sip._udp.studio.test,udp.studio.test,5098,10,10 \
        --srv-host=_sip._tcp.studio.test,alive.studio.test,5071,20,10 \
        --srv-host=_sip._tcp.studio.test,dead.studio.test,5099,10,90 \
        --srv-host=_sip._udp.busy.test,second.busy.test,5071,2,0 --srv-host=_sip._udp.busy.test,first.busy.test,5070,1,0 \
        --srv-host=_sip._udp.six.test,only.six.test,5060,0,0 \
        --host-record=udp.studio.test,10.2.0.5 --host-record=alive.studio.test,10.2.0.5 --host-record=dead.studio.test,10.2.0.5 \
        --host-record=first.busy.test,10.2.0.5 --host-record=second.busy.test,10.2.0.5 \
        --host-record=only.six.test,fd00:2::5
    within 10 grep -q 'started, version' "$work/dnsmasq.log" || die "dnsmasq does not start: $(tail -n 1 "$work/dnsmasq.log")"
}

# by_name USER PORT FAMILY TRANSPORT: a call that reaches its callee at this port.
by_name() {
    called_user=$1 callee_port=$2 call basic 4 "$3" u1 "$4"
    both_hear
    node_shows
    go callers
    end_call
}

# NAPTR chooses TCP, SRV the order: nobody takes the connection at the first place, so that the second one has the call.
run_dns-naptr() {
    by_name studio 5071 4 t1
    was_asked NAPTR studio.test || fault "the node did not ask for NAPTR records"
    was_asked SRV _sip._tcp.studio.test || fault "the node did not ask for SRV records"
    was_asked A dead.studio.test || fault "the node did not ask for the address of the first place"
}

# Who answers 503 is passed over (RFC 3263 section 4.3), and the next call goes to the other one at once.
run_dns-unavailable() {
    local first
    call_name=unavailable
    sipp_name=first sipp_port=5070 sipp callees unavailable 4 u1
    first=$started
    by_name busy 5071 4 u1
    wait "$first" || fault "the first place's SIPp ended with $?: $(sipp_errors first)"
    by_name busy 5071 4 u1
    was_asked NAPTR busy.test || fault "the node did not ask for NAPTR records"
}

# A name with an AAAA record alone.
run_dns-ipv6() {
    by_name six.test 5060 6 u1
    was_asked AAAA only.six.test || fault "the node did not ask for AAAA records"
}

# --- The node

# A certificate authority, and certificates for the node and for both sides by address.
make_certificates() {
    local name addresses
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/ca.key" -out "$work/ca.pem" -days 2 -subj "/CN=Studio" 2>/dev/null
    for name in node callers callees; do
        case $name in
            node) addresses=IP:10.1.0.1,IP:10.2.0.1 ;;
            callers) addresses=IP:10.1.0.2,IP:10.1.0.3,IP:10.3.0.2,IP:10.3.0.3 ;;
            callees) addresses=IP:10.2.0.5,IP:10.2.0.6,IP:10.3.0.5,IP:10.3.0.6 ;;
        esac
        openssl req -newkey rsa:2048 -nodes -keyout "$work/$name.key" -out "$work/$name.csr" -subj "/CN=$name" 2>/dev/null
        openssl x509 -req -in "$work/$name.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 \
            -extfile <(echo "subjectAltName=$addresses") -out "$work/$name.crt" 2>/dev/null
        cat "$work/$name.key" "$work/$name.crt" >"$work/$name.pem"
    done
}

# write_users: who may call the users that ask for credentials.
write_users() {
    printf 'secret\n' >"$work/password"
    printf 'wrong\n' >"$work/wrong-password"
    chmod 600 "$work/password" "$work/wrong-password"
    local name
    for name in alice desk; do
        "$CROSSPOINT" user add $name --realm studio --file "$work/users" <"$work/password" >"$work/user.log" 2>&1 ||
            die "user add: $(tail -n 1 "$work/user.log")"
    done
}

# Users bob and vip are at the callee itself; of tcp.bob and the like the part before the point says by which transport, or how with SRTP; what ends in
# .proxied is behind the proxy; six is where IPv6 is.
write_node_configuration() {
    write_configuration
    cat >>"$work/crosspoint.yaml" <<CONFIGURATION
ports: [eth0, eth1]
sip:
  certificate: {chain: $work/node.crt, private-key: $work/node.key}
  ca-file: $work/ca.pem
  realm: studio
  users-file: $work/users
  allow: [10.1.0.0/24, 10.2.0.0/24, "fd00:1::/64", "fd00:2::/64"]
  # libre 1 gives up at a challenge of SHA-256, whatever else is offered.
  registrar: {allow: [10.2.0.0/24]}
  dial-plan:
    - {name: vip, user: vip, callers: any-user, to: "sip:bob@10.2.0.5"}
    - {name: guarded, user: guarded, to: {uri: "sip:bob@10.2.0.5", user: node, password-file: $work/password}}
    - {name: both, user: both, forking: parallel, to: ["sip:bob@10.2.0.5", "sip:bob@10.2.0.5:5070"]}
    - {name: desk, user: desk, to: registered}
    - {name: alice, user: alice, to: "sip:alice@10.1.0.2"}
    - {name: alice-by-tcp, user: tcp.alice, to: "sip:alice@10.1.0.2;transport=tcp"}
    - {name: six, user: six, to: "sip:bob@[fd00:2::5]"}
    - {name: udp-proxied, user: udp.proxied, to: "sip:bob@10.2.0.6"}
    - {name: asked, user: asked.proxied, to: {uri: "sip:bob@10.2.0.6", user: node, password-file: $work/password}}
    - {name: strange, user: strange.proxied, to: {uri: "sip:bob@10.2.0.6", user: node, password-file: $work/wrong-password}}
    - {name: tcp-proxied, user: tcp.proxied, to: "sip:bob@10.2.0.6;transport=tcp"}
    - {name: tls-proxied, user: tls.proxied, to: "sip:bob@10.2.0.6:5061;transport=tls"}
    - {name: tcp, user: tcp.bob, to: "sip:bob@10.2.0.5;transport=tcp"}
    - {name: tls, user: tls.bob, to: "sip:bob@10.2.0.5:5061;transport=tls"}
    - {name: srtp, user: srtp.bob, to: "sip:bob@10.2.0.5:5061;transport=tls", srtp: offered}
    - {name: srtp-required, user: required.bob, to: "sip:bob@10.2.0.5:5061;transport=tls", srtp: required}
    - {name: srtp-off, user: off.bob, to: "sip:bob@10.2.0.5", srtp: off}
    - {name: studio, user: studio, to: "sip:bob@studio.test"}
    - {name: busy, user: busy, to: "sip:bob@busy.test"}
    - {name: six-test, user: six.test, to: "sip:bob@six.test"}
    - {name: bob, to: "sip:bob@10.2.0.5"}
CONFIGURATION
}

# What `finish` does is not enough for a daemon that was killed and started again: its process id is in $node.
start_node() {
    # shellcheck disable=SC2016  # the inner shell's
    daemon_launcher=(
        unshare --mount --propagation private bash -c 'mount --bind "$0" /etc/resolv.conf && exec "$@"' "$work/resolv.conf"
    )
    start_daemon
    node=$daemon
}

# node_shows: the node has one call, with media both ways in the fast path. (Without the node there is nothing to see.)
node_shows() {
    [ "$uses_node" = yes ] || return 0
    within 10 has_calls 1 || fault "$(cat "$work/calls.wrong")"
}

has_calls() {
    crosspoint session list --json >"$work/sessions.json" 2>"$work/calls.wrong" &&
        crosspoint stats --json >"$work/statistics.json" 2>"$work/calls.wrong" &&
        "$python" "$repository/scripts/lib/nodecheck.py" calls "$work/sessions.json" "$work/statistics.json" "$1" >"$work/calls.wrong" 2>&1
}

# Nothing of a call is left at the node.
is_idle() {
    crosspoint session list --json >"$work/sessions.json" 2>"$work/idle.wrong" &&
        crosspoint stats --json >"$work/statistics.json" 2>"$work/idle.wrong" &&
        "$python" "$repository/scripts/lib/nodecheck.py" idle "$work/sessions.json" "$work/statistics.json" >"$work/idle.wrong" 2>&1
}

# Frames that could not be sent, over the interfaces of the node.
transmit_errors() {
    local interface
    for interface in eth0 eth1; do
        inside node ethtool -S $interface | awk -v where="$interface" '/xdp_xmit_errors/ && $2 { print where, $2 }'
    done
}

check_afterwards() {
    within 10 is_idle || fault "$(cat "$work/idle.wrong")"
    "$python" "$repository/scripts/lib/nodecheck.py" drops "$work/before.json" "$work/statistics.json" "$harmless" >"$work/drops.wrong" 2>&1 ||
        fault "$(cat "$work/drops.wrong")"
    transmit_errors >"$work/errors.after"
    cmp -s "$work/errors.before" "$work/errors.after" || fault "transmit errors: $(comm -13 "$work/errors.before" "$work/errors.after")"
}

run_scenario() {
    local name=$1 began=$SECONDS
    faults=""
    harmless=""
    if [ "$uses_node" = yes ]; then
        crosspoint stats --json >"$work/before.json"
        transmit_errors >"$work/errors.before"
    fi
    "run_$name"
    if [ "$uses_node" = yes ]; then check_afterwards; fi
    if [ -z "$faults" ]; then
        printf '  ok      %-22s %2d s\n' "$name" $((SECONDS - began))
    else
        wrongs=$((wrongs + 1))
        printf '  FAILED  %-22s %2d s  %s\n' "$name" $((SECONDS - began)) "$faults"
    fi
}

is_listed() {
    local one=$1
    shift
    [[ " $* " == *" $one "* ]]
}

only=()
while [ $# -gt 0 ]; do
    case $1 in
        --list) printf '%s\n' "${scenarios[@]}" && exit 0 ;;
        --only)
            is_listed "${2-}" "${scenarios[@]}" || die "${2-}: not a scenario (see $0 --list)"
            only+=("$2")
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
begin crosspoint-sip
"$repository/scripts/setup" --sip >"$work/setup.log" || die "setup: $(tail -n 1 "$work/setup.log")"
mkdir "$work/scenarios" "$work/sipp"
"$python" "$peers/scenarios.py" "$work/scenarios"
make_studio
make_certificates
start_media
if [ "$uses_node" = yes ]; then
    make_bpffs_directory
    write_users
    write_node_configuration
    start_name_server
    start_node
fi
for scenario in "${scenarios[@]}"; do
    if [ ${#only[@]} -gt 0 ] && ! is_listed "$scenario" "${only[@]}"; then continue; fi
    if [ "$uses_node" = no ] && is_listed "$scenario" "${only_with_node[@]}"; then continue; fi
    run_scenario "$scenario"
done
[ "$wrongs" -eq 0 ]
