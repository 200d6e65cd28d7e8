// The suite of everything that runs the fast path's programs in the kernel.

import TestSupport
import Testing

/// Packet in, packet out: the very programs of the node, run over single frames by the kernel.
@Suite(
    "The fast path in the kernel", .serialized, .enabled(if: hasPrivileges, "\(privilegesReason)"),
    .timeLimit(.minutes(5)))
struct FastPathSuite {}
