"""Says whether a capture holds only RTP packets of which no two have a part of their payload in common.

    distinct_payloads.py CAPTURE

The packets carried the same payload before they were encrypted: what is in clear, or encrypted twice with one keystream, has 64 bytes in common
with another packet, or a row of zeros. The capture is tcpdump's, of Ethernet, IPv4 and UDP. Exit code: 0 right, 1 wrong.
"""
import struct
import sys

PART = 64


def packets(data):
    order = "<" if data[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    place = 24
    while place + 16 <= len(data):
        (length,) = struct.unpack_from(order + "I", data, place + 8)
        yield data[place + 16 : place + 16 + length]
        place += 16 + length


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    seen = {}
    count = 0
    for frame in packets(data):
        payload = frame[14 + 20 + 8 + 12 :]
        count += 1
        # The first bytes are a number, the last ones key identifier and tag.
        for place in range(PART, PART * 9, PART):
            part = payload[place : place + PART]
            if len(part) < PART:
                continue
            if part == bytes(PART):
                sys.exit(f"packet {count} is in clear")
            if (place, part) in seen:
                sys.exit(f"packets {seen[place, part]} and {count} have a keystream in common")
            seen[place, part] = count
    if count < 1000:
        sys.exit(f"{count} packets only")
    print(f"{count} packets, none in clear, no keystream twice")


main()
