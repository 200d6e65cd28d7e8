// The parent of the suites on membership and descriptors that talk to the kernel, in namespaces of their own.

import TestSupport
import Testing

@Suite(.serialized, .enabled(if: hasPrivileges, "\(privilegesReason)"), .timeLimit(.minutes(2)))
enum MembershipSuite {}
