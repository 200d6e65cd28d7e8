// The parent of all suites here: they load the fast path and send millions of packets, one after the other.

import TestSupport
import Testing

@Suite(.serialized, .enabled(if: hasPrivileges, "\(privilegesReason)"), .timeLimit(.minutes(3)))
enum NodeFastPathTests {}
