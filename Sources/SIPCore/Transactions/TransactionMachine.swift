// A transaction of any kind, as the layer holds it.

/// One of the four machines of RFC 3261 section 17. An event that a machine does not know has no effect.
enum TransactionMachine: Sendable {
    case inviteClient(InviteClientTransaction)
    case client(ClientTransaction)
    case inviteServer(InviteServerTransaction)
    case server(ServerTransaction)

    var isServer: Bool {
        switch self {
        case .inviteClient, .client: false
        case .inviteServer, .server: true
        }
    }

    /// A response came.
    mutating func receive(_ response: SIPResponse) -> [TransactionAction] {
        switch self {
        case .inviteClient(let machine): run(machine, Self.inviteClient) { $0.receive(response) }
        case .client(let machine): run(machine, Self.client) { $0.receive(response) }
        case .inviteServer, .server: []
        }
    }

    /// The transaction user answers.
    mutating func send(_ response: SIPResponse) -> [TransactionAction] {
        switch self {
        case .inviteServer(let machine): run(machine, Self.inviteServer) { $0.send(response) }
        case .server(let machine): run(machine, Self.server) { $0.send(response) }
        case .inviteClient, .client: []
        }
    }

    /// The request came again.
    func receiveRetransmission() -> [TransactionAction] {
        switch self {
        case .inviteServer(let machine): machine.receiveRetransmission()
        case .server(let machine): machine.receiveRetransmission()
        case .inviteClient, .client: []
        }
    }

    mutating func receiveAcknowledgement() -> [TransactionAction] {
        guard case .inviteServer(let machine) = self else { return [] }
        return run(machine, Self.inviteServer) { $0.receiveAcknowledgement() }
    }

    mutating func abandon() -> [TransactionAction] {
        guard case .inviteClient(let machine) = self else { return [] }
        return run(machine, Self.inviteClient) { $0.abandon() }
    }

    mutating func fired(_ timer: TransactionTimer) -> [TransactionAction] {
        switch self {
        case .inviteClient(let machine): run(machine, Self.inviteClient) { $0.fired(timer) }
        case .client(let machine): run(machine, Self.client) { $0.fired(timer) }
        case .inviteServer(let machine): run(machine, Self.inviteServer) { $0.fired(timer) }
        case .server(let machine): run(machine, Self.server) { $0.fired(timer) }
        }
    }

    mutating func transportFailed() -> [TransactionAction] {
        switch self {
        case .inviteClient(let machine): run(machine, Self.inviteClient) { $0.transportFailed() }
        case .client(let machine): run(machine, Self.client) { $0.transportFailed() }
        case .inviteServer(let machine): run(machine, Self.inviteServer) { $0.transportFailed() }
        case .server(let machine): run(machine, Self.server) { $0.transportFailed() }
        }
    }

    private mutating func run<Machine>(
        _ machine: Machine, _ wrap: (Machine) -> TransactionMachine, _ act: (inout Machine) -> [TransactionAction]
    ) -> [TransactionAction] {
        var machine = machine
        let actions = act(&machine)
        self = wrap(machine)
        return actions
    }
}
