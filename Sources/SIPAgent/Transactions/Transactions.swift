// All transactions of the agent, and what they ask for.

import AgentSupport
import NIOCore
import RTPWire
import SIPCore

/// Carries out what SIPCore's `TransactionLayer` asks for: sends on the ways that were chosen, keeps the timers, and hands requests
/// to the agent and responses to whoever sent the request.
@AgentActor
final class Transactions: SIPTransports.Receiver {
    /// The receiver of requests.
    @AgentActor protocol Core: AnyObject {
        /// A request came that nothing is remembered of. One that is carried out is made a transaction with `accept`; others are answered
        /// without one, by `answer`, or not at all.
        ///
        /// - Parameter isMerged: Whether it came on another way before (RFC 3261 section 8.2.2.2).
        func received(_ request: SIPRequest, isMerged: Bool, raw: [UInt8], from source: SIPSource)
        /// True if the sender of an unreadable message is to learn so.
        func answersMalformed(from source: SIPSource) -> Bool
        /// An ACK of a 2xx.
        func received(acknowledgement request: SIPRequest, raw: [UInt8], from source: SIPSource)
        /// The INVITE is to be given up: answer it with a 487. The CANCEL has been answered.
        func cancelled(_ id: TransactionID)
        /// A 2xx to an INVITE whose transaction is over.
        func received(stray response: SIPResponse, from source: SIPSource)
        /// A connection does not exist any more.
        func closed(connection: UInt64)
        /// No ACK of a failure came, or the response could not be sent: the transaction is over.
        func failed(server id: TransactionID)
    }

    /// The sender of a request, which takes its responses.
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
    private var serversOfSource: [SourceKey: Int] = [:]
    private let capacity: Int
    private let times: TransactionTimes
    /// The number of requests of one source that are remembered.
    var share: Int
    private var generator = SystemRandomNumberGenerator()
    private let statelessTags = StatelessTags()
    weak var core: (any Core)?

    /// - Parameters:
    ///   - capacity: How many requests of peers are remembered, answered ones included.
    ///   - share: How many of them are of one source.
    init(
        transports: SIPTransports, timers: SIPTimers, counters: SIPCounters,
        times: TransactionTimes = TransactionTimes(), capacity: Int, share: Int
    ) {
        self.capacity = capacity
        self.share = share
        self.times = times
        self.transports = transports
        self.timers = timers
        self.counters = counters
        layer = TransactionLayer(times: times, capacity: capacity)
        transports.receiver = self
    }

    var count: Int { layer.count }

