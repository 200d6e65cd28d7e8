"""Puts the rounds of `scripts/bench sip-standing` together.

    bench_load.py standing ROUNDS [JSON]    ends with 3 when a call costs more beside others that stand

ROUNDS has one JSON object a line.
"""
import json
import sys

# A call beside 5,000 others may cost so many times what it costs beside 100.
STANDING_RATIO = 1.2


def standing(rounds):
    costs = {}
    for measured in rounds:
        counts = measured["counts"]
        calls = counts["successful"] + counts["failed"]
        idle = measured["idle_ms_per_second"]
        cost = (measured["cpu_ms"] - idle * counts["seconds"]) / max(calls, 1)
        costs[measured["standing"]] = cost
        measured["cpu_ms_per_call"] = round(cost, 3)
        print(f"{measured['standing']:6d} standing: {cost:6.2f} ms of processor time a call, idle {idle:6.1f} ms a second, {counts['failed']} failed")
        if counts["failed"]:
            yield f"{counts['failed']} calls failed beside {measured['standing']}"
    few = costs.get(100, costs[min(costs)])
    for number, cost in costs.items():
        if 100 < number <= 5000 and cost > STANDING_RATIO * few:
            yield f"a call costs {cost / few:.2f} times as much beside {number} as beside 100"


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        rounds = [json.loads(line) for line in file]
    faults = list({"standing": standing}[sys.argv[1]](rounds))
    for fault in faults:
        print(f"FAULT: {fault}")
    if len(sys.argv) > 3:
        with open(sys.argv[3], "w", encoding="utf-8") as file:
            json.dump({"rounds": rounds, "faults": faults}, file, indent=2)
            file.write("\n")
    sys.exit(3 if faults else 0)


main()
