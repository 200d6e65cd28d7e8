#!/bin/bash
# SRTP with real peers, and between two nodes over a link.
#
#   sudo scripts/tests/srtp.sh
#
# CROSSPOINT names the binary to test; without it, the debug build of this checkout.
#
# What the node encrypts, GStreamer's srtpdec and ffmpeg decrypt; what srtpenc and ffmpeg encrypt, the node decrypts: in three profiles, with SSRC 0, over
# a wrap of the sequence numbers, and with late joiners at either end. Each packet is known by its number. Then a flow crosses from one node to another over a
# link: encrypted between them, plain at both ends, while either daemon is killed and started again. Bad keys are refused in one line that has no secret in it.
#
#     camera cam0 --- eth0 node eth1 --- rx1 receiver       (one node: node eth1 and eth0)
#     camera cam0 --- eth0 node wan0 --- c0 cloud c1 --- wan1 remote eth1 --- far1 far       cloud: a bridge, where somebody listens
#
# Exit code: 0 right, 1 wrong, 77 skipped for want of root.
set -euo pipefail
# shellcheck source=../lib/common.sh source-path=SCRIPTDIR
. "$(dirname "$0")/../lib/common.sh"

packets_per_second=500
# A wrap after a second.
first=65000

make_studio() {
    local role
    for role in camera node receiver cloud remote far; do make_namespace "$role"; done
    make_link camera cam0 node eth0
    make_link node eth1 receiver rx1
    make_link node wan0 cloud c0
    make_link cloud c1 remote wan1
    inside cloud ip link add br0 type bridge
    inside cloud ip link set br0 up
    inside cloud ip link set c0 master br0
    inside cloud ip link set c1 master br0
    make_link remote eth1 far far1
    inside camera ip address add 10.1.0.7/24 dev cam0
    inside camera ip route add 224.0.0.0/4 dev cam0
    inside node ip address add 10.1.0.1/24 dev eth0
    inside node ip address add 10.2.0.1/24 dev eth1
    inside receiver ip address add 10.2.0.5/24 dev rx1
    inside node ip address add 198.51.100.1/24 dev wan0
    inside remote ip address add 198.51.100.2/24 dev wan1
    inside remote ip address add 10.3.0.1/24 dev eth1
    inside far ip address add 10.3.0.5/24 dev far1
}

# remote COMMAND…: the command line program, talking to the daemon of the other node.
remote() { inside remote "$CROSSPOINT" "$@" --socket "$work/remote.sock"; }

start_remote() {
    cat >"$work/remote.yaml" <<CONFIGURATION
node: $run_id-remote
runtime-directory: $work/remote
bpffs: $bpffs/remote
keys-directory: $work/remote-keys
state-directory: $work/remote-state
afxdp: {frames: 2048}
control:
  socket: $work/remote.sock
metrics:
  listen: off
CONFIGURATION
    mkdir -p "$work/remote"
    start remote remote.log "$CROSSPOINT" run --config "$work/remote.yaml"
    remote_daemon=$started
    wait_until 20 remote route list || die "the other node's daemon does not answer: $(tail -n 1 "$work/remote.log")"
}

# send NAME RATE ADDRESS:UDPPORT [ROLE]
send() {
    start camera "$1.camera.log" "$python" "$repository/scripts/lib/rtp_sequence.py" send --rate "$2" --first $first --ssrc 0 "cam=$3"
    sender=$started
    wait_until 10 grep -q ready "$work/$1.camera.log" || die "the camera does not start: $(tail -n 1 "$work/$1.camera.log")"
}

# receive ROLE NAME FLOW…
receive() {
    local role=$1 name=$2
    shift 2
    start "$role" "$name.receiver.log" "$python" "$repository/scripts/lib/rtp_sequence.py" receive "$@"
    receiver=$started
    wait_until 10 grep -q ready "$work/$name.receiver.log" || die "the receiver does not start: $(tail -n 1 "$work/$name.receiver.log")"
}

# received RUN FLOW: how many packets came, once the receiver has ended.
received() { sed -n "s/^$2 received \([0-9]*\) .*/\1/p" "$work/$1.receiver.log"; }

