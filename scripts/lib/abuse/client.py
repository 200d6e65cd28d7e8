"""A blocking RTSP client from a chosen address: what both good and bad clients of scripts/tests/abuse.sh are made of."""
import hashlib
import re
import socket


def connect(host, tcp_port, source=None, timeout=10, receive_buffer=None):
    """A TCP connection from `source`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    if receive_buffer:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    made.settimeout(timeout)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        if source:
            made.bind((source, 0))
        made.connect((host, tcp_port))
    except OSError:
        made.close()
        raise
    return made


def request(method, url, sequence, headers=(), body=b""):
    """The bytes of a request."""
    lines = [f"{method} {url} RTSP/1.0", f"CSeq: {sequence}", *(f"{name}: {value}" for name, value in dict(headers).items())]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class Client:
    """One connection: a request, its response."""

    def __init__(self, host, tcp_port, source=None, timeout=10, receive_buffer=None):
        self.socket = connect(host, tcp_port, source, timeout, receive_buffer)
        self.input = b""
        self.sequence = 0
        self.session = None

    def close(self):
        self.socket.close()

    def ask(self, method, url, headers=(), body=b""):
        """Status and headers of the response; raises OSError where none comes."""
        self.sequence += 1
        headers = dict(headers)
        if self.session:
            headers.setdefault("Session", self.session)
        self.socket.sendall(request(method, url, self.sequence, headers, body))
        status, fields = self.response()
        if "session" in fields:
            self.session = fields["session"].split(";")[0]
        return status, fields

    def response(self):
        """The next response, whatever packets come before it."""
        while True:
            while self.input.startswith(b"$") and len(self.input) >= 4:
                length = 4 + int.from_bytes(self.input[2:4], "big")
                if len(self.input) < length:
                    break
                self.input = self.input[length:]
            head, end, rest = self.input.partition(b"\r\n\r\n")
            if end and not self.input.startswith(b"$"):
                lines = head.decode(errors="replace").split("\r\n")
                fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
                challenges = [line.partition(":")[2].strip() for line in lines[1:] if line.lower().startswith("www-authenticate:")]
                fields["challenges"] = challenges
                length = int(fields.get("content-length", 0))
                if len(rest) >= length:
                    self.input = rest[length:]
                    return int(lines[0].split()[1]), fields
            octets = self.socket.recv(65536)
            if not octets:
                raise ConnectionError("closed")
            self.input += octets


def digest(challenges, user, password, method, url):
    """Authorization by MD5 for the challenges of a 401."""
    value = next(challenge for challenge in challenges if "MD5" in challenge)
    realm, nonce = (re.search(rf'{name}="([^"]*)"', value).group(1) for name in ("realm", "nonce"))

    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()

    secret = md5(f"{user}:{realm}:{password}")
    response = md5(f"{secret}:{nonce}:00000001:abc:auth:{md5(f'{method}:{url}')}")
    return (
        f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{url}", algorithm=MD5, qop=auth, nc=00000001,'
        f' cnonce="abc", response="{response}"'
    )
