#!/usr/bin/env python3
"""Looks for arithmetic on instants that can wrap or trap.

    scripts/lib/instants.py [DIRECTORY]…

Instants of a clock are added and subtracted with Sources/Timing only: `Deadline`, `addingSaturating`, `subtractingSaturating`. Every
line of a Swift file that does it with an operator is reported, unless its file is in the table below, with the reason. A file in the
table that has no such line is reported too. Exit code: 0 nothing found, 1 something found.
"""

import pathlib
import re
import sys

# Instants as the sources name them: `now`, and what ends in one of these words.
INSTANT = r"(?:\b(?:MonotonicClock\.)?now\b|\b\w*(?:[dD]eadline|[aA]rrival|edAt|[sS]ince|SignOfLife|livesUntil)\b)"
OPERATOR = r"(?:&?[-+]=?)"
SUSPECT = re.compile(rf"{INSTANT}(?:\.nanoseconds)?\s+{OPERATOR}\s|\s{OPERATOR}\s+{INSTANT}(?![.(])")
COMMENT = re.compile(r"//.*")

# Files that may, and why.
TYPED = "a clock's own instants and durations, which have 128 bits"
SIP = "not converted to Timing"
ALLOWED = {
    "Sources/AFXDP/Worker.swift": "per packet; both instants are of this thread, one after the other",
    "Sources/CrosspointCommands/Bench/BenchProgress.swift": TYPED,
    "Sources/FastPath/Statistics/PinnedStatistics.swift": "an instant that another process wrote, compared as a signed distance",
    "Sources/SRTP/SRTPReceiver.swift": "per packet; both instants are of this thread, one after the other",
    "Sources/SIPAgent/Resolving/NameCache.swift": TYPED,
    "Sources/SIPAgent/Resolving/SIPResolver.swift": TYPED,
    "Sources/SIPAgent/Transport/SourceAddresses.swift": TYPED,
    "Sources/SIPCore/Registration/Registrar.swift": TYPED,
    "Sources/SIPAgent/Access/SourceTable.swift": SIP,
    "Sources/SIPAgent/Media/CallMedia+Watching.swift": SIP,
    "Sources/SIPAgent/Media/MediaContext.swift": SIP,
}


def findings(path: pathlib.Path) -> list[tuple[int, str]]:
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if SUSPECT.search(COMMENT.sub("", line)):
            found.append((number, line.strip()))
    return found


def main() -> int:
    root = pathlib.Path(__file__).resolve().parents[2]
    directories = [pathlib.Path(name).resolve() for name in sys.argv[1:]] or [root / "Sources"]
    status = 0
    unused = set(ALLOWED) if not sys.argv[1:] else set()
    for directory in directories:
        for path in sorted(directory.rglob("*.swift")):
            name = str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
            found = findings(path)
            if found and name in ALLOWED:
                unused.discard(name)
                continue
            for number, line in found:
                status = 1
                print(f"{name}:{number}: an instant is computed with an operator; use Timing: {line}")
    for name in sorted(unused):
        status = 1
        print(f"{name}: has no arithmetic on instants any more; take it off the list in scripts/lib/instants.py")
    return status


if __name__ == "__main__":
    sys.exit(main())