# whole RUN FLOW: every packet that was sent came, and none twice.
whole() {
    local sent line
    sent="$(sed -n 's/^cam sent //p' "$work/$1.camera.log")"
    line="$(grep "^$2 received " "$work/$1.receiver.log" || true)"
    if [ -n "$sent" ] && [ "$sent" -gt $((65600 - first)) ] && [ "$line" = "$2 received $sent missing 0 duplicated 0" ]; then
        right "$1, $2: all of $sent packets, over the wrap"
    else
        wrong "$1, $2: ${sent:-none} sent, $line"
    fi
}

# count COMMAND REASON: what statistics have counted for a reason, at all ports together. COMMAND is crosspoint or remote.
count() {
    "$1" stats --json 2>/dev/null | "$python" -c '
import json, sys
print(sum(port["undelivered"].get(sys.argv[1], 0) for port in json.load(sys.stdin)["ports"]))' "$2"
}

# sent_by LEG-UDP-PORT: packets that the leg to this UDP port has sent.
sent_by() {
    crosspoint stats --json 2>/dev/null | "$python" -c '
import json, sys
print(sum(leg["packets"] for flow in json.load(sys.stdin)["flows"] for leg in flow["legs"] if sys.argv[1] in leg["to"]))' ":$1@"
}
has_sent() { [ "$(sent_by "$1")" -gt "$2" ]; }

# refused WORDS COMMAND…: the command fails with one line that has these words, and no key.
refused() {
    local words=$1 output
    shift
    if output="$("$@" 2>&1)"; then
        wrong "$*: was not refused"
    elif [ "$(wc -l <<<"$output")" -eq 1 ] && grep -q -- "$words" <<<"$output" && ! grep -q "AAECAwQF" <<<"$output"; then
        right "$words: refused in one line"
    else
        wrong "$*: said: $output"
    fi
}

# make_key NAME PROFILE: a new key, and its hexadecimal digits in $hex and base64 in $base64.
make_key() {
    crosspoint_key new "$1" --profile "$2" >>"$work/key.log" || die "key $1: $(tail -n 1 "$work/key.log")"
    base64="$(sed -n 's/.*inline:\([^ |]*\).*/\1/p' "$keys/$1")"
    hex="$("$python" -c 'import base64, sys; print(base64.b64decode(sys.argv[1]).hex())' "$base64")"
}
crosspoint_key() { "$CROSSPOINT" key "$@" --directory "$keys"; }

# decrypt NAME UDP-PORT LOCAL-UDP-PORT CIPHER AUTH HEX ROC [SSRC]: srtpdec from the node's leg to a program at the receiver.
decrypt() {
    start receiver "$1.srtpdec.log" gst-launch-1.0 -q udpsrc address=10.2.0.5 port="$2" buffer-size=8000000 \
        caps="application/x-srtp,media=(string)video,clock-rate=(int)90000,payload=(int)96,ssrc=(uint)${8-0},srtp-key=(buffer)$6,srtp-cipher=(string)$4,srtp-auth=(string)$5,srtcp-cipher=(string)$4,srtcp-auth=(string)$5,roc=(uint)$7" \
        ! srtpdec ! udpsink host=127.0.0.1 port="$3" sync=false async=false
    decrypters+=("$started")
}

# encrypt NAME LOCAL-UDP-PORT UDP-PORT CIPHER AUTH HEX: srtpenc from a program at the camera to a group.
encrypt() {
    start camera "$1.srtpenc.log" gst-launch-1.0 -q udpsrc address=127.0.0.1 port="$2" buffer-size=8000000 \
        caps="application/x-rtp,media=(string)video,clock-rate=(int)90000,payload=(int)96,ssrc=(uint)0,encoding-name=(string)X" \
        ! srtpenc key="$6" rtp-cipher="$4" rtp-auth="$5" rtcp-cipher="$4" rtcp-auth="$5" \
        ! udpsink host=239.1.1.10 port="$3" multicast-iface=cam0 auto-multicast=false ttl-mc=32 sync=false async=false
    decrypters+=("$started")
}

# listens ROLE UDP-PORT…: somebody has a socket at each.
listens() {
    local role=$1 port
    shift
    for port in "$@"; do inside "$role" ss -Hlun "sport = :$port" | grep -q . || return 1; done
}

