// DESCRIBE, SETUP, PLAY, PAUSE and TEARDOWN.

import AgentSupport
import NIOCore
import RTPWire
import RTSPCore
import Routing
import SDP
import Timing

extension RTSPServer {
    /// The path that a request is for, if the peer may come there.
    func path(_ target: RequestTarget, on connection: ClientConnection) throws(RTSPRefusal) -> Path {
        let found: Path?
        do throws(MediaSourceError) { found = try paths.path(for: target.name, from: connection.peer) } catch {
            throw RTSPRefusal(error)
        }
        guard let path = found else { throw RTSPRefusal(.notFound, "no route is for this path") }
        guard path.route.allows(connection.peer) else {
            throw RTSPRefusal(.forbidden, "route \(path.route.name) does not allow this address")
        }
        return path
    }

    /// The user, where the path wants one for `permission`.
    func authenticate(
        _ request: RTSPRequest, _ target: RequestTarget, for permission: RTSPRoute.Permission,
        session: ProxySession? = nil, on connection: ClientConnection
    ) throws(RTSPRefusal) -> String? {
        let now = MonotonicClock.now
        let guesses = permission != .anyone && request.headers["Authorization"] != nil
        if guesses {
            let pause = context.shares.pause(ofGuessesFrom: connection.peer, now: now)
            guard pause == 0 else {
                throw RTSPRefusal(
                    .serviceUnavailable, "too many wrong passwords from \(SourceKey(connection.peer))",
                    headers: ["Retry-After": "\(pause)"])
            }
        }
        let user: String?
        do throws(RequestAuthentication.Failure) {
            user = try authentication.user(
                of: request, for: permission,
                uris: [request.uri, target.presentation.description, target.contentBase],
                isSecure: connection.isSecure, now: now)
        } catch {
            // Whoever does not authenticate holds no place for a path.
            paths.discard(unused: target.name)
            if error.isWrongPassword { context.shares.noteWrongPassword(from: connection.peer, now: now) }
            throw error.refusal
        }
        if guesses { context.shares.noteRightPassword(from: connection.peer) }
        if let session, !session.core.isOwned(by: connection.peer, user: user) {
            throw RTSPRefusal(.sessionNotFound, "the session is another user's")
        }
        return user
    }

    // MARK: DESCRIBE

    func describe(_ request: RTSPRequest, on connection: ClientConnection) async throws(RTSPRefusal) -> Reply {
        let target = try RequestTarget(request.uri)
        let path = try path(target, on: connection)
        _ = try authenticate(request, target, for: path.route.read, on: connection)
        guard AcceptHeader.allows("application/sdp", in: request.headers) else {
            throw RTSPRefusal(.notAcceptable, "the client does not take application/sdp")
        }
        let presentation = try await attach(path)
        // The path keeps its source for a while, for the SETUP that follows.
        path.detach(isFollowed: true)
        var description = presentation.description
        if path.route.sendsMulticast, !presentation.streams.contains(where: { $0.isEncrypted == true }) {
            let endpoints = presentation.streams.compactMap { stream in
                path.groups[stream.index]?.destination.map { group in
                    (
                        stream.index,
                        SessionDescription.MulticastEndpoint(
                            group: group.group, udpPort: group.udpPort, ttl: group.timeToLive)
                    )
                }
            }
            description = description.multicastDescription(Dictionary(endpoints) { first, _ in first })
        } else {
            description = description.strippedOfTransport()
        }
        description.setControls(session: "*") { StreamControl.name($0) }
        return Reply(
            response(
                nil, ["Content-Base": target.contentBase, "Content-Type": "application/sdp"], body: description.bytes))
    }

    /// One user more of the path's source, which is opened if need be.
    private func attach(_ path: Path) async throws(RTSPRefusal) -> Presentation {
        do throws(MediaSourceError) { return try await path.attach() } catch { throw RTSPRefusal(error) }
    }

    // MARK: SETUP

