"""Has rtpengine forward one RTP stream: tells it of a publisher and of its subscribers by its ng protocol, and prints the UDP port
that the publisher's packets are to be sent to.

    rtpengine.py NG-ADDRESS:PORT PUBLISHER:PORT SUBSCRIBER:PORT...

One subscriber is the other end of a call (offer, answer); more subscribe to what is published.
"""

import socket
import sys
import time


def encode(value):
    """Bencoding, as the ng protocol has it."""
    if isinstance(value, dict):
        return b"d" + b"".join(encode(key) + encode(value[key]) for key in sorted(value)) + b"e"
    if isinstance(value, list):
        return b"l" + b"".join(encode(item) for item in value) + b"e"
    if isinstance(value, int):
        return b"i%de" % value
    data = value.encode()
    return b"%d:%s" % (len(data), data)


def decode(data, at=0):
    """The value that begins at `at`, and where the next one begins."""
    kind = data[at:at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1:end]), end + 1
    if kind in (b"l", b"d"):
        items = []
        at += 1
        while data[at:at + 1] != b"e":
            item, at = decode(data, at)
            items.append(item)
        return (items if kind == b"l" else dict(zip(items[::2], items[1::2]))), at + 1
    colon = data.index(b":", at)
    end = colon + 1 + int(data[at:colon])
    return data[colon + 1:end].decode(), end


def description(endpoint, direction):
    """A stream of a coding that rtpengine knows and passes on as it is."""
    address, port = endpoint.rsplit(":", 1)
    return "\r\n".join([
        "v=0", f"o=- 1 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0", f"m=audio {port} RTP/AVP 96",
        "a=rtpmap:96 opus/48000/2", f"a={direction}", ""])


def port_of(sdp):
    return next(int(line.split()[1]) for line in sdp.splitlines() if line.startswith("m="))


def wait_for(connection):
    """Returns when the daemon listens, which takes it a moment, or after ten seconds."""
    for _ in range(100):
        try:
            connection.send(b"0 " + encode({"command": "ping"}))
            connection.recv(65536)
            return
        except (ConnectionRefusedError, TimeoutError):
            time.sleep(0.1)


def main():
    engine, publisher, *subscribers = sys.argv[1:]
    address, port = engine.rsplit(":", 1)
    connection = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    connection.settimeout(5)
    connection.connect((address, int(port)))
    count = 0
    wait_for(connection)

    def ask(command, **arguments):
        nonlocal count
        count += 1
        request = {key.replace("_", "-"): value for key, value in arguments.items()}
        request |= {"command": command, "call-id": "peers"}
        connection.send(b"%d " % count + encode(request))
        reply, _ = decode(connection.recv(65536).split(b" ", 1)[1])
        if reply.get("result") != "ok":
            raise SystemExit(f"rtpengine: {command}: {reply.get('error-reason', reply)}")
        return reply

    common = {"ICE": "remove", "flags": ["trust-address"]}
    if len(subscribers) == 1:
        ask("offer", from_tag="a", sdp=description(publisher, "sendrecv"), **common)
        answer = ask("answer", from_tag="a", to_tag="b", sdp=description(subscribers[0], "sendrecv"), **common)
        print(port_of(answer["sdp"]))
        return
    published = ask("publish", from_tag="a", sdp=description(publisher, "sendonly"))
    for number, subscriber in enumerate(subscribers):
        tag = f"s{number}"
        ask("subscribe request", from_tag="a", to_tag=tag, **common)
        ask("subscribe answer", from_tag="a", to_tag=tag, sdp=description(subscriber, "recvonly"), **common)
    print(port_of(published["sdp"]))


main()