stop_decrypters() {
    local pid
    for pid in "${decrypters[@]}"; do stop "$pid"; done
    decrypters=()
}
decrypters=()

legs_send() { [ "$("$1" route show "$2" | grep -c active)" -eq "$3" ]; }

to_gstreamer() {
    local arguments=() number=0 profile
    local -a digits=()
    for profile in AES_CM_128_HMAC_SHA1_80 AES_256_CM_HMAC_SHA1_32 AEAD_AES_128_GCM AES_CM_128_HMAC_SHA1_80; do
        number=$((number + 1))
        make_key "leg$number" $profile
        digits+=("$hex")
        arguments+=(--to "10.2.0.5:$((5002 + 2 * number))@eth1,srtp=leg$number")
    done
    crosspoint route add out --from 239.1.1.10:5004@eth0 "${arguments[@]}" >>"$work/route.log" 2>&1 || die "route out: $(tail -n 1 "$work/route.log")"
    wait_until 20 legs_send crosspoint out 4 || die "the legs do not send: $(crosspoint route show out)"
    if crosspoint route show out | grep -q "engine.*afxdp (its packets are encrypted"; then
        right "the engine is afxdp, and route show says why"
    else
        wrong "route show says: $(crosspoint route show out | grep engine)"
    fi
    decrypt first 5004 6004 aes-128-icm hmac-sha1-80 "${digits[0]}" 0
    decrypt second 5006 6006 aes-256-icm hmac-sha1-32 "${digits[1]}" 0
    decrypt third 5008 6008 aes-128-gcm null "${digits[2]}" 0
    receive receiver out first=127.0.0.1:6004 second=127.0.0.1:6006 third=127.0.0.1:6008 late=127.0.0.1:6010
    wait_until 20 listens receiver 5004 5006 5008 || die "srtpdec does not start: $(tail -n 3 "$work"/*.srtpdec.log)"
    send out $packets_per_second 239.1.1.10:5004
    # Behind the wrap two more come: one who knows the rollover counter, one who does not.
    wait_until 20 has_sent 5010 $((65600 - first)) || wrong "out: the wrap does not come"
    decrypt late 5010 6010 aes-128-icm hmac-sha1-80 "${digits[3]}" 1
    wait_until 20 listens receiver 5010
    local before
    before="$(sent_by 5010)"
    wait_until 20 has_sent 5010 $((before + 500)) || wrong "out: no packets come"
    stop "$sender"
    sleep 1
    stop "$receiver"
    stop_decrypters
    for name in first second third; do whole out $name; done
    if [ "$(received out late)" -gt 400 ]; then
        right "out, late joiner: $(received out late) packets with rollover counter 1"
    else
        wrong "out, late joiner: $(received out late) packets"
    fi
    crosspoint route remove out >>"$work/route.log"
}

