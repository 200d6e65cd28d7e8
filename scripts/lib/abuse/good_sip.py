#!/usr/bin/python3
"""A well-behaved SIP device: OPTIONS by UDP and over a TCP connection in turns, twenty a second.

    good_sip.py HOST PORT SOURCE SECONDS

Prints the line of JSON that good.py prints.
"""
import json
import socket
import sys
import time


def request(number, source, transport):
    return (
        f"OPTIONS sip:10.66.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} {source}:5088;branch=z9hG4bKgood{number};rport\r\n"
        f"From: <sip:good@{source}>;tag={number}\r\nTo: <sip:10.66.0.1>\r\nCall-ID: good-{number}@{source}\r\n"
        f"CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def main():
    host, port, source, seconds = sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind((source, 5088))
    stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    stream.bind((source, 0))
    for one in (datagrams, stream):
        one.settimeout(5)
        one.connect((host, port))
    end, times, failures, number = time.monotonic() + seconds, [], [], 0
    while time.monotonic() < end:
        number += 1
        used, transport = (datagrams, "UDP") if number % 2 else (stream, "TCP")
        began = time.monotonic()
        try:
            used.sendall(request(number, source, transport))
            answer = b""
            while f"good-{number}@".encode() not in answer:
                answer = used.recv(65536)
                if not answer:
                    raise ConnectionError("closed")
            times.append((time.monotonic() - began) * 1000)
            status = answer.split(b" ", 2)[1].decode()
            if status != "200":
                failures.append(f"{transport} OPTIONS {status}")
        except OSError as error:
            failures.append(f"{transport} {type(error).__name__}: {error}")
        time.sleep(0.05)
    times.sort()

    def quantile(share):
        return round(times[min(len(times) - 1, int(len(times) * share))], 1) if times else None

    print(json.dumps({"count": len(times), "failures": len(failures), "failed": sorted(set(failures))[:5], "median": quantile(0.5),
                      "p99": quantile(0.99), "longest": quantile(1)}))


main()
