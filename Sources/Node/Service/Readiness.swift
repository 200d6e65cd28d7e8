// The moment at which the last listener listens.

/// Waits for a number of listeners, then acts once.
actor Readiness {
    private var missing: Int
    private var tcpPort: Int?
    private let action: @Sendable (_ tcpPort: Int?) async -> Void

    init(listeners: Int, action: @escaping @Sendable (_ tcpPort: Int?) async -> Void) {
        missing = listeners
        self.action = action
    }

    /// One more listener listens, on the given TCP port if it is one of TCP.
    func listens(tcpPort: Int?) async {
        self.tcpPort = tcpPort ?? self.tcpPort
        missing -= 1
        if missing == 0 { await action(self.tcpPort) }
    }
}
