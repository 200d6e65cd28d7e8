// The proxy towards players and publishers: connections, sessions, and who answers which request.

import AgentSupport
import Logging
import NIOCore
import RTPWire
import RTSPCore
import Sessions
import Timing

/// An RTSP server (RFC 2326) whose streams come from `PathTable`, and whose media the fast path carries.
@AgentActor
final class RTSPServer {
    static let name = "Crosspoint"
    static let methods: [RTSPMethod] = [
        .options, .describe, .announce, .setup, .play, .pause, .teardown, .record, .getParameter, .setParameter,
    ]

    /// The place at which one stream of a session receives by UDP: no other may.
    struct Endpoint: Hashable {
        var address: IPAddress
        var udpPort: UInt16
    }
    struct StreamOfSession: Hashable {
        var session: String
        var stream: Int
    }

    let context: ProxyContext
    let paths: PathTable
    /// The connections that carry RTSP within HTTP.
    let tunnels = Tunnels()
    /// The journal of sessions that outlive the daemon; nil: none do.
    let journal: ProxyJournal?
    let authentication: RequestAuthentication
    private var connections: [ObjectIdentifier: ClientConnection] = [:]
    var sessions: [String: ProxySession] = [:]
    var endpoints: [Endpoint: StreamOfSession] = [:]
    /// The publisher's session of each path: from ANNOUNCE until its routes are gone, nobody else may.
    var publishers: [String: ProxySession] = [:]
    private var lastName = 0
    var generator = SystemRandomNumberGenerator()
    private var ticker: Task<Void, Never>?

    init(
        context: ProxyContext, paths: PathTable, authentication: RequestAuthentication, journal: ProxyJournal? = nil
    ) {
        self.journal = journal
        self.context = context
        self.paths = paths
        self.authentication = authentication
    }

    /// Looks for what has run out, once a second, until `stop`.
    func start() {
        ticker = Task { @AgentActor [weak self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                await self?.tick(now: MonotonicClock.now)
            }
        }
    }

    /// Ends all sessions and closes all connections.
    func stop() async {
        ticker?.cancel()
        for session in Array(sessions.values) { await end(session, reason: "the node stops") }
        for connection in connections.values { connection.close() }
    }

    /// Closes all connections, and leaves sessions that do not need them to the next daemon.
    func suspend() async {
        ticker?.cancel()
        for connection in connections.values { connection.close() }
        for session in Array(sessions.values) where !session.core.interleavedStreams.isEmpty {
            await lostConnection(session)
        }
    }

    // MARK: Connections

    /// A new connection, or nil where there are too many: it is to be closed.
    func accept(_ channel: any Channel, isSecure: Bool) -> ClientConnection? {
        guard let connection = ClientConnection(channel: channel, server: self, isSecure: isSecure) else { return nil }
        let source = SourceKey(connection.peer)
        let refusal = context.shares.connections.take(
            for: source, isExempt: context.shares.isTrusted(connection.peer))
        if let refusal {
            context.counters.add(to: .refusedConnections, ["reason": refusal == .total ? "total" : "address"])
            let text =
                refusal == .total
                ? "\(connections.count) connections are as many as may be (max-connections)"
                : "\(source) has \(context.shares.connections.share) connections (max-connections-per-address)"
            logRefusal(connection, "refused: \(text)")
            return nil
        }
        context.counters.add(to: .connections)
        connections[ObjectIdentifier(connection)] = connection
        return connection
    }

    /// Streams that a connection carried end with it; sessions on UDP continue (section 12.37).
    func closed(_ connection: ClientConnection) {
        if connections.removeValue(forKey: ObjectIdentifier(connection)) != nil {
            context.shares.connections.giveBack(from: SourceKey(connection.peer))
        }
        let carried = Set(connection.channels.values.compactMap { $0.session?.core.id })
        connection.channels = [:]
        for session in carried.compactMap({ sessions[$0] }) {
            Task { @AgentActor in await self.lostConnection(session) }
        }
        // A publisher that does not record has gone: the path is free for whoever comes next, or for itself.
        if let announced = connection.announced, announced.core.state != .recording {
            Task { @AgentActor in await self.end(announced, reason: "its connection closed") }
        }
    }