    func setup(
        _ request: RTSPRequest, _ session: ProxySession?, on connection: ClientConnection
    ) async throws(RTSPRefusal) -> Reply {
        if let session, session.publisher != nil {
            return try await setupPublisher(request, session, on: connection)
        }
        let target = try RequestTarget(request.uri)
        let path =
            if let session, target.isFor(session.core.path) { session.path } else { try path(target, on: connection) }
        let user = try authenticate(request, target, for: path.route.read, session: session, on: connection)
        if let session { return try await setup(request, target, session, on: connection) }
        _ = try await attach(path)
        let new: ProxySession
        do throws(RTSPRefusal) {
            new = try begin(.player, path, user: user, request, on: connection)
        } catch {
            path.detach()
            throw error
        }
        follow(path, new)
        await new.lock()
        defer { new.unlock() }
        do throws(RTSPRefusal) {
            let reply = try await setup(request, target, new, on: connection)
            persist(new)
            return reply
        } catch {
            await finish(new, reason: "its first SETUP was refused")
            throw error
        }
    }

    private func setup(
        _ request: RTSPRequest, _ target: RequestTarget, _ session: ProxySession, on connection: ClientConnection
    ) async throws(RTSPRefusal) -> Reply {
        guard let presentation = session.path.current else {
            throw RTSPRefusal(.serviceUnavailable, "the source of \(session.path.path) is away")
        }
        let index = target.stream ?? (presentation.streams.count == 1 ? 0 : nil)
        guard let index else { throw RTSPRefusal(.aggregateNotAllowed, "SETUP of a presentation of several streams") }
        guard let stream = presentation.streams.first(where: { $0.index == index }) else {
            throw RTSPRefusal(.notFound, "no stream \(index) in this presentation")
        }
        try session.core.setup(index, path: target.isFor(session.core.path) ? session.core.path : target.name.text)
        await yieldEndpoints(askedFor: request, of: session, on: connection)
        // The attachment that its packets would pass; a player that takes another way, or has none, needs none.
        let local = try? await context.routing.attachment(towards: connection.peer)
        let choice = try await offer(stream, session, local, on: connection).choose(from: request.headers)
        claim(choice.transport, index, of: session, on: connection)
        do throws(RoutingError) {
            let (delivery, answer) = try await delivery(choice, stream, session, local, on: connection)
            await session.deliveries[index]?.end()
            replace(index, by: choice.transport, of: session, on: connection)
            session.deliveries[index] = delivery
            session.core.didSetUp(index, choice.transport, url: target.url.description)
            return Reply(response(session, ["Transport": answer]))
        } catch {
            withdraw(choice.transport, index, of: session)
            throw RTSPRefusal(error)
        }
    }

    private func offer(
        _ stream: PresentationStream, _ session: ProxySession, _ local: NetworkAttachment?,
        on connection: ClientConnection
    ) async -> TransportOffer {
        var offer = TransportOffer(peer: connection.peer)
        offer.hasUDP = true
        offer.usedChannels = freeable(stream.index, of: session, on: connection)
        offer.multicast = session.path.groups[stream.index]?.destination.map {
            .init(group: $0.group, udpPort: $0.udpPort, timeToLive: $0.timeToLive)
        }
        let route = session.path.route
        offer.mayUse = { route.allowsDestination($0) }
        await withholdWhatDoesNotFit(stream, session, local, &offer)
        if stream.isEncrypted == true { offer.withholdClear(isSecure: connection.isSecure) }
        let (endpoints, own) = (endpoints, StreamOfSession(session: session.core.id, stream: stream.index))
        offer.isTaken = { address, udpPort in
            endpoints[Endpoint(address: address, udpPort: udpPort)].map { $0 != own } ?? false
        }
        return offer
    }

    /// UDP is not offered to a player whose way there is too narrow for the stream's packets, as far as their length is known.
    private func withholdWhatDoesNotFit(
        _ stream: PresentationStream, _ session: ProxySession, _ local: NetworkAttachment?,
        _ offer: inout TransportOffer
    ) async {
        let route = stream.rtpRoute
        if let reason = context.directWay(of: route).misfit {
            (offer.hasUDP, offer.whyNoUDP) = (false, reason)
            (offer.multicast, offer.whyNoMulticast) = (nil, reason)
            noteMisfit(reason, stream.index, of: session)
            return
        }
        if let local, !local.isLocal,
            let reason = await context.routing.misfit(
                of: LegSpecification(address: offer.peer, udpPort: 9, port: local.port), on: route)
        {
            offer.hasUDP = false
            offer.whyNoUDP = reason
            noteMisfit(reason, stream.index, of: session)
        }
        if let group = offer.multicast, let pool = context.groups.pool,
            let reason = await context.routing.misfit(
                of: LegSpecification(address: group.group, udpPort: group.udpPort, port: pool.port), on: route)
        {
            offer.multicast = nil
            offer.whyNoMulticast = reason
        }
    }

