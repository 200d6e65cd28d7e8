// The beginning and the end of sessions.

import AgentSupport
import Logging
import NIOCore
import RTPWire
import RTSPCore
import Routing

extension RTSPServer {
    /// A new session, which nobody knows yet.
    func begin(
        _ role: ServerSession.Role, _ path: Path, user: String?, _ request: RTSPRequest,
        on connection: ClientConnection,
        publisher: PublisherSource? = nil
    ) throws(RTSPRefusal) -> ProxySession {
        let configuration = context.configuration
        try takePlace(on: connection)
        let core = ServerSession(
            role: role, path: path.path, peer: connection.peer, user: user,
            timeout: UInt32(clamping: max(1, configuration.sessionTimeout)), now: MonotonicClock.now,
            generator: &generator)
        let session = ProxySession(name: nextName(), path: path, core: core, publisher: publisher)
        session.connection = connection
        session.origin = connection
        connection.begunSessions += 1
        session.agent = request.headers["User-Agent"].map { String($0.prefix(200)) }
        sessions[core.id] = session
        return session
    }

    /// A place for a session, out of its source's share.
    private func takePlace(on connection: ClientConnection) throws(RTSPRefusal) {
        let isTrusted = context.shares.isTrusted(connection.peer)
        guard isTrusted || connection.begunSessions < SourceShares.sessionsPerConnection else {
            throw RTSPRefusal(
                tooMuch: "this connection has \(connection.begunSessions) sessions, as many as one may begin")
        }
        let source = SourceKey(connection.peer)
        switch context.shares.sessions.take(for: source, isExempt: isTrusted) {
        case nil: return
        case .source:
            throw RTSPRefusal(
                tooMuch: "\(source) has \(context.shares.sessions.share) sessions (max-sessions-per-address)")
        case .total:
            throw RTSPRefusal(
                .serviceUnavailable, "\(sessions.count) sessions are as many as may be (max-sessions)")
        }
    }

    /// Ends the session when its path has nothing more for it.
    func follow(_ path: Path, _ session: ProxySession) {
        path.onReplaced[ObjectIdentifier(session)] = { [weak self, weak session] error in
            guard let self, let session else { return }
            Task { @AgentActor in await self.end(session, reason: error.message) }
        }
    }

    /// Ends a session from outside of its requests, and closes the connection that carried it: the only notice that RTSP has.
    func end(_ session: ProxySession, reason: String) async {
        await session.lock()
        if !session.isEnded { await report(to: session, at: MonotonicClock.now, isLast: true) }
        let carrier = session.core.interleavedStreams.isEmpty ? nil : session.carrier
        await finish(session, reason: reason)
        carrier?.close()
        session.unlock()
    }

    /// Ends a session whose lock the caller has; returns when its media is out of the fast path.
    func finish(_ session: ProxySession, reason: String) async {
        guard session.markEnded() else { return }
        journal?.remove(session: session.name)
        sessions[session.core.id] = nil
        context.shares.sessions.giveBack(from: SourceKey(session.core.peer))
        session.origin?.begunSessions -= 1
        session.path.onReplaced[ObjectIdentifier(session)] = nil
        await remove(session.core.streams.keys.sorted(), of: session)
        if let publisher = session.publisher {
            await publisher.end(reason: reason)
            if publishers[session.path.path] === session { publishers[session.path.path] = nil }
        } else {
            session.path.detach()
        }
        context.logger.info(
            "rtsp session \(session.name) of \(session.core.peer), \(session.path.path): ended: \(reason)")
    }

    /// The streams of a connection that has closed end with it, and the session with its last stream.
    func lostConnection(_ session: ProxySession) async {
        await session.lock()
        await remove(session.core.interleavedStreams, of: session)
        persist(session)
        if session.core.streams.isEmpty { await finish(session, reason: "its connection closed") }
        session.unlock()
    }

    /// Takes streams out of a session whose lock the caller has; returns when no packet of them can follow.
    func remove(_ streams: [Int], of session: ProxySession) async {
        // Side by side, since each waits for the fast path.
        let ends = streams.compactMap { session.deliveries[$0] }.map { delivery in
            Task { @AgentActor in await delivery.end() }
        }
        for end in ends { await end.value }
        for stream in streams {
            session.deliveries[stream] = nil
            if let transport = session.core.streams[stream]?.transport { release(transport, stream, of: session) }
        }
        session.core.didTearDown(streams)
    }

    /// Keeps what a stream's transport takes from others: UDP ports at the player, channels of the connection.
    func claim(_ transport: ServerTransport, _ stream: Int, of session: ProxySession, on connection: ClientConnection?)
    {
        switch transport {
        case .udp(let address, let rtp, let rtcp):
            guard session.publisher == nil else { return }
            let owner = StreamOfSession(session: session.core.id, stream: stream)
            for udpPort in [rtp, rtcp] { endpoints[Endpoint(address: address, udpPort: udpPort)] = owner }
        case .interleaved(let rtp, let rtcp):
            guard let connection else { return }
            connection.channels[rtp] = .init(session: session, stream: stream, isRTCP: false)
            connection.channels[rtcp] = .init(session: session, stream: stream, isRTCP: true)
            session.carrier = connection
            connection.carryMedia()
        case .multicast: break
        }
    }

    /// Gives back what the stream's earlier transport kept, if it had one, and keeps what both share for the new one, which was
    /// claimed before.
    func replace(
        _ stream: Int, by transport: ServerTransport, of session: ProxySession, on connection: ClientConnection
    ) {
        guard let earlier = session.core.streams[stream]?.transport else { return }
        release(earlier, stream, of: session)
        claim(transport, stream, of: session, on: connection)
    }

