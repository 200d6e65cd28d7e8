"""Questions about what a node says of itself, asked by scripts/tests/rtsp-interop.sh and sip-interop.sh. Prints what is wrong, one line
each; exit code 1 when anything is.

    nodecheck.py sessions FILE KIND=COUNT…      `session list --json`: so many sessions of each kind, none of another, each in order
    nodecheck.py calls SESSIONS STATISTICS COUNT    so many SIP calls, answered, with media both ways through the fast path: what the
                                                call reports is what the flows of its routes have counted, and nothing is lost
    nodecheck.py idle SESSIONS STATISTICS       no session, no flow, no leg
    nodecheck.py drops BEFORE AFTER [REASON…]   `stats --json`: nothing was dropped between the two, but what still came after its
                                                session had ended, and what was dropped for these reasons
"""
import json
import sys

# What a source sends before its players' legs are there, when they have gone, and while its session ends; what is before the packet
# that RTP-Info names; what players send to open firewalls.
HARMLESS = {"drop_draining", "drop_no_leg", "copy_gated"}
STREAMING = {"playing", "recording", "live"}


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def sessions_of(document):
    return document["sessions"] if isinstance(document, dict) else document


def wrong_sessions(sessions, expectations):
    expected = {kind: int(count) for kind, _, count in (text.partition("=") for text in expectations)}
    for kind in sorted({session["kind"] for session in sessions} | set(expected)):
        of_kind = [session for session in sessions if session["kind"] == kind]
        if len(of_kind) != expected.get(kind, 0):
            yield f"{len(of_kind)} sessions of kind {kind} instead of {expected.get(kind, 0)}"
    names = [session["name"] for session in sessions]
    if len(set(names)) != len(names):
        yield "two sessions have one name"
    for session in sessions:
        name = f"session {session['name']} ({session['kind']})"
        if session["state"] not in STREAMING:
            yield f"{name}: {session['state']}"
        if not session["streams"]:
            yield f"{name}: no streams"
        for stream in session["streams"]:
            if session["kind"] == "rtsp-player" and stream["transport"] == "udp" and stream.get("leg") is None:
                yield f"{name}: stream {stream['index']} has no leg"
            if stream["droppedPackets"]:
                yield f"{name}: stream {stream['index']} dropped {stream['droppedPackets']} packets"
            if not stream["engine"] or not stream["engineReason"]:
                yield f"{name}: stream {stream['index']} does not say which engine carries it, and why"


def wrong_calls(sessions, statistics, count):
    if len(sessions) != count:
        yield f"{len(sessions)} sessions instead of {count}"
    for session in sessions:
        name = f"call {session['name']}"
        if session["kind"] != "sip-call" or session["state"] != "answered":
            yield f"{name} ({session['kind']}): {session['state']}"
        if sorted(stream.get("from", "") for stream in session["streams"]) != ["callee", "caller"]:
            yield f"{name}: streams from {[stream.get('from') for stream in session['streams']]}"
        for stream in session["streams"]:
            where = f"{name}: media of the {stream.get('from')}"
            if stream["engine"] != "kernel" or not stream["engineReason"]:
                yield f"{where}: does not say that the kernel carries it, and why"
            if stream.get("state") != "ok":
                yield f"{where}: {stream.get('state')}"
            reception = stream.get("reception") or {}
            if not reception.get("packets"):
                yield f"{where}: nothing was received"
            if reception.get("lostPackets"):
                yield f"{where}: {reception['lostPackets']} packets lost"
            flows = [flow for flow in statistics["flows"] if flow["route"] == stream["route"]]
            # The statistics were read after the report.
            if sum(flow["packets"] for flow in flows) < reception.get("packets", 0):
                yield f"{where}: the flows of route {stream['route']} have counted less than the call reports"
            if sum(leg["packets"] for flow in flows for leg in flow["legs"]) < reception.get("packets", 0):
                yield f"{where}: the legs of route {stream['route']} have sent less than was received"


def remains(sessions, statistics):
    for session in sessions:
        yield f"session {session['name']} ({session['kind']}, {session['state']}) is left"
    for flow in statistics["flows"]:
        yield f"flow of route {flow['route']} with {len(flow['legs'])} legs is left"


def drops(statistics):
    return {(port["name"], reason): count for port in statistics["ports"] for reason, count in port["dropped"].items()}


def main():
    question, *arguments = sys.argv[1:]
    if question == "sessions":
        problems = list(wrong_sessions(sessions_of(load(arguments[0])), arguments[1:]))
    elif question == "calls":
        sessions, statistics, count = arguments
        problems = list(wrong_calls(sessions_of(load(sessions)), load(statistics), int(count)))
    elif question == "idle":
        problems = list(remains(sessions_of(load(arguments[0])), load(arguments[1])))
    elif question == "drops":
        before = drops(load(arguments[0]))
        problems = [
            f"port {port}: {count - before.get((port, reason), 0)} packets dropped: {reason}"
            for (port, reason), count in drops(load(arguments[1])).items()
            if reason not in HARMLESS and reason not in arguments[2:] and count > before.get((port, reason), 0)
        ]
    else:
        sys.exit(f"{question}: not a question that this script answers")
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


main()