    /// Counts and reports that a stream's packets are too long for a player on UDP.
    func noteMisfit(_ reason: String, _ stream: Int, of session: ProxySession) {
        context.counters.add(to: .oversizedStreams)
        session.note("stream \(stream): not by UDP: \(reason)")
    }

    /// The channels that others have; nil where the session's interleaved streams are on another connection.
    func freeable(_ stream: Int, of session: ProxySession, on connection: ClientConnection) -> Set<UInt8>? {
        if let carrier = session.carrier, carrier !== connection, !session.core.interleavedStreams.isEmpty {
            return nil
        }
        return Set(connection.channels.filter { $0.value.session !== session || $0.value.stream != stream }.keys)
    }

    private func delivery(
        _ choice: TransportChoice, _ stream: PresentationStream, _ session: ProxySession,
        _ known: NetworkAttachment?, on connection: ClientConnection
    ) async throws(RoutingError) -> (any StreamDelivery, String) {
        let path = session.path
        let progress = await context.routing.progress(of: stream.rtpRoute)
        let ssrc = progress?.hasRTP == true ? progress?.ssrc : nil
        switch choice.transport {
        case .udp(let address, let rtp, let rtcp):
            guard let legs = path.legs[stream.index] else { throw Self.gone(path) }
            let (local, destination) = try await attachment(towards: address, known, on: connection)
            let udpPort = try await context.playerPorts.pair(at: local)
            let delivery = UDPDelivery(
                context: context, stream: stream,
                destination: .init(address: destination, rtpUDPPort: rtp, rtcpUDPPort: rtcp), local: local,
                serverUDPPort: udpPort, player: session.core.peer, shares: legs, onReport: onReport(of: session))
            return (delivery, choice.answer(serverUDPPort: udpPort, source: local.address, ssrc: ssrc))
        case .interleaved(let rtp, let rtcp):
            guard let fanOut = path.fanOuts[stream.index] else { throw Self.gone(path) }
            let delivery = InterleavedDelivery(
                context: context, stream: stream, fanOut: fanOut, rtpChannel: rtp, rtcpChannel: rtcp, sink: connection)
            return (delivery, choice.answer(ssrc: ssrc))
        case .multicast:
            guard let group = path.groups[stream.index] else { throw Self.gone(path) }
            return (MulticastDelivery(context: context, stream: stream, group: group), choice.answer())
        }
    }

    private static func gone(_ path: Path) -> RoutingError {
        RoutingError(.unavailable, "the source of \(path.path) has just gone")
    }

    /// The attachment that packets to a player pass, and their destination: from the address that the player knows,
    /// where that is on the way.
    private func attachment(
        towards player: IPAddress, _ known: NetworkAttachment?, on connection: ClientConnection
    ) async throws(RoutingError) -> (local: NetworkAttachment, destination: IPAddress) {
        var local: NetworkAttachment
        if player == connection.peer, let known {
            local = known
        } else {
            local = try await context.routing.attachment(towards: player)
        }
        // A program of this node is reached at the host's end of the host port.
        if local.isLocal { return (local, try await context.hostPort().hostIPv4) }
        if local.address == connection.local { return (local, player) }
        if let known = try? await context.routing.attachment(of: connection.local), known.port == local.port {
            local.address = connection.local
        }
        return (local, player)
    }

    // MARK: PLAY, PAUSE, TEARDOWN