from_gstreamer() {
    make_key in1 AES_CM_128_HMAC_SHA1_80
    local first_key=$hex
    make_key in2 AEAD_AES_256_GCM
    crosspoint route add in1 --from 239.1.1.10:5014@eth0,srtp=in1 --to 10.2.0.5:5014@eth1 >>"$work/route.log" 2>&1 || die "route in1: $(tail -n 1 "$work/route.log")"
    make_key again AES_256_CM_HMAC_SHA1_80
    crosspoint route add in2 --from 239.1.1.10:5016@eth0,srtp=in2 --to 10.2.0.5:5016@eth1 --to 10.2.0.5:5018@eth1,srtp=again >>"$work/route.log" 2>&1 ||
        die "route in2: $(tail -n 1 "$work/route.log")"
    local again=$hex
    hex="$("$python" -c 'import base64, sys; print(base64.b64decode(open(sys.argv[1]).read().split("inline:")[1]).hex())' "$keys/in2")"
    encrypt in1 7014 5014 aes-128-icm hmac-sha1-80 "$first_key"
    encrypt in2 7016 5016 aes-256-gcm null "$hex"
    # Decrypted with the one key, and encrypted with another.
    decrypt again 5018 6018 aes-256-icm hmac-sha1-80 "$again" 0 1
    receive receiver in one=10.2.0.5:5014 two=10.2.0.5:5016 three=127.0.0.1:6018
    wait_until 20 listens camera 7014 7016 || die "srtpenc does not start: $(tail -n 3 "$work"/*.srtpenc.log)"
    wait_until 20 listens receiver 5018 || die "srtpdec does not start: $(tail -n 3 "$work"/*.srtpdec.log)"
    start camera in.camera.log "$python" "$repository/scripts/lib/rtp_sequence.py" send --rate $packets_per_second --first $first --ssrc 0 cam=127.0.0.1:7014 second=127.0.0.1:7016
    sender=$started
    wait_until 20 has_sent 5014 $((65600 - first)) || wrong "in: the wrap does not come"
    # A route that joins now, behind the wrap: its key says so, or it counts what it cannot decrypt.
    crosspoint route remove in1 >>"$work/route.log"
    crosspoint route add in1 --from 239.1.1.10:5014@eth0,srtp=in1 --to 10.2.0.5:5020@eth1 >>"$work/route.log" 2>&1
    counts_failures() { [ "$(count crosspoint copy_srtp_authentication)" -gt 100 ]; }
    if wait_until 20 counts_failures; then
        right "in, late joiner without a rollover counter: nothing is sent, failures are counted"
    else
        wrong "in, late joiner without a rollover counter: $(count crosspoint copy_srtp_authentication) failures counted"
    fi
    [ "$(sent_by 5020)" -eq 0 ] || wrong "in, late joiner without a rollover counter: $(sent_by 5020) packets sent"
    sed -i '1s/$/ ROC=1/' "$keys/in1"
    crosspoint config reload >>"$work/route.log" 2>&1 || wrong "reload: $(tail -n 1 "$work/route.log")"
    if wait_until 20 has_sent 5020 300; then
        right "in, late joiner with rollover counter 1, after a reload: packets are sent"
    else
        wrong "in, late joiner with rollover counter 1: $(sent_by 5020) packets sent"
    fi
    stop "$sender"
    sleep 1
    stop "$receiver"
    stop_decrypters
    whole in two
    whole in three
    crosspoint route remove in1 >>"$work/route.log"
    crosspoint route remove in2 >>"$work/route.log"
}

# ffmpeg sends PCMU encrypted; the node decrypts, and encrypts with another key for ffmpeg.
with_ffmpeg() {
    make_key fin AES_CM_128_HMAC_SHA1_80
    local from=$base64
    make_key fout AES_CM_128_HMAC_SHA1_80
    crosspoint route add ffmpeg --from 10.1.0.1:5030@eth0,srtp=fin --to 10.2.0.5:5030@eth1,srtp=fout >>"$work/route.log" 2>&1 || die "route ffmpeg: $(tail -n 1 "$work/route.log")"
    cat >"$work/ffmpeg.sdp" <<SDP
v=0
o=- 0 0 IN IP4 10.2.0.5
s=-
c=IN IP4 10.2.0.5
t=0 0
m=audio 5030 RTP/SAVP 0
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:$base64
SDP
    start receiver ffmpeg.receiver.log ffmpeg -nostdin -hide_banner -loglevel info -protocol_whitelist file,udp,rtp,srtp,crypto -i "$work/ffmpeg.sdp" -t 4 -f s16le -y "$work/ffmpeg.pcm"
    local player=$started
    wait_until 20 listens receiver 5030 || die "ffmpeg does not start: $(tail -n 3 "$work/ffmpeg.receiver.log")"
    # 50 packets a second: the wrap comes after two.
    start camera ffmpeg.camera.log ffmpeg -nostdin -hide_banner -loglevel error -re -f lavfi -i sine=frequency=1000:sample_rate=8000 -t 8 -c:a pcm_mulaw -ac 1 -f rtp \
        -seq 65436 -srtp_out_suite AES_CM_128_HMAC_SHA1_80 -srtp_out_params "$from" "srtp://10.1.0.1:5030?pkt_size=200"
    local camera=$started
    wait_until 30 is_gone "$player" || true
    stop "$camera"
    stop "$player"
    local bytes=0
    [ -e "$work/ffmpeg.pcm" ] && bytes="$(stat -c %s "$work/ffmpeg.pcm")"
    # 4 s of 16-bit samples at 8 kHz: what was not decrypted would be no tone.
    if [ "$bytes" -eq 64000 ] && "$python" - "$work/ffmpeg.pcm" <<'PYTHON'; then
import array, sys
samples = array.array("h", open(sys.argv[1], "rb").read())
crossings = sum(1 for one, other in zip(samples, samples[1:]) if one < 0 <= other)
sys.exit(0 if abs(crossings - 4000) < 40 else f"{crossings} periods of the tone in 4 s")
PYTHON
        right "ffmpeg to ffmpeg, decrypted and encrypted with another key: a tone of 1 kHz"
    else
        wrong "ffmpeg: $bytes bytes of sound; $(tail -n 1 "$work/ffmpeg.receiver.log"); $(tail -n 1 "$work/ffmpeg.camera.log")"
    fi
    crosspoint route remove ffmpeg >>"$work/route.log"
}
is_gone() { ! kill -0 "$1"; }

