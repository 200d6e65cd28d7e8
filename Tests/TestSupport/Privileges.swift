// Whether this process may do what tests of the kernel need.

import CrosspointShim

/// Whether tests may make network namespaces, which is what everything that touches the kernel needs.
///
/// `@Suite(.serialized, .enabled(if: hasPrivileges, "\(privilegesReason)"))`
public let hasPrivileges: Bool =
    (try? DedicatedThread.run { crosspoint_new_network_namespace() == 0 }) ?? false

/// What to say where `hasPrivileges` is false.
public let privilegesReason = "needs root: makes network namespaces"
