"""Tells a SIPp that waits at a gate to go on: an INFO of its call, sent to SIPp itself.

    poke.py ADDRESS UDPPORT CALLID
"""
import socket
import sys

address, port, call = sys.argv[1], int(sys.argv[2]), sys.argv[3]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
message = "\r\n".join([
    f"INFO sip:gate@{'[' + address + ']' if ':' in address else address}:{port} SIP/2.0",
    "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKgate", "From: <sip:test@127.0.0.1>;tag=gate", "To: <sip:gate@127.0.0.1>",
    f"Call-ID: {call}", "CSeq: 1 INFO", "Max-Forwards: 70", "Content-Length: 0", "", "",
])
with socket.socket(family, socket.SOCK_DGRAM) as sender:
    sender.sendto(message.encode(), (address, port))
