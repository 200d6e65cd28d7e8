"""What no well-behaved player does, and what must come of it. Prints what is wrong, one line each; exit code 1 when anything is.

    probe.py input HOST TCPPORT PATH        wrong input of every kind, and the answers
    probe.py flood HOST TCPPORT COUNT       so many connections at once that say nothing, and one more that must be served
    probe.py deaf HOST TCPPORT PATH SECONDS plays interleaved and reads nothing
    probe.py hold HOST TCPPORT PATH         plays by UDP: prints `playing`; at a line `resume` on standard input it goes on with its
                                            session over a new connection, and prints `resumed`; at `leave`, it leaves.
                                            No packet may be missing in between; with --gap, some may.
    probe.py describe HOST TCPPORT PATH     whether DESCRIBE is answered with 200
    probe.py listen HOST TCPPORT PATH       reads DESCRIBE alone, joins the group that the SDP names, and listens for 2 s
    probe.py churn HOST TCPPORT PATH COUNT  so many sessions one after the other: every one must get its first packet, the one that
                                            RTP-Info names, and none after the reply to TEARDOWN
    --tell                                  says what the answers are, and finds nothing wrong (for other servers than Crosspoint)
"""
import re
import resource
import socket
import struct
import sys
import time

from rtsp import Closed, Connection, Group, Session, must

URL = ""
CLOSED = "closed"
# Until the time runs out in which a request must come.
SILENCE = "no answer"


def text(*lines, body=b""):
    return "".join(line + "\r\n" for line in lines).encode() + b"\r\n" + body


