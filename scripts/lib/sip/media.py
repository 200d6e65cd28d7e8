"""The media of one side of a call: sends numbered RTP and RTCP, sends back what comes, and tells what came.

    media.py COMMANDS REPORT              does what is appended to the file COMMANDS, and writes REPORT ten times a second
    media.py check REPORT ENDPOINT CONDITION…     whether all conditions hold, as 'received>=50' or 'sources=10.1.0.1'

Commands, one a line:

    open ENDPOINT ADDRESS UDPPORT send|echo|receive [PAYLOADTYPE]
    remote ENDPOINT ADDRESS UDPPORT [DIRECTION]    what the peer's SDP says: where this side sends, and whether it may
    silent ENDPOINT                       sends no more; 'remote' begins again
    mark ENDPOINT                         counts from here: received, lost, wrong, sources and RTCP begin anew
    close ENDPOINT

A packet has 20 ms of G.711: who sent it, its number, and bytes that follow from these, so that whoever gets it knows whether it is
right, and whether one is missing. What is sent back is the same packet with an SSRC of its own.
"""
import json
import os
import re
import selectors
import socket
import struct
import sys
import time

INTERVAL = 0.02
RTCP_INTERVAL = 0.25


def payload_of(sender, number):
    head = struct.pack("!II", sender, number)
    return head + bytes((number * 7 + index) & 0xFF for index in range(152))


