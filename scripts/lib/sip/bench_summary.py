"""Puts the rounds of `scripts/bench sip` together.

    bench_summary.py counts STATISTICS       what SIPp's file of statistics says in the end, as members of a JSON object
    bench_summary.py lossless <MEDIA         yes or no: whether sip-benchmark-media lost nothing
    bench_summary.py report ROUNDS [JSON]    medians; ends with 3 when something of Crosspoint's that must be 0 is not

ROUNDS has one JSON object a line, of kind "calls" or "held".
"""
import csv
import json
import statistics
import sys


def counts(path):
    with open(path, encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter=";"))
    last = dict(zip(rows[0], rows[-1]))
    # Date, time, and seconds since 1970, of which the elapsed time that it also has is the whole ones.
    seconds = float(last["CurrentTime"].split()[-1]) - float(last["StartTime"].split()[-1])
    found = {
        "successful": int(last["SuccessfulCall(C)"]), "failed": int(last["FailedCall(C)"]),
        "retransmissions": int(last["Retransmissions(C)"]), "seconds": round(seconds, 3),
    }
    print(json.dumps(found)[1:-1])


def is_lossless(media):
    return media["wrong"] == 0 and media["received"] == media["sent"]


def faults(rounds):
    for number, measured in enumerate(rounds, 1):
        if measured["case"] != "crosspoint":
            continue
        where = f"round {number}, crosspoint, {measured['kind']}"
        if measured["counts"]["failed"]:
            yield f"{where}: {measured['counts']['failed']} calls failed"
        if measured["kind"] == "held":
            if measured["counts"]["successful"] != measured["calls"]:
                yield f"{where}: {measured['counts']['successful']} of {measured['calls']} calls ended well"
            first = measured["media"][0]["media"]
            if not is_lossless(first):
                lost = first["sent"] - first["received"]
                yield f"{where}: {lost} of {first['sent']} packets missing, {first['wrong']} wrong, at {measured['media'][0]['rate']}/s"


def figures(of_case):
    calls = [measured for measured in of_case if measured["kind"] == "calls"]
    held = [measured for measured in of_case if measured["kind"] == "held"]
    found = {
        "calls_per_second": round(statistics.median(m["counts"]["successful"] / m["counts"]["seconds"] for m in calls), 1),
        "failed_calls": max(m["counts"]["failed"] for m in of_case),
        "retransmissions": max(m["counts"]["retransmissions"] for m in of_case),
        "held_calls": min(m["counts"]["successful"] for m in held),
        "memory_kib_per_call": round(
            statistics.median((m["memory_kib"]["after"] - m["memory_kib"]["before"]) / m["calls"] for m in held), 1),
        "memory_kib": statistics.median(m["memory_kib"]["after"] for m in held),
    }
    rates = []
    for measured in held:
        passed = [step["media"]["packets_per_second"] for step in measured["media"] if is_lossless(step["media"])]
        rates.append(max(passed, default=0))
    found["media_packets_per_second"] = round(statistics.median(rates))
    # When nothing was lost at the highest rate either, the rate is the generator's, not the limit.
    found["media_rate_is_limit"] = all(not is_lossless(m["media"][-1]["media"]) for m in held)
    first = [m["media"][0]["media"] for m in held]
    found["media_lost_percent"] = round(
        max(100 * (media["sent"] - media["received"]) / media["sent"] for media in first), 4)
    return found


def report(path, output):
    with open(path, encoding="utf-8") as file:
        rounds = [json.loads(line) for line in file]
    result = {"results": {}, "faults": list(faults(rounds)), "rounds": rounds}
    for case in dict.fromkeys(measured["case"] for measured in rounds):
        found = figures([measured for measured in rounds if measured["case"] == case])
        result["results"][case] = found
        limit = "" if found["media_rate_is_limit"] else " and more"
        print(
            f"{case:19} {found['calls_per_second']:6.0f} calls/s ({found['failed_calls']} failed), {found['held_calls']} held: "
            f"{found['memory_kib_per_call']:.0f} KiB each, media {found['media_packets_per_second'] / 1000:.0f}k packets/s{limit} "
            f"without loss, {found['media_lost_percent']:.3g} % lost at the first rate")
    for fault in result["faults"]:
        print(f"FAULT: {fault}")
    if output:
        with open(output, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=2)
            file.write("\n")
    sys.exit(3 if result["faults"] else 0)


if sys.argv[1] == "counts":
    counts(sys.argv[2])
elif sys.argv[1] == "lossless":
    print("yes" if is_lossless(json.load(sys.stdin)) else "no")
else:
    report(sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