def cases():
    """Name, bytes (or a list of segments), and what may follow: a status, or that the connection is closed."""
    options = text(f"OPTIONS {URL} RTSP/1.0", "CSeq: 1")
    yield "OPTIONS", options, [200]
    yield "OPTIONS for everything", text("OPTIONS * RTSP/1.0", "CSeq: 1"), [200]
    yield "one byte at a time", [bytes([byte]) for byte in options], [200]
    yield "line ends before a request", b"\r\n\r\n" + options, [200]
    yield "line feeds alone", options.replace(b"\r\n", b"\n"), [200, 400]
    yield "an interleaved packet of no session before it", b"$\x00\x00\x0c" + bytes(12) + options, [200]
    yield "a request with a body", text(f"OPTIONS {URL} RTSP/1.0", "CSeq: 1", "Content-Length: 3", body=b"abc"), [200]
    yield "an unknown method", text(f"SING {URL} RTSP/1.0", "CSeq: 1"), [501, 405]
    yield "RTSP 2.0", text(f"OPTIONS {URL} RTSP/2.0", "CSeq: 1"), [505]
    yield "HTTP", text("GET / HTTP/1.1", "Host: node"), [400, 505, CLOSED]
    yield "no CSeq", text(f"OPTIONS {URL} RTSP/1.0"), [400]
    yield "a CSeq that is no number", text(f"OPTIONS {URL} RTSP/1.0", "CSeq: one"), [200, 400]
    yield "no version", text(f"OPTIONS {URL}", "CSeq: 1"), [400, CLOSED]
    yield "no URL", text(f"DESCRIBE {URL.partition('//')[0]}// RTSP/1.0", "CSeq: 1"), [400, 404]
    yield "octets that are no text", bytes(range(1, 255)) * 8 + b"\r\n\r\n", [400, CLOSED]
    yield "TLS where there is none", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), [400, CLOSED, SILENCE]
    for length in ("99999999999999999999", "4294967296", "1000000000", "-1", "ten", "0x10", "+3", "3, 4"):
        yield f"Content-Length {length}", text(f"OPTIONS {URL} RTSP/1.0", "CSeq: 1", f"Content-Length: {length}"), [400, 413, CLOSED]
    yield "two Content-Lengths", text(f"OPTIONS {URL} RTSP/1.0", "CSeq: 1", "Content-Length: 0", "Content-Length: 5"), [400, CLOSED]
    yield "a long field", text(f"OPTIONS {URL} RTSP/1.0", "CSeq: 1", "X: " + "a" * 200000), [400, 413, 414, 431, CLOSED]
    yield "a long URL", text(f"DESCRIBE {URL}{'a' * 200000} RTSP/1.0", "CSeq: 1"), [400, 404, 413, 414, CLOSED]
    yield "a line without end", b"a" * 2000000, [400, 413, 414, CLOSED]
    yield "many fields", text(f"OPTIONS {URL} RTSP/1.0", "CSeq: 1", *(f"X{number}: 1" for number in range(20000))), [400, 413, 431, CLOSED]
    yield "an unknown path", text(f"DESCRIBE {URL}-nothing RTSP/1.0", "CSeq: 1"), [404]
    yield "a path with dots", text(f"DESCRIBE {URL}/../../../etc/passwd RTSP/1.0", "CSeq: 1"), [400, 403, 404]
    yield "a path with a zero", text(f"DESCRIBE {URL}%00 RTSP/1.0", "CSeq: 1"), [400, 404]
    yield "half a percent", text(f"DESCRIBE {URL}%2 RTSP/1.0", "CSeq: 1"), [400, 404]
    yield "SDP is not accepted", text(f"DESCRIBE {URL} RTSP/1.0", "CSeq: 1", "Accept: text/html"), [406]
    yield "an unknown option is required", text(f"DESCRIBE {URL} RTSP/1.0", "CSeq: 1", "Require: com.example.sorcery"), [551]
    yield "PLAY without session", text(f"PLAY {URL} RTSP/1.0", "CSeq: 1"), [454]
    yield "PLAY of a session that is not", text(f"PLAY {URL} RTSP/1.0", "CSeq: 1", "Session: 12345678"), [454]
    yield "TEARDOWN of a session that is not", text(f"TEARDOWN {URL} RTSP/1.0", "CSeq: 1", "Session: 12345678"), [454]
    yield "SETUP without Transport", text(f"SETUP {URL} RTSP/1.0", "CSeq: 1"), [400, 459, 461]
    yield "ANNOUNCE where nobody may publish", text(
        f"ANNOUNCE {URL} RTSP/1.0", "CSeq: 1", "Content-Type: application/sdp", "Content-Length: 5", body=b"v=0\r\n"), [401, 403, 405]
    yield "RECORD without session", text(f"RECORD {URL} RTSP/1.0", "CSeq: 1"), [454, 405, 455]
    for transport, statuses in (
        ("RAW/RAW/UDP;unicast;client_port=5000-5001", [461]),
        ("RTP/SAVP;unicast;client_port=5000-5001", [461]),
        ("RTP/AVP;unicast", [400, 461]),
        ("RTP/AVP;unicast;client_port=0-0", [400, 461]),
        ("RTP/AVP;unicast;client_port=99999-100000", [400, 461]),
        ("RTP/AVP;unicast;client_port=5000-5001;destination=10.99.0.1", [400, 403, 461, 462]),
        ("RTP/AVP;unicast;client_port=5000-5001;destination=127.0.0.1", [400, 403, 461, 462]),
        ("RTP/AVP/TCP;unicast;interleaved=300-301", [400, 461]),
        (";;;,,,=", [400, 461]),
    ):
        yield f"SETUP, Transport: {transport}", ("setup", transport), statuses


def outcome(connection, octets):
    """The status that follows, or that the connection is closed."""
    try:
        for segment in octets if isinstance(octets, list) else [octets]:
            connection.send(segment)
        return connection.receive()
    except Closed:
        return CLOSED


