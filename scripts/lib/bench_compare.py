# `scripts/bench compare A B`: what changed between two results of scripts/bench, beyond the noise within each.
#
# A figure has changed when the middle halves of its rounds in A and in B have nothing in common. Ratios of cases of the same round
# come first: the machine's own pace is not in them.
import argparse
import json
import sys


def quartiles(rounds):
    """First quartile, median and third quartile."""
    ordered = sorted(rounds)

    def at(part):
        position = part * (len(ordered) - 1)
        below = int(position)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (ordered[above] - ordered[below]) * (position - below)

    return at(0.25), at(0.5), at(0.75)


def load(path):
    """The rounds of every case, and those of what was measured relative to another."""
    try:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        results = {name: [float(value) for value in result["rounds"]] for name, result in report["results"].items()}
    except OSError as error:
        sys.exit(f"bench: {path}: {error.strerror}")
    except (ValueError, KeyError, TypeError, AttributeError):
        sys.exit(f"bench: {path}: not a result of scripts/bench with the figures of each round; measure with --json FILE")
    if not results or not all(results.values()):
        sys.exit(f"bench: {path}: has no rounds; measure with --json FILE")
    ratios = {}
    for target in report.get("targets", []):
        if target.get("rounds"):
            ratios[target["name"]] = [float(value) for value in target["rounds"]]
    return results, ratios


def compare(before, after):
    """How much the median changed, and whether that is more than noise."""
    first_a, median_a, third_a = quartiles(before)
    first_b, median_b, third_b = quartiles(after)
    change = median_b / median_a - 1
    noise = max((third_a - first_a) / median_a, (third_b - first_b) / median_b)
    is_beyond = first_b > third_a or third_b < first_a
    return {
        "before": median_a, "after": median_b, "change": change, "noise": noise,
        "verdict": "same" if not is_beyond else "better" if change > 0 else "worse",
    }


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench compare", add_help=False)
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    results_a, ratios_a = load(arguments.before)
    results_b, ratios_b = load(arguments.after)
    # Ratios first: they do not depend on how fast the machine was.
    rows = {name: compare(ratios_a[name], ratios_b[name]) for name in ratios_a if name in ratios_b}
    figures = {name: compare(results_a[name], results_b[name]) for name in results_a if name in results_b}
    if not rows and not figures:
        sys.exit("bench: the two results have no case in common")
    is_terminal = sys.stdout.isatty()
    for title, part in (("ratio", rows), ("million packets per second", figures)):
        if not part:
            continue
        print(f"{title:34}{'before':>10}{'after':>10}{'change':>10}{'noise':>9}")
        for name, row in part.items():
            verdict = row["verdict"] if row["verdict"] != "same" else ""
            if is_terminal and verdict:
                verdict = f"\033[3{1 if verdict == 'worse' else 2}m{verdict}\033[0m"
            print(
                f"  {name:32}{row['before']:10.3f}{row['after']:10.3f}{row['change'] * 100:+9.1f}%{row['noise'] * 100:8.1f}%"
                f"  {verdict}".rstrip()
            )
    for name in sorted(set(results_a) ^ set(results_b)):
        print(f"  {name:32}only in {arguments.before if name in results_a else arguments.after}")
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"ratios": rows, "figures": figures}, file, indent=2, sort_keys=True)
            file.write("\n")
    # Rates follow the machine's pace: where there are ratios, they decide.
    decisive = rows or figures
    sys.exit(3 if any(row["verdict"] == "worse" for row in decisive.values()) else 0)


main()
