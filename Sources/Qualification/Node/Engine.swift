// Engine that forwards.

import Routing

/// An engine of the node, by its name in routes' reports.
public enum Engine: String, Hashable, Sendable, Codable, CaseIterable {
    /// XDP programs in the kernel.
    case kernel
    /// One AF_XDP worker.
    case afxdp

    /// The route, with this engine asked for.
    func applied(to route: RouteSpecification) -> RouteSpecification {
        var route = route
        route.engine =
            switch self {
            case .kernel: .kernel
            case .afxdp: .afxdp
            }
        return route
    }

    /// The processor that the node's own thread works on; nil where packets are forwarded on the processor that they come in on.
    public var ownProcessor: UInt32? { self == .afxdp ? 0 : nil }

    /// For how long nothing must arrive before a trial is over, milliseconds: a worker may hold packets back.
    var settle: Int { self == .afxdp ? 20 : 2 }
}
