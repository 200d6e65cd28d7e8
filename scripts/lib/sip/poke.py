"""Tells a SIPp that waits at a gate to go on: an INFO of its call, sent to SIPp itself.

    poke.py ADDRESS UDPPORT CALLID [COUNT RATE]

With COUNT, CALLID has a %u in it, for the calls from 1 to COUNT; so many of them go on in a second.
"""
import socket
import sys
import time

address, port, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
count, rate = (int(sys.argv[4]), float(sys.argv[5])) if len(sys.argv) > 4 else (1, 1.0)
family = socket.AF_INET6 if ":" in address else socket.AF_INET
began = time.monotonic()
with socket.socket(family, socket.SOCK_DGRAM) as sender:
    for number in range(1, count + 1):
        time.sleep(max(0.0, began + (number - 1) / rate - time.monotonic()))
        call = name.replace("%u", str(number))
        message = "\r\n".join([
            f"INFO sip:gate@{'[' + address + ']' if ':' in address else address}:{port} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKgate{number}", "From: <sip:test@127.0.0.1>;tag=gate",
            "To: <sip:gate@127.0.0.1>", f"Call-ID: {call}", "CSeq: 1 INFO", "Max-Forwards: 70", "Content-Length: 0", "", "",
        ])
        sender.sendto(message.encode(), (address, port))
