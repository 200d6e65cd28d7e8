// What forwards.

import Routing

/// An engine of the node, by its name in routes' reports.
public enum Engine: String, Hashable, Sendable, Codable, CaseIterable {
    /// XDP programs in the kernel.
    case kernel

    /// The route, with this engine asked for.
    func applied(to route: RouteSpecification) -> RouteSpecification { route }
}