    var connectionCount: Int { connections.count }

    func log(_ connection: ClientConnection, _ text: String) {
        context.logger.info("rtsp \(connection.peerText): \(text)")
    }

    /// Logs what a peer is refused, with a bound on how often for one source.
    func logRefusal(_ connection: ClientConnection, _ text: String) {
        let (isAllowed, untold) = context.shares.mayLog(refusalTo: connection.peer, now: MonotonicClock.now)
        guard isAllowed else { return }
        log(connection, untold == 0 ? text : "\(text); \(untold) refusals more were not logged")
    }

    // MARK: Requests

    /// Answers a request. Work that continues afterwards holds the session, so that no other request of it comes between.
    func serve(_ request: RTSPRequest, on connection: ClientConnection) async -> Reply {
        var reply: Reply
        var session: ProxySession?
        do throws(RTSPRefusal) {
            session = try find(request, on: connection)
            if let session {
                await session.lock()
                guard !session.isEnded else { throw RTSPRefusal(.sessionNotFound, "the session has just ended") }
            }
            reply = try await answer(request, session, on: connection)
            if let session { persist(session) }
        } catch {
            reply = Reply(error.response)
            note(error, of: request, session, on: connection)
        }
        if let session {
            let inner = reply.afterwards
            reply.afterwards = {
                await inner?()
                session.unlock()
            }
        }
        context.counters.add(
            to: .requests, ["method": request.method.name, "status": "\(reply.response.status.code)"])
        return reply
    }

    /// The session that a request names; 454 where it is none of this peer's (section 11.3.5).
    private func find(_ request: RTSPRequest, on connection: ClientConnection) throws(RTSPRefusal) -> ProxySession? {
        guard let value = request.headers["Session"] else {
            // A publisher that has not learnt its session from ANNOUNCE means that one.
            if request.method == .setup, let announced = connection.announced, !announced.isEnded { return announced }
            guard [.play, .pause, .teardown, .record].contains(request.method) else { return nil }
            throw RTSPRefusal(.sessionNotFound, "no Session")
        }
        guard let id = SessionHeader(value)?.id, let session = sessions[id],
            session.core.isOwned(by: connection.peer, user: nil)
        else { throw RTSPRefusal(.sessionNotFound, "no such session of this peer") }
        session.core.keepAlive(now: MonotonicClock.now)
        session.connection = connection
        return session
    }

    private func answer(
        _ request: RTSPRequest, _ session: ProxySession?, on connection: ClientConnection
    ) async throws(RTSPRefusal) -> Reply {
        switch request.method {
        case .options: return Reply(response(session, ["Public": MethodList(Self.methods).description]))
        case .getParameter, .setParameter:
            // Without a body it is a keep-alive; there are no parameters (sections 10.8 and 10.9).
            guard request.body.isEmpty else { throw RTSPRefusal(.parameterNotUnderstood, "no parameters here") }
            return Reply(response(session))
        case .describe: return try await describe(request, on: connection)
        case .announce: return try await announce(request, on: connection)
        case .setup: return try await setup(request, session, on: connection)
        case .play, .record, .pause, .teardown:
            guard let session else { throw RTSPRefusal(.sessionNotFound, "no Session") }
            switch request.method {
            case .play: return try await play(request, session, on: connection)
            case .record: return try await record(request, session, on: connection)
            case .pause: return try await pause(request, session)
            default: return try await teardown(request, session)
            }
        default: throw RTSPRefusal(.methodNotAllowed, "not served", allow: Self.methods)
        }
    }

