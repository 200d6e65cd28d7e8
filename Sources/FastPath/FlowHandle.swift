// Name of an installed flow for the rest of the node.

/// An installed flow.
public struct FlowHandle: Hashable, Sendable {
    /// The slot in the flow table.
    public let slot: Int
    /// Tells uses of the slot apart.
    public let generation: UInt64
}
