// Label of a flow.

public import FoundationEssentials

/// The label of a flow, for statistics that are read without the daemon.
public struct FlowLabel: Hashable, Sendable {
    /// The route's name.
    public var route: String
    /// The flow's source as it was asked for.
    public var from: String
    /// 0 full, 1 sampled, 2 counters.
    public var accounting: UInt8
    /// The route's identifier; nil for a flow of no route.
    public var identifier: UUID?
    /// The flow's place among the route's sources, from 0.
    public var sourceNumber: UInt16

    public init(
        route: String, from: String, accounting: UInt8, identifier: UUID? = nil, sourceNumber: UInt16 = 0
    ) {
        self.route = route
        self.from = from
        self.accounting = accounting
        self.identifier = identifier
        self.sourceNumber = sourceNumber
    }
}