over_a_link() {
    crosspoint_key new wan --link >>"$work/key.log"
    mkdir "$work/remote-keys"
    "$CROSSPOINT" key add wan --directory "$work/remote-keys" <"$keys/wan" >>"$work/key.log" || die "key add: $(tail -n 1 "$work/key.log")"
    start_remote
    crosspoint route add cam1 --from 239.1.1.10:5040@eth0 --to 10.2.0.5:5040@eth1 >>"$work/route.log" 2>&1 || die "route cam1: $(tail -n 1 "$work/route.log")"
    crosspoint link send cam1 --to 198.51.100.2:5040@wan0 --key wan >>"$work/route.log" 2>&1 || die "link send: $(tail -n 1 "$work/route.log")"
    remote link receive cam1 --from 198.51.100.2:5040@wan1 --to 10.3.0.5:5040@eth1 --key wan >>"$work/route.log" 2>&1 || die "link receive: $(tail -n 1 "$work/route.log")"
    refused "goes one way" remote route add back --from 239.7.7.7:5042@eth1 --to 198.51.100.1:5042@wan1,srtp=wan/cam1
    wait_until 20 legs_send crosspoint cam1 2 || die "the legs do not send: $(crosspoint route show cam1)"
    wait_until 20 legs_send remote cam1 1 || die "the legs do not send: $(remote route show cam1)"
    start cloud wan.capture.log tcpdump -i c0 -Q in -w "$work/wan.pcap" -U -s 0 "udp port 5040"
    local capture=$started
    wait_until 10 grep -q "listening on" "$work/wan.capture.log" || die "tcpdump does not start: $(tail -n 1 "$work/wan.capture.log")"
    receive far link far=10.3.0.5:5040
    send link $packets_per_second 239.1.1.10:5040
    forwards() { [ "$(remote_packets)" -gt "$1" ]; }
    wait_until 20 forwards $((65600 - first)) || wrong "link: the wrap does not come"
    stop "$sender"
    sleep 1
    stop "$receiver"
    whole link far

    # Killed and started again, one after the other: nothing leaves in clear meanwhile, and the flow is there again.
    receive far kills far=10.3.0.5:5040
    send kills $packets_per_second 239.1.1.10:5040
    wait_until 20 forwards $(($(remote_packets) + 300)) || wrong "kills: no packets come"
    stop "$daemon" KILL
    start_daemon
    if wait_until 30 forwards $(($(remote_packets) + 300)); then right "the sending daemon was killed: the flow is there again"; else wrong "the sending daemon was killed: nothing comes"; fi
    stop "$remote_daemon" KILL
    start_remote
    if wait_until 30 forwards $(($(remote_packets) + 300)); then right "the receiving daemon was killed: the flow is there again"; else wrong "the receiving daemon was killed: nothing comes"; fi
    stop "$sender"
    sleep 1
    stop "$receiver"
    stop "$capture" INT
    case "$(grep "^far received " "$work/kills.receiver.log")" in
        *" duplicated 0") right "nothing came twice" ;;
        *) wrong "kills: $(grep "^far received " "$work/kills.receiver.log")" ;;
    esac
    # The payload is 1,200 zeros: in clear there would be long rows of them, and one keystream for two packets would make them equal.
    if "$python" "$repository/scripts/lib/distinct_payloads.py" "$work/wan.pcap" >"$work/wan.txt" 2>&1; then
        right "between the nodes: $(cat "$work/wan.txt")"
    else
        wrong "between the nodes: $(cat "$work/wan.txt")"
    fi
}
remote_packets() {
    remote stats --json 2>/dev/null | "$python" -c '
import json, sys
print(sum(leg["packets"] for flow in json.load(sys.stdin)["flows"] for leg in flow["legs"]))'
}