    /// 200, with the session where there is one.
    func response(_ session: ProxySession?, _ headers: RTSPHeaders = [:], body: [UInt8] = []) -> RTSPResponse {
        var headers = headers
        if let session { headers["Session"] = session.core.header.description }
        return RTSPResponse(.ok, headers: headers, body: body)
    }

    private func note(
        _ refusal: RTSPRefusal, of request: RTSPRequest, _ session: ProxySession?, on connection: ClientConnection
    ) {
        // The first request of a client that has to authenticate comes without credentials, as it should.
        let isOrdinary = refusal.response.status == .unauthorized && request.headers["Authorization"] == nil
        if refusal.response.status == .unauthorized, !isOrdinary { context.counters.add(to: .authenticationFailures) }
        let target = RTSPURL(request.uri)?.routingPath ?? "*"
        let text = "\(request.method.name) \(target.prefix(200)): \(refusal)"
        session?.note(text)
        if isOrdinary {
            context.logger.debug("rtsp \(connection.peerText): \(text)")
        } else {
            logRefusal(connection, text)
        }
    }

    // MARK: Time

    /// Ends what shows no sign of life.
    func tick(now: UInt64) async {
        for session in Array(sessions.values) {
            if let publisher = session.publisher, session.core.state == .recording {
                let packets = await publisher.receivedPackets()
                if packets != session.seenPackets { session.core.noteMedia(now: now) }
                session.seenPackets = packets
                await report(to: session, at: now)
            }
            await lookForMisfits(session, at: now)
            let isCrowded = context.shares.sessions.isCrowded(for: SourceKey(session.core.peer))
            guard session.core.isExpired(now: now, isCrowded: isCrowded) else { continue }
            context.counters.add(to: .expiredSessions)
            await end(session, reason: "no sign of life for \(context.configuration.sessionTimeout) s")
        }
        await context.playerPorts.keep(
            only: Set(
                sessions.values.flatMap { $0.deliveries.values.compactMap { ($0 as? UDPDelivery)?.localAddress } }))
        let patience = UInt64(max(1, context.configuration.sessionTimeout)) * 1_000_000_000
        let used = Set(sessions.values.compactMap { $0.connection.map { ObjectIdentifier($0) } })
        for (id, connection) in connections {
            if let since = connection.stalledSince, now.subtractingSaturating(since) > patience {
                log(connection, "closed: it took nothing for \(context.configuration.sessionTimeout) s")
                connection.close()
            } else if !used.contains(id), !connection.isServing, !connection.isFeeding,
                now.subtractingSaturating(connection.lastRequest) > patience
            {
                log(connection, "closed: no request for \(context.configuration.sessionTimeout) s, and no session")
                connection.close()
            }
        }
    }

    /// Tells of players on UDP whose stream turned out to have packets that are too long for their way.
    private func lookForMisfits(_ session: ProxySession, at now: UInt64) async {
        for (index, delivery) in session.deliveries {
            guard let delivery = delivery as? UDPDelivery, let reason = await delivery.newMisfit(at: now) else {
                continue
            }
            noteMisfit(reason, index, of: session)
            context.logger.warning("rtsp session \(session.name), stream \(index): \(reason)")
        }
    }

    // MARK: Operators

    /// All sessions, by name.
    func reports() -> [SessionReport] {
        let now = MonotonicClock.now
        return sessions.values.map { $0.report(now: now) }.sorted { $0.name < $1.name }
    }

    /// Ends the session `name`; returns when its media is out of the fast path. False: there is none.
    func close(session name: String) async -> Bool {
        guard let session = sessions.values.first(where: { $0.name == name }) else { return false }
        await end(session, reason: "an operator closed it")
        return true
    }

    /// Keeps new sessions from the name of one that was taken over.
    func reserve(name: String) {
        if let number = Int(name.dropFirst("rtsp-".count)) { lastName = max(lastName, number) }
    }

    func nextName() -> String {
        lastName += 1
        return "rtsp-\(lastName)"
    }
}