def wrong_input(host, tcp_port, is_told):
    problems = []
    control = stream_url(host, tcp_port)
    for name, octets, expected in cases():
        connection = Connection(host, tcp_port)
        if isinstance(octets, tuple):
            octets = text(f"SETUP {control} RTSP/1.0", "CSeq: 1", f"Transport: {octets[1]}")
        try:
            answer = outcome(connection, octets)
        except TimeoutError:
            answer = SILENCE
        status = getattr(answer, "status", answer)
        if is_told:
            print(f"{name}: {status}")
        elif status not in expected:
            problems.append(f"{name}: {status} instead of {' or '.join(map(str, expected))}")
        elif status == 551 and not answer["unsupported"]:
            problems.append(f"{name}: 551 without Unsupported")
        elif status == 405 and not answer["allow"]:
            problems.append(f"{name}: 405 without Allow")
        if status == 200 and name == "OPTIONS" and not is_told and "DESCRIBE" not in (answer["public"] or ""):
            problems.append("OPTIONS: no Public that has DESCRIBE")
        connection.close()
    problems += several_at_once(host, tcp_port) + half_messages(host, tcp_port)
    return problems


def stream_url(host, tcp_port):
    """The control URL of the first stream."""
    connection = Connection(host, tcp_port)
    described = must(connection.ask("DESCRIBE", URL, {"Accept": "application/sdp"}))
    connection.close()
    control = re.search(r"^m=.*?^a=control:(\S+)", described.body.decode(), re.M | re.S)[1]
    return control if control.startswith("rtsp:") else (described["content-base"] or URL).rstrip("/") + "/" + control


def several_at_once(host, tcp_port):
    """Ten requests in one segment are answered in their order."""
    connection = Connection(host, tcp_port)
    connection.send(b"".join(text(f"OPTIONS {URL} RTSP/1.0", f"CSeq: {number}") for number in range(1, 11)))
    answers = [connection.receive() for _ in range(10)]
    connection.close()
    found = [(answer.status, answer["cseq"]) for answer in answers]
    return [] if found == [(200, str(number)) for number in range(1, 11)] else [f"ten requests in one segment: {found}"]


def half_messages(host, tcp_port):
    """Connections that break off in the middle of something leave nothing behind, and others are served."""
    whole = text(f"DESCRIBE {URL} RTSP/1.0", "CSeq: 1", "Accept: application/sdp")
    for end in range(0, len(whole), 7):
        connection = Connection(host, tcp_port)
        connection.send(whole[:end])
        if end % 2:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    connection = Connection(host, tcp_port)
    answer = connection.ask("OPTIONS", URL)
    connection.close()
    return [] if answer.status == 200 else [f"after half messages: {answer.status}"]


