// All transactions of the agent, and what they ask for.

import AgentSupport
import NIOCore
import RTPWire
import SIPCore

/// Carries out what SIPCore's `TransactionLayer` asks for: sends on the ways that were chosen, keeps the timers, and hands requests
/// to the agent and responses to whoever sent the request.
@AgentActor
final class Transactions: SIPTransports.Receiver {
    /// Who takes requests.
    @AgentActor protocol Core: AnyObject {
        /// Judges a request that belongs to no transaction, before anything of it is remembered. ACKs are not asked for: they are
        /// neither remembered nor answered.
        func screen(_ request: SIPRequest, from source: SIPSource) -> Screening
        /// Whether what is wrong with a request may be answered.
        func mayAnswer(malformed text: [UInt8], from source: SIPSource) -> Bool
        /// A request begins a transaction: answer it with `respond`, or `refuse` it.
        func received(_ request: SIPRequest, _ id: TransactionID, raw: [UInt8], from source: SIPSource)
        /// An ACK of a 2xx.
        func received(acknowledgement request: SIPRequest, raw: [UInt8], from source: SIPSource)
        /// The INVITE is to be given up: answer it with a 487. The CANCEL has been answered.
        func cancelled(_ id: TransactionID)
        /// A 2xx to an INVITE whose transaction is over.
        func received(stray response: SIPResponse, from source: SIPSource)
        /// A connection is no more.
        func closed(connection: UInt64)
        /// The connections that calls and registrations need.
        func connectionsInUse() -> Set<UInt64>
        /// No ACK of a failure came, or the response could not be sent: the transaction is over.
        func failed(server id: TransactionID)
    }

    /// Who sent a request, and takes its responses.
    @AgentActor protocol Client: AnyObject {
        func received(_ response: SIPResponse, to id: TransactionID, from source: SIPSource)
        /// Nobody answered in time: as a 408 (RFC 3261 section 8.1.3.1).
        func timedOut(_ id: TransactionID)
        /// It could not be sent: as a 503.
        func undeliverable(_ id: TransactionID)
    }

    private struct ServerEntry {
        var source: SIPSource
        var observer: (any MessageObserver)?
    }

    private struct ClientEntry {
        var path: SIPPath
        /// Held until the transaction is over: repeated answers want it.
        var client: any Client
        var observer: (any MessageObserver)?
        /// The way by UDP of a request that was too large for it, where TCP fails (RFC 3261 section 18.1.1).
        var fallback: SIPPath?
    }

    private let transports: SIPTransports
    private let timers: SIPTimers
    private let counters: SIPCounters
    private var layer: TransactionLayer
    private var servers: [TransactionID: ServerEntry] = [:]
    private var clients: [TransactionID: ClientEntry] = [:]
    private var clientsOfConnection: [UInt64: Set<TransactionID>] = [:]
    private var generator = SystemRandomNumberGenerator()
    weak var core: (any Core)?

    /// - Parameter capacity: how many requests of peers are remembered, answered ones included.
    init(
        transports: SIPTransports, timers: SIPTimers, counters: SIPCounters,
        times: TransactionTimes = TransactionTimes(), capacity: Int
    ) {
        self.transports = transports
        self.timers = timers
        self.counters = counters
        layer = TransactionLayer(times: times, capacity: capacity)
        transports.receiver = self
    }

    var count: Int { layer.count }

    // MARK: Sending

    /// Sends a request other than ACK, whose topmost Via has an own branch, in a transaction of its own.
    ///
    /// - Parameter isFixed: whether the path's transport was asked for, so that a large request may not change it.
    /// - Returns: nil where it could not be sent at all.
    func send(
        _ request: SIPRequest, on path: SIPPath, client: any Client, observer: (any MessageObserver)? = nil,
        isFixed: Bool = false
    ) -> TransactionID? {
        var request = request
        var path = path
        var fallback: SIPPath?
        if path.destination.transport == .udp, !isFixed, request.estimatedSize > Self.largeRequest,
            SIPTransport.isTooLargeForUDP(bytes: request.bytes.count, pathMTU: nil),
            let stream = transports.path(to: path.destination.overTCP)
        {
            fallback = path
            path = stream
            request.vias[0] = Via(.tcp, path.sentBy, branch: request.vias[0].branch ?? "")
        }
        guard let (id, events) = try? layer.send(request, isReliable: path.destination.transport.isReliable) else {
            return nil
        }
        clients[id] = ClientEntry(path: path, client: client, observer: observer, fallback: fallback)
        carryOut(events)
        return id
    }

    private static let largeRequest = 1000

