"""Puts the rounds of `scripts/bench rtsp` together.

    bench_summary.py ROUNDS PACKET_TIME [JSON]

ROUNDS has one JSON object a line: {"case": …, "players": …} as rtsp-benchmark-players printed it, for cases with load also
"generator" and what the node counted. Prints medians, writes them to JSON, and ends with 3 when something that must be 0 is not, in
any round.
"""
import json
import statistics
import sys

FIGURES = (
    ("sessions_per_second", ("sessions_per_second",)),
    ("setup_ms_p50", ("setup_ms", "p50")),
    ("setup_ms_p99", ("setup_ms", "p99")),
    ("first_packet_ms_p50", ("first_packet_ms", "p50")),
    ("first_packet_ms_p99", ("first_packet_ms", "p99")),
)
# Of the node, in every round. Of gst-rtsp-server these are only told.
MUST_BE_ZERO = ("failed", "without_packets", "missing", "disorder", "early", "announced_wrong", "after_teardown")


def value(players, path):
    for name in path:
        players = players.get(name) if players else None
    return players


def faults(number, measured):
    where = f"round {number}, {measured['case']}"
    players = measured["players"]
    if measured["case"] != "gst_rtsp_server":
        for name in MUST_BE_ZERO:
            if players[name]:
                reason = f" ({players['first_failure']})" if name == "failed" else ""
                yield f"{where}: {name} is {players[name]}{reason}"
    for name, count in measured.get("transmit_errors", {}).items():
        if count:
            yield f"{where}: {count} transmit errors at {name}"
    generator = measured.get("generator")
    if generator:
        # Against what came in: what found the ring in front of the node full is no loss of the node's.
        for sink, good in enumerate(generator["good"], 1):
            if good != measured["forwarded"]:
                yield f"{where}: {measured['forwarded'] - good} of {measured['forwarded']} copies to sink {sink} are missing"
        for name in ("bad", "out_of_order"):
            if any(generator[name]):
                yield f"{where}: {name.replace('_', ' ')} copies at the sinks: {generator[name]}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        rounds = [json.loads(line) for line in file]
    report = {
        "results": {}, "faults": [], "packet_interval_ms": int(sys.argv[2]), "sessions": rounds[0]["players"]["sessions"],
        "rounds": rounds,
    }
    for case in dict.fromkeys(measured["case"] for measured in rounds):
        of_case = [measured for measured in rounds if measured["case"] == case]
        figures = {}
        for name, path in FIGURES:
            values = [found for measured in of_case if (found := value(measured["players"], path)) is not None]
            if values:
                figures[name] = round(statistics.median(values), 3)
        for name in MUST_BE_ZERO:
            figures[name] = max(measured["players"][name] for measured in of_case)
        rates = [measured["generator"]["packets_per_second"] for measured in of_case if "generator" in measured]
        if rates:
            figures["packets_per_second"] = round(statistics.median(rates))
            figures["forwarded_packets"] = sum(measured["forwarded"] for measured in of_case)
        report["results"][case] = figures
        loss = "" if case != "gst_rtsp_server" else f", {figures['missing']} packets missing"
        load = f" beside {figures['packets_per_second'] / 1e6:.2f} Mpps" if rates else ""
        print(f"{case:18} {figures.get('sessions_per_second', 0):7.0f} sessions/s{load}, set up in "
              f"{figures.get('setup_ms_p50', 0):.1f} ms (p99 {figures.get('setup_ms_p99', 0):.1f}), first packet after "
              f"{figures.get('first_packet_ms_p50', 0):.2f} ms (p99 {figures.get('first_packet_ms_p99', 0):.2f}){loss}")
    for number, measured in enumerate(rounds, 1):
        report["faults"] += faults(number, measured)
    for fault in report["faults"]:
        print(f"FAULT: {fault}")
    if len(sys.argv) > 3:
        with open(sys.argv[3], "w", encoding="utf-8") as file:
            json.dump(report, file, indent=2)
            file.write("\n")
    sys.exit(3 if report["faults"] else 0)


main()