def flood(host, tcp_port, count):
    """Connections that say nothing; those beyond a limit may be closed, but whoever comes after is served."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 100), hard))
    sockets = []
    for _ in range(count):
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        one.setblocking(False)
        one.connect_ex((host, tcp_port))
        sockets.append(one)
    time.sleep(0.5)
    for number, one in enumerate(sockets):
        try:
            one.send(b"OPTIONS" if number % 2 else b"$")
        except OSError:
            pass
    problems = []
    for one in sockets[:count // 2]:
        one.close()
    time.sleep(0.2)
    connection = Connection(host, tcp_port, timeout=10)
    answer = connection.ask("OPTIONS", URL)
    if answer.status != 200:
        problems.append(f"in a flood of {count} connections: {answer.status}")
    connection.close()
    for one in sockets[count // 2:]:
        one.close()
    return problems


def deaf(host, tcp_port, seconds):
    """Plays interleaved, and reads nothing after the reply to PLAY."""
    connection = Connection(host, tcp_port)
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    answer = must(connection.ask("SETUP", stream_url(host, tcp_port), {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"}))
    must(connection.ask("PLAY", URL, {"Session": answer["session"].partition(";")[0]}))
    print("playing", flush=True)
    time.sleep(seconds)
    connection.close()
    return []


def hold(host, tcp_port):
    session = Session(Connection(host, tcp_port), URL)
    session.play()
    print("playing", flush=True)
    problems = []
    for line in sys.stdin:
        if line.strip() == "leave":
            break
        # The old connection is gone, or about to go.
        session.connection.close()
        session.connection = Connection(host, tcp_port)
        for method in ("GET_PARAMETER", "PLAY"):
            answer = session.ask(method)
            if answer.status != 200:
                problems.append(f"{method} with the session of before: {answer.status}")
        print("resumed", flush=True)
    for pair in session.pairs:
        if pair.continuity.last_at is None or time.monotonic() - pair.continuity.last_at > 0.5:
            problems.append("nothing comes any more")
    answer = session.ask("TEARDOWN")
    if answer.status != 200:
        problems.append(f"TEARDOWN: {answer.status}")
    problems += [] if "--gap" in sys.argv else session.problems()
    silence = max(pair.continuity.longest_silence for pair in session.pairs)
    print(f"{sum(pair.continuity.count for pair in session.pairs)} packets, longest silence {silence:.3f} s", flush=True)
    session.close()
    return problems


def listen(host, tcp_port):
    connection = Connection(host, tcp_port)
    described = must(connection.ask("DESCRIBE", URL, {"Accept": "application/sdp"})).body.decode()
    group = re.search(r"^c=IN IP4 (2[23]\d\.[0-9.]+)", described, re.M)
    udp_port = re.search(r"^m=\S+ (\d+)", described, re.M)
    if not group or not int(udp_port[1]):
        return ["the SDP names no group: " + " ".join(re.findall(r"^[cm]=.*", described, re.M))]
    listener = Group(group[1], int(udp_port[1]), connection.local_address)
    time.sleep(2)
    listener.close()
    return list(listener.continuity.problems(f"{group[1]}:{udp_port[1]}"))


def churn(host, tcp_port, count):
    problems = []
    connection = Connection(host, tcp_port)
    for number in range(count):
        session = Session(connection, URL)
        answer = session.play()
        # Of a source that has just begun, the first packet need not be known.
        announced = [re.search(r"seq=(\d+)", one) for one in (answer["rtp-info"] or "").split(",")]
        if number > 0 and not all(announced):
            problems.append(f"session {number}: RTP-Info names no first packets: {answer['rtp-info']}")
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline and any(pair.continuity.count < 3 for pair in session.pairs):
            time.sleep(0.01)
        session.ask("TEARDOWN")
        # What the reply to TEARDOWN overtook in this host's buffers.
        time.sleep(0.05)
        counts = [pair.continuity.count for pair in session.pairs]
        time.sleep(0.2)
        if counts != [pair.continuity.count for pair in session.pairs]:
            problems.append(f"session {number}: packets after the reply to TEARDOWN")
        problems += [f"session {number}: {problem}" for problem in session.problems()]
        for stream, (seq, pair) in enumerate(zip(announced, session.pairs)):
            if seq and pair.continuity.first is not None and int(seq[1]) != pair.continuity.first:
                problems.append(f"session {number}: stream {stream} began with {pair.continuity.first}, RTP-Info said {seq[1]}")
        session.close()
    connection.close()
    return problems


def main():
    global URL
    arguments = [argument for argument in sys.argv[1:] if argument not in ("--tell", "--gap")]
    is_told = "--tell" in sys.argv
    what, host, tcp_port, *rest = arguments
    tcp_port = int(tcp_port)
    path = rest[0] if rest and rest[0].startswith("/") else "/cam1"
    URL = f"rtsp://{host}:{tcp_port}{path}"
    if what == "input":
        problems = wrong_input(host, tcp_port, is_told)
    elif what == "flood":
        problems = flood(host, tcp_port, int(rest[0]))
    elif what == "deaf":
        problems = deaf(host, tcp_port, float(rest[1]))
    elif what == "hold":
        problems = hold(host, tcp_port)
    elif what == "describe":
        must(Connection(host, tcp_port).ask("DESCRIBE", URL, {"Accept": "application/sdp"}))
        problems = []
    elif what == "listen":
        problems = listen(host, tcp_port)
    elif what == "churn":
        problems = churn(host, tcp_port, int(rest[1]))
    else:
        sys.exit(f"{what}: not something that this script does")
    for problem in problems:
        print(problem)
    sys.exit(1 if problems and not is_told else 0)


main()