    /// Gives back what `claim` kept for a transport that could not be carried out: the stream's earlier one stays (RFC 2326
    /// appendix A.2).
    func withdraw(_ transport: ServerTransport, _ stream: Int, of session: ProxySession) {
        release(transport, stream, of: session)
        guard let earlier = session.core.streams[stream]?.transport else { return }
        claim(earlier, stream, of: session, on: session.carrier)
    }

    /// Gives back what `claim` kept.
    func release(_ transport: ServerTransport, _ stream: Int, of session: ProxySession) {
        switch transport {
        case .udp(let address, let rtp, let rtcp):
            let owner = StreamOfSession(session: session.core.id, stream: stream)
            guard endpoints[Endpoint(address: address, udpPort: rtp)] == owner else { return }
            for udpPort in [rtp, rtcp] { endpoints[Endpoint(address: address, udpPort: udpPort)] = nil }
        case .interleaved(let rtp, let rtcp):
            for number in [rtp, rtcp] where session.carrier?.channels[number]?.session === session {
                session.carrier?.channels[number] = nil
            }
        case .multicast: break
        }
    }
}

extension RTSPRefusal {
    /// A refusal of the fast path, as a player gets it: 453 for want of room, 503 for everything that may pass.
    init(_ error: RoutingError) {
        switch error.code {
        case .capacity: self.init(tooMuch: error.message)
        case .invalid, .conflict: self.init(.destinationUnreachable, error.message)
        case .notFound, .unavailable: self.init(.serviceUnavailable, error.message)
        case .failed: self.init(.internalError, error.message)
        }
    }

    init(_ error: MediaSourceError) {
        if error.status == .notEnoughBandwidth {
            self.init(tooMuch: error.message)
        } else {
            self.init(error.status, error.message)
        }
    }

    /// 453, with its reason as text for whoever reads the answer: one client has what one client may have.
    init(tooMuch reason: String) {
        self.init(.notEnoughBandwidth, reason, headers: ["Content-Type": "text/plain; charset=utf-8"])
        response.body = Array((reason + "\r\n").utf8)
    }
}

extension RTSPServer {
    /// Writes what must be known of a session after a restart, before the response that depends on it.
    func persist(_ session: ProxySession) {
        guard let journal, !session.isEnded else { return }
        guard let record = session.record else { return journal.remove(session: session.name) }
        journal.write(record)
    }

    /// Goes on with the session of a publisher, whose streams are received already.
    func adopt(_ record: SessionRecord, publisher: PublisherSource, path: Path) {
        let session = takeOver(record, publisher: publisher, path: path)
        publishers[path.path] = session
    }

    /// A player's report is a sign of life.
    func onReport(of session: ProxySession) -> @AgentActor (ByteBuffer) -> Void {
        { [weak session] _ in session?.core.noteMedia(now: MonotonicClock.now) }
    }

    private func takeOver(_ record: SessionRecord, publisher: PublisherSource? = nil, path: Path) -> ProxySession {
        let session = ProxySession(
            name: record.name, path: path, core: record.core, publisher: publisher, startedAt: record.startedAt)
        session.agent = record.agent
        session.note("taken over after a restart")
        session.core.keepAlive(now: MonotonicClock.now)
        reserve(name: record.name)
        sessions[record.core.id] = session
        context.shares.sessions.charge(to: SourceKey(record.core.peer))
        follow(path, session)
        return session
    }

    /// Goes on with a player's session of an earlier daemon, whose legs are in the fast path.
    func adopt(_ record: SessionRecord, path: Path) async {
        let session = takeOver(record, path: path)
        // Interleaved streams ended with their connection.
        session.core.didTearDown(
            record.core.streams.keys.filter { index in
                !record.deliveries.contains { $0.stream.index == index }
            })
        for delivery in record.deliveries {
            let index = delivery.stream.index
            switch delivery.way {
            case .udp(let destination, let local, let serverUDPPort, let rtpLeg, let rtcpLeg):
                guard let legs = path.legs[index] else { continue }
                do throws(RoutingError) {
                    _ = try await context.playerPorts.pair(at: local)
                } catch {
                    context.logger.warning("rtsp session \(record.name): its reports are not heard: \(error)")
                }
                let adopted = UDPDelivery(
                    context: context, stream: delivery.stream, destination: destination, local: local,
                    serverUDPPort: serverUDPPort, player: record.core.peer, shares: legs,
                    onReport: onReport(of: session))
                adopted.adopt(rtpLeg: rtpLeg, rtcpLeg: rtcpLeg)
                session.deliveries[index] = adopted
            case .multicast(let rtpLeg, let rtcpLeg):
                guard let group = path.groups[index] else { continue }
                let adopted = MulticastDelivery(context: context, stream: delivery.stream, group: group)
                if let rtpLeg, let rtcpLeg, case .multicast(let address, _, _) = session.core.streams[index]?.transport
                {
                    adopted.adopt(group: address, rtpLeg: rtpLeg, rtcpLeg: rtcpLeg)
                }
                session.deliveries[index] = adopted
            }
            guard let stream = session.core.streams[index] else { continue }
            claim(stream.transport, index, of: session, on: nil)
            // The response may have been written and the leg not opened.
            if stream.isRunning { await session.deliveries[index]?.begin() }
        }
    }
}
