"""Sends a SIP agent what it should not be sent: malformed messages, floods, half messages on connections. Ends with 0 when the agent
still answers whom it should answer.

    scanner.py ADDRESS UDPPORT MESSAGES SCANNER PEER

MESSAGES is a directory with one message a file; everything wrong comes from the address SCANNER, in the end an OPTIONS comes from PEER.
"""
import os
import random
import socket
import sys
import time

address, port, messages, scanner, peer = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5]
random.seed(4475)


def request(method, number, source, extra=""):
    return (
        f"{method} sip:{number}@{address} SIP/2.0\r\nVia: SIP/2.0/UDP {source}:5099;branch=z9hG4bK{method}{number};rport\r\n"
        f"From: <sip:scanner@{source}>;tag={number}\r\nTo: <sip:{number}@{address}>\r\nCall-ID: {method}-{number}@{source}\r\n"
        f"CSeq: 1 {method}\r\nMax-Forwards: 70\r\nContact: <sip:scanner@{source}:5099>\r\nUser-Agent: friendly-scanner\r\n{extra}"
        "Content-Length: 0\r\n\r\n").encode()


def datagram_socket(source, timeout):
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind((source, 5099))
    opened.settimeout(timeout)
    return opened


def send_datagrams():
    corpus = []
    for name in sorted(os.listdir(messages)):
        with open(os.path.join(messages, name), "rb") as file:
            corpus.append(file.read())
    with datagram_socket(scanner, 0) as sender:
        for data in corpus:
            sender.sendto(data, (address, port))
        for _ in range(2000):
            data = bytearray(random.choice(corpus)[:1400])
            for _ in range(random.randrange(1, 6)):
                if data:
                    data[random.randrange(len(data))] = random.choice(b"\r\n\0 ,;:<>\"@%\xff")
            sender.sendto(data or b"\0", (address, port))
        for number in range(2000):
            sender.sendto(request(("OPTIONS", "REGISTER", "INVITE")[number % 3], number, scanner), (address, port))
            # What comes back is not read, as scanners do.
            if number % 50 == 0:
                time.sleep(0.01)


def use_connections():
    held = []
    for number in range(50):
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        connection.settimeout(5)
        connection.bind((scanner, 0))
        connection.connect((address, port))
        try:
            if number % 3 == 0:
                connection.sendall(b"INVITE sip:half@" + b"x" * 500)
            elif number % 3 == 1:
                connection.sendall(os.urandom(2000))
            else:
                connection.sendall(request("OPTIONS", number, scanner).replace(b"Content-Length: 0", b"Content-Length: 999999999"))
        except OSError:
            # It was ended already.
            pass
        held.append(connection)
    time.sleep(0.5)
    for connection in held:
        connection.close()


def ask():
    """Whether the peer gets an answer to an OPTIONS."""
    with datagram_socket(peer, 0.5) as sender:
        for _ in range(20):
            sender.sendto(request("OPTIONS", "ping", peer), (address, port))
            try:
                if sender.recv(4096).startswith(b"SIP/2.0 200"):
                    return True
            except TimeoutError:
                pass
    return False


send_datagrams()
use_connections()
if not ask():
    sys.exit("the agent does not answer an OPTIONS any more")
