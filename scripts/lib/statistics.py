"""Questions about what `crosspoint stats --json` printed. Prints what is wrong, one line each, and then exits with 1.

    statistics.py agrees FILE ROUTE=PACKETS…    each flow counted so many packets, lost none, and sent as many by every leg;
                                                what each port received is what it forwarded, dropped and passed
    statistics.py grew BEFORE AFTER             no counter of BEFORE is smaller in AFTER, or missing unless it was 0
    statistics.py packets FILE ROUTE            prints how many packets the route's flow counted
"""
import json
import sys

# What is measured rather than counted, and so may fall.
NOT_COUNTERS = {
    "rates", "states", "interfaceIndex", "lastPacketAgeNanoseconds", "ssrc", "payloadType", "lostPackets", "clockRate",
    "jitterNanoseconds", "jitterTimestampUnits",
}


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def flows_of(statistics, route):
    return [flow for flow in statistics["flows"] if flow["route"] == route]


def disagreements(statistics, expectations):
    for expectation in expectations:
        route, _, packets = expectation.rpartition("=")
        flows = flows_of(statistics, route)
        if not flows:
            yield f"route {route}: not in the statistics"
        for flow in flows:
            if flow["packets"] != int(packets):
                yield f"route {route}: counted {flow['packets']} packets, {packets} were sent"
            rtp = flow.get("rtp")
            if rtp is None:
                yield f"route {route}: not accounted as RTP"
            elif rtp["lostPackets"] != 0:
                yield f"route {route}: {rtp['lostPackets']} packets counted as lost"
            for leg in flow["legs"]:
                if leg["packets"] != int(packets):
                    yield f"route {route}, leg {leg['leg']} to {leg['to']}: sent {leg['packets']} copies of {packets}"
    for port in statistics["ports"]:
        accounted = port["forwardedPackets"] + sum(port["dropped"].values()) + sum(port["passed"].values())
        if port["receivedPackets"] != accounted:
            yield f"port {port['name']}: received {port['receivedPackets']} packets and accounts for {accounted}"


def numbers(value, path=()):
    """All numbers in a JSON value with the path to each; elements of arrays go by their names."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in NOT_COUNTERS:
                yield from numbers(item, path + (key,))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            name = index
            if isinstance(item, dict):
                # A route over two networks has two flows of one name, which `from` tells apart.
                name = (item.get("name") or item.get("leg") or item.get("route") or index, item.get("from"))
            yield from numbers(item, path + (name,))
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, value


def shrunk(before, after):
    later = dict(numbers(after))
    for path, number in numbers(before):
        name = " ".join(str(part[0] if isinstance(part, tuple) else part) for part in path)
        if path not in later:
            # What another version counts under another name, and nothing was counted of.
            if number == 0:
                continue
            yield f"{name}: was {number} and is gone"
        elif later[path] < number:
            yield f"{name}: was {number} and is {later[path]}"


def main():
    question, *arguments = sys.argv[1:]
    if question == "packets":
        print(sum(flow["packets"] for flow in flows_of(load(arguments[0]), arguments[1])))
        return
    if question == "agrees":
        problems = list(disagreements(load(arguments[0]), arguments[1:]))
    elif question == "grew":
        problems = list(shrunk(load(arguments[0]), load(arguments[1])))
    else:
        sys.exit(f"{question}: not a question that this script answers")
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


main()
