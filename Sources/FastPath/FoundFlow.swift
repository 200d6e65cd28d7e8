// Flows that an earlier process left in the flow table.

public import FoundationEssentials

/// A flow that was found in the table.
public struct FoundFlow: Hashable, Sendable {
    /// A leg that has a counter.
    public struct Leg: Hashable, Sendable {
        public var counter: UInt32
        public var number: UInt32
        /// The leg as it was asked for.
        public var to: String
    }

    public var handle: FlowHandle
    /// The route's name; empty for a destination without a flow of its own.
    public var route: String
    /// The source as it was asked for.
    public var from: String
    /// The route's identifier; nil where the record has none.
    public var identifier: UUID?
    /// The flow's place among the route's sources, from 0.
    public var sourceNumber: UInt16
    public var isDraining: Bool
    /// True if it sends to any legs.
    public var isForwarding: Bool
    public var legs: [Leg]
}
