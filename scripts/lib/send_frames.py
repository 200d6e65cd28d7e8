"""Sends frames of any kind, right or wrong: VLANs, TTL, fragments, payload types and senders as they are asked for.

    send_frames.py --interface IF [--rate PACKETS] [--seconds N] FLOW…

A FLOW is `dst=239.1.1.1,dport=5004,src=10.1.0.7,…`. Keys: dst, dport, src, sport, mac (of the destination), vlan (100 or 100.200), ttl,
kind (rtp, ts, rtcp, other, query), pt, ssrc, size (payload bytes), fragments (yes), options (yes: of IP), damage (yes: a wrong IP
checksum), smac (of the sender), lose (one packet of so many), every (one packet in so many rounds). Each round sends one packet of
each flow. IPv4 alone. Ends after the given time, or when it is told to.
"""
import argparse
import ipaddress
import socket
import struct
import time


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def group_mac(address):
    value = int(address) & 0x7fffff
    return bytes([0x01, 0x00, 0x5e]) + value.to_bytes(3, "big")


class Flow:
    def __init__(self, text, interface_mac):
        values = dict(part.split("=", 1) for part in text.split(","))
        self.destination = ipaddress.IPv4Address(values["dst"])
        self.source = ipaddress.IPv4Address(values.get("src", "10.1.0.7"))
        self.udp = (int(values.get("sport", 5004)), int(values.get("dport", 5004)))
        self.ttl = int(values.get("ttl", 16))
        self.kind = values.get("kind", "rtp")
        self.payload_type = int(values.get("pt", 96))
        self.ssrc = int(values.get("ssrc", "0x1234"), 0)
        self.size = int(values.get("size", 200))
        self.fragments = values.get("fragments") == "yes"
        self.options = b"\x94\x04\0\0" if values.get("options") == "yes" else b""
        self.damage = values.get("damage") == "yes"
        self.lose = int(values.get("lose", 0))
        self.every = int(values.get("every", 1))
        mac = bytes.fromhex(values["mac"].replace(":", "")) if "mac" in values else group_mac(self.destination)
        sender_mac = bytes.fromhex(values["smac"].replace(":", "")) if "smac" in values else interface_mac
        self.ethernet = mac + sender_mac
        for tag in filter(None, values.get("vlan", "").split(".")):
            self.ethernet += struct.pack("!HH", 0x8100, int(tag))
        self.ethernet += b"\x08\x00"
        self.number = 0

    def payload(self):
        if self.kind == "rtp":
            header = struct.pack("!BBHII", 0x80, self.payload_type, self.number & 0xffff, self.number * 90 & 0xffffffff, self.ssrc)
            return header + bytes(self.size)
        if self.kind == "ts":
            return (b"\x47" + bytes(187)) * 7
        if self.kind == "rtcp":
            return struct.pack("!BBHI", 0x80, 200, 6, self.ssrc) + bytes(20)
        return bytes(self.size)

    def ip(self, protocol, data, offset=0, more=False):
        flags = offset // 8 | (0x2000 if more else 0)
        size = 20 + len(self.options)
        header = struct.pack("!BBHHHBBH4s4s", 0x40 | size // 4, 0, size + len(data), self.number & 0xffff, flags, self.ttl,
                             protocol, 0, self.source.packed, self.destination.packed) + self.options
        total = checksum(header) ^ (0x0101 if self.damage else 0)
        return self.ethernet + header[:10] + struct.pack("!H", total) + header[12:] + data

    def frames(self):
        self.number += 1
        if self.number % self.every or (self.lose and not self.number % self.lose):
            return []
        if self.kind == "query":
            data = struct.pack("!BBH4s4s", 0x11, 100, 0, bytes(4), bytes(4))
            return [self.ip(2, data[:2] + struct.pack("!H", checksum(data)) + data[4:])]
        payload = self.payload()
        # Without a checksum, as RFC 768 allows.
        data = struct.pack("!HHHH", *self.udp, 8 + len(payload), 0) + payload
        if not self.fragments:
            return [self.ip(17, data)]
        cut = len(data) // 16 * 8
        return [self.ip(17, data[:cut], 0, True), self.ip(17, data[cut:], cut)]


def main():
    options = argparse.ArgumentParser(description="Sends frames as they are asked for.")
    options.add_argument("--interface", required=True)
    options.add_argument("--rate", type=float, default=200, help="rounds per second")
    options.add_argument("--seconds", type=float, default=600)
    options.add_argument("flows", nargs="+")
    options = options.parse_args()
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sender.bind((options.interface, 0))
    flows = [Flow(text, sender.getsockname()[4]) for text in options.flows]
    began = time.monotonic()
    rounds = 0
    while (elapsed := time.monotonic() - began) < options.seconds:
        while rounds < elapsed * options.rate:
            rounds += 1
            for flow in flows:
                for frame in flow.frames():
                    sender.send(frame)
        time.sleep(0.005)


if __name__ == "__main__":
    main()
