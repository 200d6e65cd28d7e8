"""Plays a receiver: takes RTP from a plain socket, puts video frames (RFC 4175, 4:2:2 10-bit) or audio (L24) together again.

Writes the hash of each complete video frame, or second of audio, as send_media.py does, and ends when it has had as many as it was told
to wait for, or when nothing has come for the idle time after the first packet. Its last line says: packets, and how many were missing.
"""
import argparse
import hashlib
import socket
import struct

SO_RCVBUFFORCE = 33


def open_socket(address, port, interface_address):
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 512 << 20)
    receiver.bind((address, port))
    if 224 <= int(address.split(".")[0]) <= 239:
        receiver.setsockopt(
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(address) + socket.inet_aton(interface_address)
        )
    return receiver


class VideoFrames:
    """Frames from RFC 4175 packets: each says for itself which pixels of which lines it carries."""

    def __init__(self, width, height, emit):
        self.stride = width * 5 // 2
        self.size = self.stride * height
        self.emit = emit
        self.begin(None)

    def begin(self, timestamp):
        # Zeroed, since what a lost packet leaves open must not look like the frame before.
        self.frame = bytearray(self.size)
        self.filled = 0
        self.timestamp = timestamp

    def end(self):
        if self.filled == self.size:
            self.emit(self.frame)
        elif self.filled > 0:
            print(f"a frame with {self.filled} of {self.size} octets", flush=True)
        self.begin(None)

    def add(self, packet, length):
        timestamp = packet[4:8].tobytes()
        if timestamp != self.timestamp:
            # The marked packet of the frame before was lost.
            self.end()
            self.begin(timestamp)
        # Extended sequence number, then a header of length, line and offset per piece, the last without the C bit.
        position = 14
        pieces = []
        more = True
        while more:
            octets, line, offset = struct.unpack_from("!HHH", packet, position)
            position += 6
            more = bool(offset & 0x8000)
            pieces.append(((line & 0x7FFF) * self.stride + (offset & 0x7FFF) // 2 * 5, octets))
        for start, octets in pieces:
            if position + octets > length or start + octets > self.size:
                raise ValueError("a packet names pixels that it does not have or that the picture does not have")
            self.frame[start : start + octets] = packet[position : position + octets]
            position += octets
            self.filled += octets
        if packet[1] & 0x80:
            self.end()


class AudioSeconds:
    """Seconds of audio from L24 packets."""

    def __init__(self, emit):
        self.samples = bytearray()
        self.emit = emit

    def add(self, packet, length):
        self.samples += packet[12:length]
        if len(self.samples) >= 48000 * 2 * 3:
            self.emit(self.samples[: 48000 * 2 * 3])
            del self.samples[: 48000 * 2 * 3]


def main():
    options = argparse.ArgumentParser(description="Receives RTP, depayloads it, and records what it got.")
    options.add_argument("essence", choices=["video", "audio"])
    options.add_argument("--on", required=True, metavar="ADDRESS:UDPPORT", help="own address, or a group to join")
    options.add_argument("--interface-address", default="0.0.0.0", help="where to join")
    options.add_argument("--size", metavar="WIDTHxHEIGHT", default="0x0")
    options.add_argument("--count", type=int, required=True, help="frames, or seconds of audio, to wait for")
    options.add_argument("--wait", type=float, default=30, help="seconds to wait for the first packet")
    options.add_argument("--idle", type=float, default=3, help="seconds without a packet after which it gives up")
    options.add_argument("--record", required=True, metavar="FILE")
    options = options.parse_args()

    address, _, port = options.on.rpartition(":")
    receiver = open_socket(address, int(port), options.interface_address)
    print("ready", flush=True)
    number = 0
    with open(options.record, "w", encoding="ascii") as record:

        def emit(data):
            nonlocal number
            record.write(hashlib.blake2b(data, digest_size=16).hexdigest() + "\n")
            number += 1

        width, height = (int(part) for part in options.size.split("x"))
        essence = VideoFrames(width, height, emit) if options.essence == "video" else AudioSeconds(emit)
        packet = bytearray(9216)
        view = memoryview(packet)
        packets = missing = 0
        expected = None
        receiver.settimeout(options.wait)
        while number < options.count:
            try:
                length = receiver.recv_into(view)
            except TimeoutError:
                break
            if packets == 0:
                receiver.settimeout(options.idle)
            packets += 1
            sequence = packet[2] << 8 | packet[3]
            if expected is not None and sequence != expected:
                missing += (sequence - expected) & 0xFFFF
            expected = (sequence + 1) & 0xFFFF
            essence.add(view, length)
        # A copy too many would come now.
        receiver.settimeout(0.3)
        try:
            while True:
                receiver.recv_into(view)
                packets += 1
        except TimeoutError:
            pass
    print(f"packets {packets} missing {missing}")


main()
