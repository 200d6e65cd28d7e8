// Transactions: whatever order requests, responses, timers and broken transports come in, all that is asked for can be done, and in
// the end nothing is left.

import SIPCore

struct TransactionFuzz {
    private static let capacity = 8
    private static let methods: [SIPMethod] = [.invite, .bye, .options, .update]
    private static let statuses: [SIPStatus] = [
        .trying, .ringing, .sessionProgress, .ok, .movedTemporarily, .busyHere, .requestTerminated, .decline,
    ]

    private var layer = TransactionLayer(capacity: capacity)
    /// The timers that are set, in the order in which they were.
    private var timers: [(id: TransactionID, timer: TransactionTimer)] = []
    private var servers: [(id: TransactionID, request: SIPRequest)] = []
    private var clients: [(id: TransactionID, request: SIPRequest)] = []
    private var over: Set<TransactionID> = []

    /// Each step is two bytes: what happens, and to which of the things at hand.
    static func run(_ bytes: [UInt8]) {
        var fuzz = TransactionFuzz()
        for index in stride(from: 0, to: bytes.count - 1, by: 2) {
            fuzz.step(Int(bytes[index]), which: Int(bytes[index + 1]))
            precondition(fuzz.layer.count <= capacity + fuzz.clients.count, "what peers can fill is bounded")
        }
        fuzz.end()
    }

    private mutating func step(_ what: Int, which: Int) {
        let isReliable = what & 0x80 != 0
        let method = Self.methods[what >> 4 & 3]
        switch what & 0x0f {
        case 0, 1, 2: receive(Self.request(method, which))
        case 3:
            let invite = Self.request(.invite, which)
            receive(invite.cancellation(), isReliable: isReliable)
        case 4, 5: receive(Self.request(.ack, which), isReliable: isReliable)
        case 6, 7, 8:
            guard !servers.isEmpty else { return }
            let (id, request) = servers[which % servers.count]
            note(layer.respond(SIPResponse(Self.statuses[what >> 4 & 7], to: request, tag: "fuzz"), to: id))
        case 9: send(method, which, isReliable: isReliable)
        case 10, 11:
            guard !clients.isEmpty else { return }
            let request = clients[which % clients.count].request
            note(layer.receive(SIPResponse(Self.statuses[what >> 4 & 7], to: request, tag: "fuzz")))
        case 12, 13: fire(which)
        case 14:
            guard let (id, _) = (servers + clients).dropFirst(which).first else { return }
            note(layer.transportFailed(id))
        default:
            guard !clients.isEmpty else { return }
            let (id, request) = clients[which % clients.count]
            if layer.isCancellable(id) {
                precondition(request.method == .invite, "an INVITE can be cancelled")
                _ = request.cancellation()
            }
            note(layer.abandon(id))
        }
    }

    private static func request(_ method: SIPMethod, _ number: Int) -> SIPRequest {
        guard let uri = try? SIPURI("sip:bob@example.com"),
            let host = try? SIPHostPort("host\(number & 3).example.com"),
            let from = try? NameAddress("<sip:alice@example.com>;tag=a"),
            var to = try? NameAddress("<sip:bob@example.com>")
        else { preconditionFailure("a request") }
        if method == .ack || number & 0x40 != 0 { to.tag = "fuzz" }
        // Every fourth client speaks RFC 2543.
        let branch = number & 0x0c == 0 ? "old\(number >> 4 & 3)" : "z9hG4bK\(number >> 4 & 3)"
        return SIPRequest(
            method, uri, vias: [Via(.udp, host, parameters: ["branch": branch])], from: from, to: to,
            callID: "call\(number & 0x33)", sequence: 1)
    }

    private mutating func receive(_ request: SIPRequest, isReliable: Bool = false) {
        note(layer.receive(request, isReliable: isReliable) { "fuzz" })
    }

    private mutating func send(_ method: SIPMethod, _ number: Int, isReliable: Bool) {
        guard clients.count < 200 else { return }
        let request = Self.request(method, number | 0x0c)
        do throws(TransactionLayer.Failure) {
            let (id, events) = try layer.send(request, isReliable: isReliable)
            precondition(!over.contains(id), "no number is used twice")
            clients.append((id, request))
            note(events)
        } catch {
            precondition(error == .branchInUse, "the branch is one of RFC 3261")
        }
    }

    private mutating func fire(_ which: Int) {
        guard !timers.isEmpty else { return }
        let (id, timer) = timers.remove(at: which % timers.count)
        note(layer.fired(timer, of: id))
    }

    private mutating func note(_ events: [TransactionEvent]) {
        precondition(events.count < 12, "one event has few consequences")
        for event in events {
            switch event {
            case .transaction(let id, let action):
                precondition(!over.contains(id), "nothing is asked for after the end")
                note(action, of: id)
            case .request(let id, let request):
                precondition(request.method != .ack && request.method != .cancel, "the layer has answered it")
                servers.append((id, request))
            case .respond(let response): precondition(response.status.isFinal, "a stateless response is final")
            case .acknowledgement, .cancelled, .strayResponse: break
            }
        }
    }

    private mutating func note(_ action: TransactionAction, of id: TransactionID) {
        switch action {
        case .setTimer(let timer, let time):
            precondition(time >= .zero, "a timer is set for later")
            timers.removeAll { $0 == (id, timer) }
            timers.append((id, timer))
        case .cancelTimer(let timer): timers.removeAll { $0 == (id, timer) }
        case .terminated:
            over.insert(id)
            timers.removeAll { $0.id == id }
        case .send(let message): ParserFuzz.check(message)
        case .deliver(let response): precondition(response.vias.count == 1, "a response is this node's")
        case .timedOut, .transportFailed: break
        }
    }

    /// All get a final response, and time passes.
    private mutating func end() {
        for (id, request) in servers { note(layer.respond(SIPResponse(.busyHere, to: request, tag: "fuzz"), to: id)) }
        for (_, request) in clients { note(layer.receive(SIPResponse(.busyHere, to: request, tag: "fuzz"))) }
        var steps = 0
        while !timers.isEmpty {
            fire(0)
            steps += 1
            precondition(steps < 20_000, "timers end")
        }
        precondition(layer.count == 0, "nothing is left")
    }
}
