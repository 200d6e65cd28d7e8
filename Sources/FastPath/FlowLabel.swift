// Who a flow is.

/// Who a flow is, for statistics that are read without the daemon.
public struct FlowLabel: Hashable, Sendable {
    /// The route's name.
    public var route: String
    /// The flow's source as it was asked for.
    public var from: String
    /// 0 full, 1 sampled, 2 counters.
    public var accounting: UInt8

    public init(route: String, from: String, accounting: UInt8) {
        self.route = route
        self.from = from
        self.accounting = accounting
    }
}
