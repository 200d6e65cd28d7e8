"""A small RTSP client that does what it is told, right or wrong: for tests of what no well-behaved player does."""
import re
import select
import socket
import struct
import threading
import time


class Response:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def __getitem__(self, name):
        return self.headers.get(name.lower())


class Closed(Exception):
    """The other side closed the connection."""


class Connection:
    """One TCP connection; requests, raw bytes, interleaved packets."""

    def __init__(self, host, tcp_port, timeout=5):
        self.socket = socket.create_connection((host, tcp_port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.timeout = timeout
        self.input = b""
        self.sequence = 0
        # What came interleaved: (channel, packet), if somebody wants it.
        self.on_packet = lambda channel, packet: None

    @property
    def local_address(self):
        return self.socket.getsockname()[0]

    def close(self):
        self.socket.close()

    def send(self, octets):
        try:
            self.socket.sendall(octets)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Closed from error

    def ask(self, method, url, headers=(), body=b"", version="RTSP/1.0"):
        """Sends a request and returns the response to it."""
        self.sequence += 1
        lines = [f"{method} {url} {version}", f"CSeq: {self.sequence}", *(f"{name}: {value}" for name, value in dict(headers).items())]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        while True:
            response = self.receive()
            if response["cseq"] == str(self.sequence):
                return response

    def receive(self):
        """The next response; interleaved packets before it go to `on_packet`, requests of the server are answered."""
        deadline = time.monotonic() + self.timeout
        while True:
            found = self.parse()
            if found is not None:
                return found
            self.fill(deadline)

    def fill(self, deadline):
        self.socket.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            octets = self.socket.recv(65536)
        except socket.timeout as error:
            raise TimeoutError("no answer") from error
        except ConnectionResetError as error:
            raise Closed from error
        if not octets:
            raise Closed
        self.input += octets

    def parse(self):
        while self.input:
            if self.input[0] == 0x24:
                if len(self.input) < 4:
                    return None
                channel, length = struct.unpack("!BH", self.input[1:4])
                if len(self.input) < 4 + length:
                    return None
                self.on_packet(channel, self.input[4:4 + length])
                self.input = self.input[4 + length:]
                continue
            head, separator, rest = self.input.partition(b"\r\n\r\n")
            if not separator:
                return None
            first, *lines = head.decode("utf-8", "replace").split("\r\n")
            headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            length = int(headers.get("content-length", 0))
            if len(rest) < length:
                return None
            self.input = rest[length:]
            status = re.fullmatch(r"[A-Z]+/\d\.\d (\d{3})(?: .*)?", first)
            if status:
                return Response(int(status[1]), headers, rest[:length])
            self.send(f"RTSP/1.0 200 OK\r\nCSeq: {headers.get('cseq')}\r\n\r\n".encode())
        return None

    def pump(self, seconds):
        """Receives packets for so long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if select.select([self.socket], [], [], 0.05)[0]:
                self.fill(deadline)
            self.parse()


class Continuity:
    """Counts the packets of an RTP stream, and what is missing between them."""

    def __init__(self):
        self.count = self.missing = self.disorder = 0
        self.first = self.last = None
        self.longest_silence = 0.0
        self.last_at = None
        self.sources = set()

    def add(self, packet):
        if len(packet) < 12 or packet[0] >> 6 != 2:
            return
        now = time.monotonic()
        if self.last_at is not None:
            self.longest_silence = max(self.longest_silence, now - self.last_at)
        self.last_at = now
        sequence = struct.unpack("!H", packet[2:4])[0]
        self.sources.add(packet[8:12])
        self.count += 1
        if self.last is None:
            self.first = sequence
        else:
            step = (sequence - self.last) & 0xFFFF
            if step == 0 or step >= 0x8000:
                self.disorder += 1
                return
            self.missing += step - 1
        self.last = sequence

    def problems(self, name):
        if self.count == 0:
            yield f"{name}: nothing came"
        if self.missing:
            yield f"{name}: {self.missing} packets are missing of {self.count + self.missing}"
        if self.disorder:
            yield f"{name}: {self.disorder} packets came twice or late"


class UDPPair:
    """An even and an odd UDP port, RTP's and RTCP's; a thread counts what comes at the first."""

    def __init__(self, address):
        while True:
            rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            rtp.bind((address, 0))
            self.udp_port = rtp.getsockname()[1]
            if self.udp_port % 2 == 0:
                rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                try:
                    rtcp.bind((address, self.udp_port + 1))
                    break
                except OSError:
                    rtcp.close()
            rtp.close()
        self.sockets = (rtp, rtcp)
        self.start(rtp)

    def start(self, rtp):
        rtp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        rtp.settimeout(0.2)
        self.continuity = Continuity()
        self.ended = False
        self.thread = threading.Thread(target=self.receive, args=(rtp,), daemon=True)
        self.thread.start()

    def receive(self, rtp):
        while not self.ended:
            try:
                self.continuity.add(rtp.recv(2048))
            except socket.timeout:
                continue

    def close(self):
        self.ended = True
        self.thread.join()
        for one in self.sockets:
            one.close()


class Group(UDPPair):
    """The same for a multicast group, of which nothing is known but its address and UDP port."""

    def __init__(self, group, udp_port, interface_address):
        rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        rtp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        rtp.bind((group, udp_port))
        rtp.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(interface_address))
        self.sockets = (rtp,)
        self.start(rtp)


class Session:
    """A session by UDP over a connection: all streams of a URL are set up, and played."""

    def __init__(self, connection, url):
        self.connection = connection
        self.url = url
        described = must(connection.ask("DESCRIBE", url, {"Accept": "application/sdp"}))
        base = described["content-base"] or url + "/"
        text = described.body.decode()
        self.pairs = []
        self.id = None
        for section in re.split(r"^(?=m=)", text, flags=re.M)[1:]:
            control = re.search(r"^a=control:(\S+)", section, re.M)[1]
            target = control if control.startswith("rtsp:") else base.rstrip("/") + "/" + control
            pair = UDPPair(connection.local_address)
            headers = {"Transport": f"RTP/AVP;unicast;client_port={pair.udp_port}-{pair.udp_port + 1}"}
            if self.id:
                headers["Session"] = self.id
            answer = must(connection.ask("SETUP", target, headers))
            self.id = answer["session"].partition(";")[0]
            self.pairs.append(pair)

    def ask(self, method, connection=None, headers=()):
        return (connection or self.connection).ask(method, self.url, {"Session": self.id, **dict(headers)})

    def play(self):
        return must(self.ask("PLAY"))

    def problems(self):
        for number, pair in enumerate(self.pairs):
            yield from pair.continuity.problems(f"stream {number}")

    def close(self):
        for pair in self.pairs:
            pair.close()


def must(response, status=200):
    if response.status != status:
        raise RuntimeError(f"{response.status} instead of {status}")
    return response
