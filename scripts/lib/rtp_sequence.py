"""Sends numbered RTP packets on several flows, or receives them and says which numbers were missing or came twice.

    rtp_sequence.py send    --rate PACKETS-PER-SECOND [--first SEQUENCE-NUMBER] [--ssrc N] NAME=ADDRESS:UDPPORT…
    rtp_sequence.py receive NAME=ADDRESS:UDPPORT…

Both go on until SIGTERM, or for ten minutes at most, and then print a line for each flow:
    NAME sent N
    NAME received N missing N duplicated N      where missing counts up to the highest number that came
The number is 32 bits behind the RTP header, so wraps of the 16-bit sequence number hide nothing.
"""
import argparse
import ipaddress
import selectors
import signal
import socket
import struct
import time

LONGEST = 600
SO_RCVBUFFORCE = 33


class Flow:
    def __init__(self, text):
        self.name, _, endpoint = text.partition("=")
        address, _, port = endpoint.rpartition(":")
        self.address = ipaddress.ip_address(address.strip("[]"))
        self.port = int(port)
        family = socket.AF_INET if self.address.version == 4 else socket.AF_INET6
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.packets = 0

    def set_up_to_send(self):
        # A TTL of 1 must not be forwarded.
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 32)
        if self.address.version == 6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 32)
        self.socket.connect((str(self.address), self.port))
        self.payload = bytes(1200)

    def send(self, ssrc, first):
        number = self.packets
        self.socket.send(
            struct.pack("!BBHIII", 0x80, 96, first + number & 0xFFFF, number * 90 & 0xFFFFFFFF, ssrc, number) + self.payload
        )
        self.packets += 1

    def set_up_to_receive(self):
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.socket.bind((str(self.address), self.port))
        self.socket.setblocking(False)
        self.seen = bytearray()
        self.duplicated = 0

    def receive(self):
        for _ in range(64):
            try:
                packet = self.socket.recv(2048)
            except BlockingIOError:
                return
            (number,) = struct.unpack_from("!I", packet, 12)
            if number >= len(self.seen):
                self.seen.extend(bytes(number + 1 - len(self.seen)))
            self.packets += 1
            self.duplicated += self.seen[number]
            self.seen[number] = 1


def main():
    options = argparse.ArgumentParser(description="Sends or receives numbered RTP packets.")
    options.add_argument("direction", choices=["send", "receive"])
    options.add_argument("--rate", type=int, default=1000, help="packets per second and flow")
    options.add_argument("--first", type=int, default=0, help="the first RTP sequence number")
    options.add_argument("--ssrc", type=int, default=1, help="the SSRC of the first flow; the others' are one more each")
    options.add_argument("flows", nargs="+", type=Flow, metavar="NAME=ADDRESS:UDPPORT")
    options = options.parse_args()

    stopped = False

    def stop(*_):
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGTERM, stop)
    begin = time.monotonic()
    if options.direction == "send":
        for flow in options.flows:
            flow.set_up_to_send()
        print("ready", flush=True)
        sent = 0
        while not stopped and time.monotonic() < begin + LONGEST:
            # What is due by now, at most 20 at a time: after a pause of the machine no burst follows.
            due = int((time.monotonic() - begin) * options.rate)
            if due - sent > 20:
                begin += (due - sent - 20) / options.rate
                due = sent + 20
            for sent in range(sent + 1, due + 1):
                for index, flow in enumerate(options.flows):
                    flow.send(options.ssrc + index, options.first)
            time.sleep(0.001)
        for flow in options.flows:
            print(f"{flow.name} sent {flow.packets}", flush=True)
    else:
        selector = selectors.DefaultSelector()
        for flow in options.flows:
            flow.set_up_to_receive()
            selector.register(flow.socket, selectors.EVENT_READ, flow)
        print("ready", flush=True)
        while not stopped and time.monotonic() < begin + LONGEST:
            for key, _ in selector.select(0.2):
                key.data.receive()
        for flow in options.flows:
            missing = flow.seen.count(0)
            print(f"{flow.name} received {flow.packets} missing {missing} duplicated {flow.duplicated}", flush=True)


main()