def open_socket(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.bind((address, port))
    opened.setblocking(False)
    return opened


class Endpoint:
    def __init__(self, name, address, port, mode, payload_type=0):
        self.name = name
        self.mode = mode
        self.payload_type = payload_type
        self.sender = sum(ord(letter) << (index % 3 * 8) for index, letter in enumerate(name)) & 0x7FFFFFFF
        self.rtp = open_socket(address, port)
        self.rtcp = open_socket(address, port + 1)
        self.remote = None
        self.rtcp_remote = None
        self.number = 0
        self.next_packet = 0.0
        self.next_report = 0.0
        self.sent = 0
        self.mark()

    def mark(self):
        self.received = 0
        self.lost = 0
        self.wrong = 0
        self.repeated = 0
        self.sources = []
        self.rtcp_received = 0
        self.rtcp_sources = []
        self.senders = {}
        self.last = None

    def header(self, sequence, marker=0):
        return struct.pack(
            "!BBHII", 0x80, marker | self.payload_type, sequence & 0xFFFF, sequence * 160 & 0xFFFFFFFF, self.sender)

    def send(self, data, where, through):
        try:
            through.sendto(data, where)
            return True
        except OSError:
            return False

    def tick(self, now):
        if self.remote and self.mode == "send" and now >= self.next_packet:
            # Late by much: go on from here, since a burst would be another stream than the one that was asked for.
            self.next_packet = max(self.next_packet, now - 5 * INTERVAL) + INTERVAL
            packet = self.header(self.number) + payload_of(self.sender, self.number)
            if self.send(packet, self.remote, self.rtp):
                self.sent += 1
            self.number += 1
        if self.rtcp_remote and now >= self.next_report:
            self.next_report = now + RTCP_INTERVAL
            # A sender report without blocks, and a CNAME.
            report = struct.pack("!BBHIIIIII", 0x80, 200, 6, self.sender, 0, 0, 0, self.sent, self.sent * 160)
            cname = b"\x01" + bytes([len(self.name)]) + self.name.encode()
            cname += bytes(4 - len(cname) % 4)
            description = struct.pack("!BBHI", 0x81, 202, 1 + len(cname) // 4, self.sender) + cname
            self.send(report + description, self.rtcp_remote, self.rtcp)

    def take_packet(self, data, source):
        self.last = time.monotonic()
        if source[0] not in self.sources:
            self.sources.append(source[0])
        if self.mode == "echo":
            self.send(data[:8] + struct.pack("!I", self.sender) + data[12:], source[:2], self.rtp)
            self.sent += 1
        if len(data) != 172 or data[0] != 0x80:
            self.wrong += 1
            return
        sender, number = struct.unpack_from("!II", data, 12)
        if data[1] & 0x7F != self.payload_type or data[12:] != payload_of(sender, number):
            self.wrong += 1
            return
        self.received += 1
        expected = self.senders.get(sender)
        if expected is not None:
            if number < expected:
                self.repeated += 1
                return
            self.lost += number - expected
        self.senders[sender] = number + 1

    def take_report(self, source):
        self.rtcp_received += 1
        if source[0] not in self.rtcp_sources:
            self.rtcp_sources.append(source[0])

    def report(self):
        return {
            "sent": self.sent, "received": self.received, "lost": self.lost, "wrong": self.wrong, "repeated": self.repeated,
            "sources": ",".join(self.sources), "rtcp": self.rtcp_received, "rtcp_sources": ",".join(self.rtcp_sources),
            "senders": len(self.senders), "quiet_ms": -1 if self.last is None else int((time.monotonic() - self.last) * 1000),
        }


class Media:
    def __init__(self):
        self.endpoints = {}
        self.selector = selectors.DefaultSelector()

    def command(self, words):
        verb, name, *rest = words
        if verb == "open":
            if name in self.endpoints:
                self.close(name)
            endpoint = Endpoint(name, rest[0], int(rest[1]), rest[2], int(rest[3]) if len(rest) > 3 else 0)
            self.endpoints[name] = endpoint
            self.selector.register(endpoint.rtp, selectors.EVENT_READ, (endpoint, "rtp"))
            self.selector.register(endpoint.rtcp, selectors.EVENT_READ, (endpoint, "rtcp"))
            return
        endpoint = self.endpoints.get(name)
        if endpoint is None:
            return
        if verb == "remote":
            port = int(rest[1])
            # A refused medium, or a peer on hold, has no place.
            usable = port != 0 and rest[0] not in ("0.0.0.0", "::")
            endpoint.remote = (rest[0], port) if usable and rest[2:] not in (["sendonly"], ["inactive"]) else None
            endpoint.rtcp_remote = (rest[0], port + 1) if usable else None
        elif verb == "silent":
            endpoint.remote = endpoint.rtcp_remote = None
        elif verb == "mark":
            endpoint.mark()
        elif verb == "close":
            self.close(name)

    def close(self, name):
        endpoint = self.endpoints.pop(name)
        for one in (endpoint.rtp, endpoint.rtcp):
            self.selector.unregister(one)
            one.close()

    def receive(self, timeout):
        for key, _ in self.selector.select(timeout):
            endpoint, kind = key.data
            for _ in range(100):
                try:
                    data, source = key.fileobj.recvfrom(2048)
                except BlockingIOError:
                    break
                except OSError:
                    # An ICMP message about something that was sent.
                    continue
                if kind == "rtp":
                    endpoint.take_packet(data, source)
                else:
                    endpoint.take_report(source)

    def run(self, commands, report):
        read = 0
        next_report = 0.0
        version = 0
        while True:
            with open(commands, encoding="utf-8") as file:
                file.seek(read)
                text = file.read()
            # A line that is not whole yet is read again.
            whole = text[:text.rfind("\n") + 1]
            read += len(whole.encode())
            lines = whole.split("\n")[:-1]
            for line in lines:
                if line.strip():
                    self.command(line.split())
            version += len(lines)
            now = time.monotonic()
            for endpoint in self.endpoints.values():
                endpoint.tick(now)
            if now >= next_report or lines:
                next_report = now + 0.1
                document = {name: endpoint.report() for name, endpoint in self.endpoints.items()}
                document["commands"] = version
                with open(report + ".new", "w", encoding="utf-8") as file:
                    json.dump(document, file)
                os.rename(report + ".new", report)
            self.receive(0.005)


def check(report, name, conditions):
    with open(report, encoding="utf-8") as file:
        endpoint = json.load(file).get(name)
    if endpoint is None:
        sys.exit(f"no endpoint {name}")
    wrong = []
    for condition in conditions:
        key, sign, value = re.fullmatch(r"(\w+)(>=|<=|=|>|<)(.*)", condition).groups()
        found = endpoint[key]
        wanted = type(found)(value)
        holds = {
            "=": found == wanted, ">=": found >= wanted, "<=": found <= wanted, ">": found > wanted, "<": found < wanted,
        }[sign]
        if not holds:
            wrong.append(f"{key} is {found}, not {sign.replace('=', '= ').strip()} {value}".replace("  ", " "))
    if wrong:
        sys.exit(f"media of {name}: " + ", ".join(wrong) + f" ({json.dumps(endpoint)})")


if __name__ == "__main__":
    if sys.argv[1] == "check":
        check(sys.argv[2], sys.argv[3], sys.argv[4:])
    else:
        Media().run(sys.argv[1], sys.argv[2])