bad_input() {
    local good="AES_CM_128_HMAC_SHA1_80 inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
    refused "takes 16 of key and 12 of salt" crosspoint_key add bad <<<"${good/AES_CM_128_HMAC_SHA1_80/AEAD_AES_128_GCM}"
    refused "begins with no profile" crosspoint_key add bad <<<"${good/AES_CM_128/AES_CM_192}"
    refused "is unknown" crosspoint_key new bad --profile AES_CM_192
    refused "there is no key nobody" crosspoint route add bad --from 239.1.1.10:5050@eth0 --to 10.2.0.5:5050@eth1,srtp=nobody
    BAD_KEY=$good crosspoint_key add good --environment BAD_KEY >>"$work/key.log" || wrong "key add --environment: $(tail -n 1 "$work/key.log")"
    refused "neither encrypts nor decrypts" crosspoint route add bad --from 239.1.1.10:5050@eth0 --to 10.2.0.5:5050@eth1,srtp=good --engine kernel
    refused "is nothing that SRTP protects" crosspoint route add bad --from 239.1.1.10:5050@eth0 --to 10.2.0.5:5050@eth1,srtp=good --payload raw
    refused "is in use already" crosspoint route add bad --from 239.1.1.10:5050@eth0 --to 10.2.0.5:5050@eth1,srtp=good --to 10.2.0.5:5052@eth1,srtp=good
    refused "a key of its own" crosspoint route add bad --from 239.1.1.10:5050@eth0,srtp=good --to 10.2.0.5:5050@eth1,srtp=good
    chmod 644 "$keys/good"
    refused "is open to others" crosspoint route add bad --from 239.1.1.10:5050@eth0 --to 10.2.0.5:5050@eth1,srtp=good
    chmod 600 "$keys/good"
    crosspoint route add good --from 239.1.1.10:5050@eth0 --to 10.2.0.5:5050@eth1,srtp=good >>"$work/route.log" || wrong "route good: $(tail -n 1 "$work/route.log")"
    crosspoint config save "$work/saved.yaml" >>"$work/route.log"
    { crosspoint route show good && crosspoint route show good --json && crosspoint_key list && cat "$work/saved.yaml" "$work/daemon.log"; } >"$work/shown.txt"
    if grep -q "srtp=good" "$work/saved.yaml" && ! grep -q "AAECAwQF" "$work/shown.txt"; then
        right "a key is named, and shown nowhere"
    else
        wrong "a key is shown: $(grep -h AAECAwQF "$work/shown.txt")"
    fi
    crosspoint route remove good >>"$work/route.log"
}

if [ "$(id -u)" -ne 0 ]; then
    say "SRTP: skipped, needs root"
    exit 77
fi
CROSSPOINT="${CROSSPOINT:-$repository/.build/debug/crosspoint}"
[ -x "$CROSSPOINT" ] || die "$CROSSPOINT: not there; build it first (swift build)"
begin crosspoint-srtp
"$repository/scripts/setup" --srtp >"$work/setup.log" || die "setup: $(tail -n 1 "$work/setup.log")"
say "SRTP:"

make_studio
make_bpffs_directory
mkdir "$bpffs/remote"
bpffs_of_both=$bpffs
bpffs=$bpffs_of_both/node
mkdir "$bpffs"
write_configuration
bpffs=$bpffs_of_both
keys="$work/keys"
mkdir -m 700 "$keys"
cat >>"$work/crosspoint.yaml" <<CONFIGURATION
keys-directory: $keys
state-directory: $work/state
afxdp: {frames: 2048}
CONFIGURATION
start_daemon
bad_input
to_gstreamer
from_gstreamer
with_ffmpeg
over_a_link

if [ "$wrongs" -gt 0 ]; then
    say "SRTP: $wrongs things wrong"
    exit 1
fi
say "SRTP: passed"
