#!/usr/bin/python3
"""A well-behaved player, again and again: OPTIONS, DESCRIBE, SETUP, PLAY and TEARDOWN, by UDP and by TCP in turns.

    good.py HOST TCPPORT PATH SOURCE SECONDS

Prints one line of JSON: how many transactions, how many failed and how, and the median, 99th percentile and longest of their times in ms.
"""
import json
import sys
import time

from client import Client


def main():
    host, tcp_port, path, source, seconds = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], float(sys.argv[5])
    base = f"rtsp://{host}:{tcp_port}{path}"
    end = time.monotonic() + seconds
    times, failures = [], []
    number = 0

    def ask(client, method, url, headers=()):
        began = time.monotonic()
        status, _ = client.ask(method, url, headers)
        times.append((time.monotonic() - began) * 1000)
        if status != 200:
            failures.append(f"{method} {status}")
        return status == 200

    while time.monotonic() < end:
        number += 1
        udp_port = 20000 + number % 20000 * 2
        transport = f"RTP/AVP;unicast;client_port={udp_port}-{udp_port + 1}" if number % 2 else "RTP/AVP/TCP;unicast;interleaved=0-1"
        try:
            client = Client(host, tcp_port, source, timeout=5)
            try:
                if (
                    ask(client, "OPTIONS", base)
                    and ask(client, "DESCRIBE", base, {"Accept": "application/sdp"})
                    and ask(client, "SETUP", base + "/streamid=0", {"Transport": transport})
                    and ask(client, "PLAY", base)
                ):
                    ask(client, "TEARDOWN", base)
            finally:
                client.close()
        except (OSError, ValueError) as error:
            failures.append(f"{type(error).__name__}: {error}")
        time.sleep(0.02)
    times.sort()

    def quantile(share):
        return round(times[min(len(times) - 1, int(len(times) * share))], 1) if times else None

    print(
        json.dumps(
            {"count": len(times), "failures": len(failures), "failed": sorted(set(failures))[:5], "median": quantile(0.5),
             "p99": quantile(0.99), "longest": quantile(1)}
        )
    )


main()