    /// Sends an ACK of a 2xx, which has no transaction.
    func send(acknowledgement: SIPRequest, on path: SIPPath, observer: (any MessageObserver)? = nil) {
        let bytes = acknowledgement.bytes
        observer?.sent(bytes, to: path.text)
        _ = transports.send(bytes, on: path)
    }

    /// Cancels an INVITE that has got a provisional response and no final one.
    func cancel(_ id: TransactionID, request: SIPRequest, client: any Client) {
        guard layer.isCancellable(id), let entry = clients[id] else { return }
        _ = send(request.cancellation(), on: entry.path, client: client, observer: entry.observer, isFixed: true)
    }

    func isCancellable(_ id: TransactionID) -> Bool { layer.isCancellable(id) }

    /// Ends an INVITE that never got its final response.
    func abandon(_ id: TransactionID) { carryOut(layer.abandon(id)) }

    // MARK: After a restart

    /// Goes on with an INVITE that an earlier daemon has sent on `path`: it can be cancelled, and its final response is the client's.
    func resume(
        _ invite: SIPRequest, on path: SIPPath, client: any Client, observer: (any MessageObserver)?
    ) -> TransactionID? {
        let isReliable = path.destination.transport.isReliable
        guard let id = try? layer.resume(invite, isReliable: isReliable) else { return nil }
        clients[id] = ClientEntry(path: path, client: client, observer: observer)
        return id
    }

    /// Goes on with an INVITE that an earlier daemon has received and not answered: it can be answered, and be cancelled.
    func resume(received invite: SIPRequest, from source: SIPSource) -> TransactionID? {
        let events = layer.receive(invite, isReliable: source.transport.isReliable) {
            SIPIdentifiers.tag(using: &generator)
        }
        // The caller has had its 100, or comes again.
        for case .request(let id, _) in events {
            servers[id] = ServerEntry(source: source)
            return id
        }
        return nil
    }

    // MARK: Answering

    /// Answers a request.
    func respond(_ response: SIPResponse, to id: TransactionID) { carryOut(layer.respond(response, to: id)) }

    /// Answers a request with a refusal, and forgets it (RFC 3261 section 8.2.7): the answer is not repeated by itself, and the same
    /// when the request is.
    func refuse(_ refusal: SIPRefusal, _ request: SIPRequest, _ id: TransactionID) {
        guard let source = servers[id]?.source else { return }
        let observer = servers[id]?.observer
        forget(id)
        answer(request, with: refusal, to: source, observer)
    }

    /// Answers without a transaction: on the way that the request came, to its sender, once.
    private func answer(
        _ request: SIPRequest, with refusal: SIPRefusal, to source: SIPSource, _ observer: (any MessageObserver)? = nil
    ) {
        let response = refusal.response(to: request, tag: Self.tag(of: request))
        observer?.sent(response.bytes, to: source.text)
        respond(response, to: source)
    }

    /// The tag of an answer without a transaction: the same for a request that comes again (section 8.2.7). Hasher has a seed of its own
    /// in each process, so that nobody outside can tell it.
    private static func tag(of request: SIPRequest) -> String {
        var hasher = Hasher()
        hasher.combine(request.callID)
        hasher.combine(request.from.tag)
        hasher.combine(request.cseq)
        hasher.combine(request.vias.first?.branch)
        return String(UInt64(bitPattern: Int64(hasher.finalize())), radix: 36)
    }

    /// Says nothing to a request, now or when it comes again.
    func forget(_ id: TransactionID) {
        servers[id] = nil
        layer.forget(id)
    }

    /// Messages of a server transaction are shown to `observer` from now on.
    func observe(_ id: TransactionID, by observer: any MessageObserver) { servers[id]?.observer = observer }

    // MARK: Receiving

    func received(_ message: SIPMessage, raw: [UInt8], from source: SIPSource) {
        switch message {
        case .request(var request):
            request.noteSource(source.address, transportPort: source.transportPort)
            if request.method != .ack, !layer.knows(request), let core {
                switch core.screen(request, from: source) {
                case .proceed: break
                case .drop: return
                case .answer(let refusal, _): return answer(request, with: refusal, to: source)
                }
            }
            carryOut(
                layer.receive(request, isReliable: source.transport.isReliable) {
                    SIPIdentifiers.tag(using: &generator)
                }, from: source, raw)
        case .response(let response): carryOut(layer.receive(response), from: source, raw)
        }
    }

    func received(malformed error: SIPParseError, raw: [UInt8], from source: SIPSource) {
        let isAnswered = error.reply != nil && core?.mayAnswer(malformed: raw, from: source) == true
        counters.add(to: .malformed, ["handling": isAnswered ? "answered" : "dropped"])
        if isAnswered { transports.answer(error, from: source) }
    }