    func play(
        _ request: RTSPRequest, _ session: ProxySession, on connection: ClientConnection
    ) async throws(RTSPRefusal) -> Reply {
        let target = try target(request, in: session)
        _ = try authenticate(request, target, for: session.path.route.read, session: session, on: connection)
        var headers = try LiveRange.answer(to: request.headers)
        let streams = try session.core.play(target.inSession)
        let deliveries = streams.compactMap { session.deliveries[$0] }
        do throws(RoutingError) {
            try await prepare(deliveries)
        } catch {
            for delivery in deliveries { await delivery.end() }
            throw RTSPRefusal(error)
        }
        if session.path.waitsForPlay { try await playSource(of: session.path, for: deliveries) }
        session.core.didStart(streams)
        // Before the first packets are chosen: they do not wait for a disk.
        persist(session)
        let starts = await start(streams, of: session)
        let information = zip(streams, starts).map { stream, start in
            RTPInfoHeader.Stream(
                url: session.core.streams[stream]?.url ?? "", sequence: start?.sequence, timestamp: start?.timestamp)
        }
        if !information.isEmpty { headers["RTP-Info"] = RTPInfoHeader(information).description }
        let chosenAt = starts.compactMap { $0?.expectedAt == nil ? nil : $0?.chosenAt }.min()
        return Reply(response(session, headers), chosenAt: chosenAt) {
            for delivery in deliveries { await delivery.begin() }
        }
    }

    /// Has a source send that waits for its first player, who misses nothing of it.
    private func playSource(of path: Path, for deliveries: [any StreamDelivery]) async throws(RTSPRefusal) {
        do {
            for delivery in deliveries { try await delivery.expect() }
            try await path.play()
        } catch {
            for delivery in deliveries { await delivery.end() }
            if let error = error as? RoutingError { throw RTSPRefusal(error) }
            if let error = error as? MediaSourceError { throw RTSPRefusal(error) }
            throw RTSPRefusal(.internalError, "the source cannot be played")
        }
    }

    /// Chooses the first packet of each stream, none of which may come before the response that is written next.
    private func start(_ streams: [Int], of session: ProxySession) async -> [StreamStart?] {
        var starts: [StreamStart?] = []
        for _ in 0..<Self.choices {
            starts = []
            for stream in streams { starts.append(await session.deliveries[stream]?.start()) }
            let now = MonotonicClock.now
            for case let start? in starts where start.expectedAt != nil {
                context.openingDelay.note(now.subtractingSaturating(start.chosenAt))
            }
            guard starts.contains(where: { $0?.mayPrecede(now) == true }) else { break }
        }
        return starts
    }

    /// The number of times that first packets are chosen again for a response that was late.
    private static let choices = 4

    /// Prepares several streams side by side, since each waits for the fast path; throws the first refusal.
    private func prepare(_ deliveries: [any StreamDelivery]) async throws(RoutingError) {
        let preparations = deliveries.map { delivery in
            Task { @AgentActor () -> RoutingError? in
                do throws(RoutingError) {
                    try await delivery.prepare()
                    return nil
                } catch {
                    return error
                }
            }
        }
        var refusal: RoutingError?
        for preparation in preparations {
            let problem = await preparation.value
            refusal = refusal ?? problem
        }
        if let refusal { throw refusal }
    }

    func pause(_ request: RTSPRequest, _ session: ProxySession) async throws(RTSPRefusal) -> Reply {
        let streams = try session.core.pause(try target(request, in: session).inSession)
        for stream in streams { await session.deliveries[stream]?.end() }
        session.core.didPause(streams)
        return Reply(response(session))
    }

    func teardown(_ request: RTSPRequest, _ session: ProxySession) async throws(RTSPRefusal) -> Reply {
        let (streams, endsSession) = try session.core.teardown(try target(request, in: session).inSession)
        await remove(streams, of: session)
        if endsSession { await finish(session, reason: "TEARDOWN") }
        return Reply(response(session))
    }

    /// The target that a request names of its session: `*` is all of it; a target that is not of the session's path is not found.
    func target(_ request: RTSPRequest, in session: ProxySession) throws(RTSPRefusal) -> RequestTarget {
        if let publisher = session.publisher { return try publisher.target(request.uri) }
        let target = try RequestTarget(request.uri)
        guard target.isFor(session.core.path) else {
            throw RTSPRefusal(.notFound, "the session is of \(session.core.path)")
        }
        return target
    }
}
