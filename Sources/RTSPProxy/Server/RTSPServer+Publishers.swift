// ANNOUNCE, the publisher's SETUP, and RECORD.

import RTSPCore
import RTPWire
import Routing
import SDP

extension RTSPServer {
    func announce(_ request: RTSPRequest, on connection: ClientConnection) async throws(RTSPRefusal) -> Reply {
        let target = try RequestTarget(request.uri)
        let path = try path(target, on: connection)
        guard case .publisher = path.route.source else {
            throw RTSPRefusal(
                .methodNotAllowed, "route \(path.route.name) has an upstream, nobody publishes there",
                allow: Self.methods.filter { $0 != .announce && $0 != .record })
        }
        let user = try authenticate(request, target, for: path.route.publish, on: connection)
        let type = request.headers["Content-Type"]?.prefix { $0 != ";" } ?? ""
        guard RTSPHeaders.isSame(type.filter { $0 != " " }, "application/sdp") else {
            throw RTSPRefusal(.unsupportedMediaType, "ANNOUNCE of something else than application/sdp")
        }
        await yieldPath(path, to: connection, user: user)
        guard publishers[path.path] == nil, path.current == nil else {
            throw RTSPRefusal(.forbidden, "somebody publishes there already")
        }
        let description: SessionDescription
        do throws(SDPError) {
            description = try SessionDescription(parsing: request.body)
        } catch { throw RTSPRefusal(.badRequest, "the description cannot be read: \(error)") }
        guard (1...Self.maximumStreams).contains(description.media.count) else {
            throw RTSPRefusal(
                .badRequest, "\(description.media.count) streams; 1 to \(Self.maximumStreams) can be published")
        }
        let publisher = PublisherSource(
            context: context, path: path, description: description, base: target.presentation,
            peer: connection.peerText)
        let session = try begin(.publisher, path, user: user, request, on: connection, publisher: publisher)
        publishers[path.path] = session
        connection.announced = session
        return Reply(response(session))
    }

    /// Each takes a pair of UDP ports.
    private static let maximumStreams = 16

    func setupPublisher(
        _ request: RTSPRequest, _ session: ProxySession, on connection: ClientConnection
    ) async throws(RTSPRefusal) -> Reply {
        guard let publisher = session.publisher else { throw RTSPRefusal(.internalError, "no publisher") }
        let target = try publisher.target(request.uri)
        _ = try authenticate(request, target, for: session.path.route.publish, session: session, on: connection)
        guard let index = target.stream else {
            throw RTSPRefusal(.aggregateNotAllowed, "SETUP of a presentation of several streams")
        }
        try session.core.setup(index, path: session.core.path)
        var offer = TransportOffer(peer: connection.peer)
        offer.isRecording = true
        offer.hasUDP = true
        offer.usedChannels = freeable(index, of: session, on: connection)
        let choice = try offer.choose(from: request.headers)
        claim(choice.transport, index, of: session, on: connection)
        do throws(RoutingError) {
            let answer = try await receive(choice, index, publisher, on: connection)
            replace(index, by: choice.transport, of: session, on: connection)
            session.core.didSetUp(index, choice.transport, url: target.url.description)
            return Reply(response(session, ["Transport": answer]))
        } catch {
            withdraw(choice.transport, index, of: session)
            throw RTSPRefusal(error)
        }
    }

    private func receive(
        _ choice: TransportChoice, _ index: Int, _ publisher: PublisherSource, on connection: ClientConnection
    ) async throws(RoutingError) -> String {
        guard case .udp(let address, let rtp, let rtcp) = choice.transport else {
            try await publisher.receiveInterleaved(index)
            return choice.answer()
        }
        let local = try await context.routing.attachment(of: connection.local)
        let udpPort = try await publisher.receiveUnicast(
            index, at: local, from: address, rtpUDPPort: rtp, rtcpUDPPort: rtcp)
        return choice.answer(serverUDPPort: udpPort)
    }

    func record(
        _ request: RTSPRequest, _ session: ProxySession, on connection: ClientConnection
    ) async throws(RTSPRefusal) -> Reply {
        let streams = try session.core.record(try target(request, in: session).inSession)
        guard let publisher = session.publisher else { throw RTSPRefusal(.internalError, "no publisher") }
        let target = try publisher.target(request.uri)
        _ = try authenticate(request, target, for: session.path.route.publish, session: session, on: connection)
        guard session.core.streams.count == publisher.streamCount else {
            throw RTSPRefusal(
                .methodNotValidInThisState,
                "\(session.core.streams.count) of \(publisher.streamCount) announced streams are set up",
                allow: session.core.allowedMethods)
        }
        if session.path.current == nil {
            do throws(MediaSourceError) {
                try session.path.publish(publisher, publisher.presentation)
            } catch { throw RTSPRefusal(error) }
            follow(session.path, session)
        }
        session.core.didStart(streams)
        return Reply(response(session, ["Range": RangeHeader.live.description]))
    }

    // MARK: Reports

    /// Sends a publisher the receiver reports that are due: one receiver, whatever the number of players.
    func report(to session: ProxySession, at now: UInt64, isLast: Bool = false) async {
        guard let publisher = session.publisher else { return }
        for (index, stream) in session.core.streams.sorted(by: { $0.key < $1.key }) where stream.isRunning {
            let packet =
                isLast ? await publisher.farewell(index, at: now) : await publisher.report(index, at: now)
            guard let packet else { continue }
            if case .interleaved(_, let channel) = stream.transport {
                guard let carrier = session.carrier, carrier.isWritable else { continue }
                carrier.write(channel: channel, packet)
                carrier.flush()
            } else {
                publisher.send(packet, stream: index)
            }
        }
    }
}
