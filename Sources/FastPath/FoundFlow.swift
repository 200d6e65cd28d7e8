// What an earlier process left in the flow table.

/// A flow that was found in the table.
public struct FoundFlow: Hashable, Sendable {
    public var handle: FlowHandle
    public var route: String
    public var isDraining: Bool
}
