// The daemon's parts over the fast path of this host.

import Logging
import Node

/// Loads or adopts the fast path, and makes the daemon's parts on it.
enum FastPathAssembly {
    /// The parts for `configuration`. Called when the node is locked for this daemon; throws when this host or this build cannot carry routes.
    static func make(
        configuration: NodeConfiguration, logger: Logger
    ) async throws(NodeError) -> NodeAssembly {
        throw NodeError(.failed, "this build has no fast path; build the program with it to run a daemon")
    }
}