    /// Connections on which answers are waited for.
    var connections: Set<UInt64> { Set(clientsOfConnection.filter { !$0.value.isEmpty }.keys) }

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
            remember(id, source)
            return id
        }
        return nil
    }

    // MARK: Accepting

    /// True if one more request of a source can be remembered. Half of the places are kept for those that are `trusted`.
    func hasRoom(for source: IPAddress, isTrusted: Bool) -> Bool {
        layer.serverCount < (isTrusted ? capacity : capacity / 2)
            && serversOfSource[SourceKey(source), default: 0] < share
    }

    /// Begins the transaction of a request that is carried out; nil if there was not room for it, and nothing was answered.
    func accept(_ request: SIPRequest, from source: SIPSource, isTrusted: Bool) -> TransactionID? {
        guard hasRoom(for: source.address, isTrusted: isTrusted) else { return nil }
        let events = layer.receive(request, isReliable: source.transport.isReliable) {
            SIPIdentifiers.tag(using: &generator)
        }
        var accepted: TransactionID?
        for case .request(let id, _) in events {
            remember(id, source)
            accepted = id
        }
        guard let accepted else { return nil }
        source.connection.map { transports.used($0) }
        carryOut(events, from: source)
        if request.method != .invite {
            timers.schedule(after: times.timeout * 2) { [weak self] in self?.forgetUnanswered(accepted) }
        }
        return accepted
    }

    /// Requests of peers that nobody has answered.
    var unansweredCount: Int { servers.keys.count { layer.isUnanswered($0) } }

    /// Other than for an INVITE, nobody waits for an answer longer than a transaction lasts (RFC 3261 section 17.1.2.2).
    private func forgetUnanswered(_ id: TransactionID) {
        if layer.isUnanswered(id) { forget(id) }
    }

    private func remember(_ id: TransactionID, _ source: SIPSource) {
        servers[id] = ServerEntry(source: source)
        serversOfSource[SourceKey(source.address), default: 0] += 1
    }

    private func forgetServer(_ id: TransactionID) {
        guard let entry = servers.removeValue(forKey: id) else { return }
        let key = SourceKey(entry.source.address)
        let rest = serversOfSource[key, default: 1] - 1
        serversOfSource[key] = rest > 0 ? rest : nil
    }

    /// Answers a request that has no transaction, as a stateless server does (RFC 3261 section 8.2.7): once, with a tag that depends on
    /// nothing but the request, and never by making a connection.
    func answer(_ request: SIPRequest, _ refusal: SIPRefusal, to source: SIPSource) {
        respond(refusal.response(to: request, tag: statelessTags.tag(for: request)), to: source)
    }

    // MARK: Answering

    /// Answers a request.
    func respond(_ response: SIPResponse, to id: TransactionID) { carryOut(layer.respond(response, to: id)) }

    /// Says nothing to a request, now or when it comes again.
    func forget(_ id: TransactionID) {
        forgetServer(id)
        layer.forget(id)
    }

    /// Messages of a server transaction are shown to `observer` from now on.
    func observe(_ id: TransactionID, by observer: any MessageObserver) { servers[id]?.observer = observer }

    // MARK: Receiving

    func received(_ message: SIPMessage, raw: [UInt8], from source: SIPSource) {
        switch message {
        case .request(var request):
            request.noteSource(source.address, transportPort: source.transportPort)
            received(request, raw: raw, from: source)
        case .response(let response): carryOut(layer.receive(response), from: source, raw)
        }
    }

    private func received(_ request: SIPRequest, raw: [UInt8], from source: SIPSource) {
        if request.method != .ack {
            switch layer.relation(of: request) {
            case .repeated: break
            // Nobody but its sender gives an INVITE up.
            case .cancels(let id) where servers[id]?.source.address == source.address: break
            case .cancels, .new: core?.received(request, isMerged: false, raw: raw, from: source); return
            case .merged: core?.received(request, isMerged: true, raw: raw, from: source); return
            }
        }
        carryOut(
            layer.receive(request, isReliable: source.transport.isReliable) {
                SIPIdentifiers.tag(using: &generator)
            }, from: source, raw)
    }

    func received(malformed error: SIPParseError, from source: SIPSource) {
        let isAnswered = error.reply != nil && core?.answersMalformed(from: source) == true
        counters.add(to: .malformed, ["handling": isAnswered ? "answered" : "dropped"])
        if isAnswered { transports.answer(error, from: source, tag: statelessTags.tag(for: error)) }
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

    /// What the network says of requests that did not arrive: their places are given up at once (RFC 3261 section 18.4).
    func received(_ reports: [UnreachablePlaces.Report]) {
        for report in reports {
            guard let id = layer.unanswered(report.method, branch: report.branch),
                let destination = clients[id]?.path.destination, destination.transport == .udp,
                destination.address == report.address, destination.transportPort == report.udpPort
            else { continue }
            failed(id)
        }
    }

    // MARK: Carrying out

    private func carryOut(_ events: [TransactionEvent], from source: SIPSource? = nil, _ raw: [UInt8] = []) {
        for event in events {
            switch event {
            case .transaction(let id, let action): carryOut(action, of: id, from: source, raw)
            // `accept` has remembered it.
            case .request: break
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
        _ = transports.respond(response.bytes, via: via, to: source, mayConnect: false)
    }

    private func carryOut(
        _ action: TransactionAction, of id: TransactionID, from source: SIPSource?, _ raw: [UInt8]
    ) {
        switch action {
        case .send(.response(let response)): send(response, of: id, from: source)
        case .send(.request(let request)): send(request, of: id)
        case .deliver(let response):
            guard let source, let entry = clients[id] else { return }
            source.connection.map { transports.used($0) }
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
            forgetServer(id)
            if let connection = clients.removeValue(forKey: id)?.path.connection {
                clientsOfConnection[connection]?.remove(id)
                if clientsOfConnection[connection]?.isEmpty == true { clientsOfConnection[connection] = nil }
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
        if !transports.respond(bytes, via: via, to: source, mayConnect: true) { carryOut(layer.transportFailed(id)) }
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
