"""Counts what `swift test` did.

    swift_tests.py LOG XUNIT-PREFIX SKIPS strict|lenient

LOG is its output, XUNIT-PREFIX what was given to --xunit-output without `.xml`, SKIPS the committed list of tests that may be skipped.
Strict: any other skipped test is a failure. Prints what failed and what was skipped without being listed, and last a line of three
numbers: passed, failed, skipped.
"""
import os
import re
import sys
import xml.etree.ElementTree as xml


def listed(path):
    """The names in the list, each with its reason. A name ends at the first colon that a blank follows."""
    names = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                name, _, reason = line.strip().partition(": ")
                if not reason:
                    sys.exit(f"{path}: '{name}' has no reason; write NAME: REASON")
                names[name] = reason
    return names


def main():
    log, prefix, skips, strictness = sys.argv[1:]
    may_be_skipped = listed(skips)
    passed, failed, skipped = [], [], {}
    # XCTest writes one file, Swift Testing the other; either is absent when there are no such tests.
    reports = [path for path in (f"{prefix}.xml", f"{prefix}-swift-testing.xml") if os.path.exists(path)]
    for path in reports:
        try:
            cases = list(xml.parse(path).iter("testcase"))
        except xml.ParseError:
            failed.append("swift test: it crashed before its report was complete")
            cases = []
        for case in cases:
            name = f"{case.get('classname')}/{case.get('name')}"
            if case.find("failure") is not None or case.find("error") is not None:
                failed.append(name)
            elif case.find("skipped") is not None:
                skipped[name] = (case.findtext("skipped") or "").strip()
            else:
                passed.append(name)
    # A test that cancels itself did not test; the report has it among the passed ones.
    with open(log, encoding="utf-8", errors="replace") as file:
        for line in file:
            cancelled = re.match(r".*Test (\S+\)) was cancelled .*?: \"?(.*?)\"?$", line.rstrip())
            if cancelled:
                for name in [name for name in passed if name.endswith("/" + cancelled[1])]:
                    passed.remove(name)
                    skipped[name] = cancelled[2]
    if not reports:
        failed.append("swift test: it ended without a report")
    for name in failed:
        print(f"FAILED {name}")
    for name, reason in skipped.items():
        if strictness == "strict" and name not in may_be_skipped:
            print(f"FAILED {name}: skipped ({reason}), and not listed in scripts/skips.txt")
            failed.append(name)
    count_skipped = sum(1 for name in skipped if name not in failed)
    print(len(passed), len(failed), count_skipped)


main()