    func connectionsInUse() -> Set<UInt64> {
        (core?.connectionsInUse() ?? []).union(clientsOfConnection.filter { !$0.value.isEmpty }.keys)
    }

    func closed(connection: UInt64) {
        for id in clientsOfConnection.removeValue(forKey: connection) ?? [] { failed(id) }
        core?.closed(connection: connection)
    }

    private func failed(_ id: TransactionID) {
        if let fallback = clients[id]?.fallback {
            // A large request that nobody takes by TCP goes by UDP after all (RFC 3261 section 18.1.1).
            clients[id]?.fallback = nil
            clients[id]?.path = fallback
            carryOut(layer.fallBack(id, to: fallback.sentBy))
            return
        }
        carryOut(layer.transportFailed(id))
    }

    // MARK: Carrying out

    private func carryOut(_ events: [TransactionEvent], from source: SIPSource? = nil, _ raw: [UInt8] = []) {
        for event in events {
            switch event {
            case .transaction(let id, let action): carryOut(action, of: id, from: source, raw)
            case .request(let id, let request):
                guard let source else { continue }
                servers[id] = ServerEntry(source: source)
                core?.received(request, id, raw: raw, from: source)
                // One that was refused, or not to be answered, has no more to be said.
                if servers[id] == nil { return }
            case .acknowledgement(let request):
                if let source { core?.received(acknowledgement: request, raw: raw, from: source) }
            case .cancelled(let id, _): core?.cancelled(id)
            case .strayResponse(let response):
                if let source { core?.received(stray: response, from: source) }
            case .respond(let response):
                if let source { respond(response, to: source) }
            }
        }
    }

    /// Sends a response that has no transaction.
    private func respond(_ response: SIPResponse, to source: SIPSource) {
        guard let via = response.vias.first else { return }
        counters.add(to: .responses, ["status": SIPCounter.label(response.status)])
        _ = transports.respond(response.bytes, via: via, to: source, connects: false)
    }

    private func carryOut(
        _ action: TransactionAction, of id: TransactionID, from source: SIPSource?, _ raw: [UInt8]
    ) {
        switch action {
        case .send(.response(let response)): send(response, of: id, from: source)
        case .send(.request(let request)): send(request, of: id)
        case .deliver(let response):
            guard let source, let entry = clients[id] else { return }
            counters.add(to: .receivedResponses, ["status": SIPCounter.label(response.status)])
            entry.observer?.received(raw, from: source.text)
            entry.client.received(response, to: id, from: source)
        case .setTimer(let timer, let after):
            timers.schedule(after: after) { [weak self] in self?.fired(timer, of: id) }
        case .cancelTimer: break
        case .timedOut:
            if let client = clients[id]?.client {
                counters.add(to: .timeouts)
                client.timedOut(id)
            } else if servers[id] != nil {
                core?.failed(server: id)
            }
        case .transportFailed:
            if let client = clients[id]?.client { client.undeliverable(id) } else { core?.failed(server: id) }
        case .terminated:
            servers[id] = nil
            if let connection = clients.removeValue(forKey: id)?.path.connection {
                clientsOfConnection[connection]?.remove(id)
            }
        }
    }

    /// A timer that was cancelled meanwhile finds its transaction in a state that does not know it, and has no effect.
    private func fired(_ timer: TransactionTimer, of id: TransactionID) {
        let events = layer.fired(timer, of: id)
        if [.a, .e, .g].contains(timer), !events.isEmpty { counters.add(to: .retransmissions) }
        carryOut(events)
    }

    /// The source is that of the CANCEL or other request that is answered at once; later the transaction's own counts.
    private func send(_ response: SIPResponse, of id: TransactionID, from source: SIPSource?) {
        guard let via = response.vias.first, let source = servers[id]?.source ?? source else { return }
        let bytes = response.bytes
        counters.add(to: .responses, ["status": SIPCounter.label(response.status)])
        servers[id]?.observer?.sent(bytes, to: source.text)
        if !transports.respond(bytes, via: via, to: source) { carryOut(layer.transportFailed(id)) }
    }

    private func send(_ request: SIPRequest, of id: TransactionID) {
        guard let entry = clients[id] else { return }
        let bytes = request.bytes
        entry.observer?.sent(bytes, to: entry.path.text)
        switch transports.send(bytes, on: entry.path) {
        case .datagram: break
        case .connection(let connection):
            clients[id]?.path.connection = connection
            clientsOfConnection[connection, default: []].insert(id)
        case .failed:
            // Whoever is sending right now has yet to learn the transaction's name.
            AgentActor.loop.execute { AgentActor.assumeIsolated { self.failed(id) } }
        }
    }
}
