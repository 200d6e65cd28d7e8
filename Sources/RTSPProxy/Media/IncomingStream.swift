// One stream's way into the fast path, from an upstream or from a publisher.

import AgentSupport
import Logging
import NIOCore
import RTPWire
import Routing
import Timing

/// The two routes (RTP and RTCP) of one stream of a path, whatever brings its packets: UDP unicast to a reserved pair, a
/// multicast group, or an interleaved connection, whose packets are injected at the host port.
///
/// A change of the way by which they come is a take: players' legs continue.
@AgentActor
final class IncomingStream {
    /// The routes' names: players' legs are added to these.
    let rtpRoute: String
    let rtcpRoute: String
    /// Called with each RTCP packet of the source, and the time of its arrival (CLOCK_MONOTONIC, nanoseconds).
    var onRTCP: (@AgentActor (_ packet: ByteBuffer, _ arrival: UInt64) -> Void)?

    /// The key that packets come encrypted with, from the next way in on; nil where they come in clear.
    var keys: KeyReference?

    private let context: ProxyContext
    private let clockRate: UInt32?
    private var mode = Mode.closed
    /// The socket at which the daemon gets the source's RTCP: a leg at the host port.
    private var rtcpListener: DatagramSocket?
    private var hasToldOversize = false
    /// The way of what is too long for the host port.
    private let direct: DirectWay
    private(set) var rtcpListenerLeg: UInt32?

    private enum Mode {
        case closed
        case unicast(UnicastReception)
        case multicast(group: IPAddress, rtcpUDPPort: UInt16, sender: DatagramSocket)
        case injected(Injection)
    }

    /// A pair of UDP ports that an address of the node reserves.
    private struct UnicastReception {
        var local: NetworkAttachment
        var udpPort: UInt16
        /// Sends reports from the UDP port that receives them (RFC 4961).
        var rtcp: DatagramSocket
        var rtcpPeer: SocketAddress?
    }

    /// Packets that the daemon puts into the fast path itself.
    private struct Injection {
        var socket: DatagramSocket
        var fastPath: IPAddress
        var udpPort: UInt16
    }

    /// - Parameters:
    ///   - path: The path's name in route names (`Path.routeName`).
    ///   - index: The number of the stream's media description.
    ///   - formats: Those of its payload types whose packets may be split.
    init(
        context: ProxyContext, path: String, index: Int, clockRate: UInt32?,
        formats: [UInt8: FragmentablePayload] = [:]
    ) {
        self.context = context
        self.clockRate = clockRate
        rtpRoute = "\(path).\(index).rtp"
        rtcpRoute = "\(path).\(index).rtcp"
        direct = context.directWay(of: rtpRoute)
        direct.formats = formats
    }

    // MARK: Ways in

    /// Reserves an even UDP port and the next at `local` for packets from `source`, and returns the even one.
    ///
    /// Of a stream that is received so already, only the source changes. Call it before the source learns of the ports.
    func receiveUnicast(
        at local: NetworkAttachment, from source: IPAddress
    ) async throws(RoutingError) -> UInt16 {
        if case .unicast(let reception) = mode, reception.local == local {
            try await setSource(source, rtpUDPPort: nil, rtcpUDPPort: nil)
            return reception.udpPort
        }
        let adopted = await adoptedUDPPort(at: local)
        var refusal = RoutingError(
            .unavailable,
            "rtsp udp-ports \(context.configuration.udpPorts): no free pair at \(local.address); widen the range")
        for attempt in 0..<Self.attempts {
            let candidate =
                attempt == 0
                ? adopted ?? context.udpPorts.take(at: local.address) : context.udpPorts.take(at: local.address)
            guard let udpPort = candidate else { throw refusal }
            do throws(RoutingError) {
                try await establish(
                    rtp: SourceSpecification(
                        address: local.address, udpPort: udpPort, port: local.port, source: source),
                    rtcp: SourceSpecification(
                        address: local.address, udpPort: udpPort + 1, port: local.port, source: source))
                let socket = try await reservedSocket()
                await leave()
                mode = .unicast(UnicastReception(local: local, udpPort: udpPort, rtcp: socket))
                try await listenToRTCP()
                return udpPort
            } catch {
                // Another program may have one of the two; it will keep it, and so the pair stays taken.
                refusal = error
                guard error.code == .unavailable || error.code == .conflict else { throw error }
            }
        }
        throw refusal
    }

    /// Narrows a unicast stream to the source that its signalling names, and learns where reports go. UDP ports that are not
    /// known are not checked.
    func setSource(
        _ source: IPAddress, rtpUDPPort: UInt16?, rtcpUDPPort: UInt16?
    ) async throws(RoutingError) {
        guard case .unicast(var reception) = mode else { return }
        let local = reception.local
        try await establish(
            rtp: SourceSpecification(
                address: local.address, udpPort: reception.udpPort, port: local.port, source: source,
                sourceUDPPort: rtpUDPPort),
            rtcp: SourceSpecification(
                address: local.address, udpPort: reception.udpPort + 1, port: local.port, source: source,
                sourceUDPPort: rtcpUDPPort))
        reception.rtcpPeer = rtcpUDPPort.map { source.socketAddress($0) }
        mode = .unicast(reception)
    }

    /// Joins the group, and takes packets of `source` only where it is given.
    func receiveMulticast(
        group: IPAddress, udpPort: UInt16, rtcpUDPPort: UInt16, source: IPAddress?, at local: NetworkAttachment
    ) async throws(RoutingError) {
        try await establish(
            rtp: SourceSpecification(address: group, udpPort: udpPort, port: local.port, source: source),
            rtcp: SourceSpecification(address: group, udpPort: rtcpUDPPort, port: local.port, source: source))
        await leave()
        let sender = try await opened { try await DatagramSocket(address: local.address) { _, _ in } }
        mode = .multicast(group: group, rtcpUDPPort: rtcpUDPPort, sender: sender)
        try await listenToRTCP()
    }

    /// Makes the routes for packets that come by `inject`.
    func receiveInterleaved() async throws(RoutingError) {
        if case .injected = mode { return }
        let host = try await context.hostPort()
        guard let udpPort = await adoptedUDPPort(atHostPort: host) ?? context.udpPorts.take(at: host.fastPathIPv4)
        else {
            throw RoutingError(
                .unavailable,
                "rtsp udp-ports \(context.configuration.udpPorts): no free pair at the host port; widen the range")
        }
        let socket = try await opened { try await DatagramSocket(address: host.hostIPv4) { _, _ in } }
        func source(_ udpPort: UInt16) -> SourceSpecification {
            SourceSpecification(
                address: host.fastPathIPv4, udpPort: udpPort, port: PortReference(interface: "host"),
                source: host.hostIPv4, sourceUDPPort: socket.udpPort, joins: false)
        }
        try await establish(rtp: source(udpPort), rtcp: source(udpPort + 1))
        await leave()
        mode = .injected(Injection(socket: socket, fastPath: host.fastPathIPv4, udpPort: udpPort))
    }

    /// Puts a packet that came interleaved into the fast path; `flush` sends what was put.
    func inject(_ packet: ByteBuffer, isRTCP: Bool) {
        guard case .injected(let injection) = mode else { return }
        let isLong = packet.readableBytes > DirectWay.longestPacket
        let pieces = isRTCP ? (isLong ? [] : [packet]) : direct.pass(packet)
        if isLong { noteLong(packet, isRTCP: isRTCP, parts: pieces.count) }
        let address = injection.fastPath.socketAddress(isRTCP ? injection.udpPort + 1 : injection.udpPort)
        for piece in pieces { injection.socket.write(piece, to: address) }
        if isRTCP { onRTCP?(packet, MonotonicClock.now) }
    }

    /// Counts and reports a packet that the host port does not take.
    private func noteLong(_ packet: ByteBuffer, isRTCP: Bool, parts: Int) {
        if parts == 0 { context.counters.add(to: .oversizedPackets) }
        guard !hasToldOversize else { return }
        hasToldOversize = true
        let what = "packets of \(packet.readableBytes) bytes, more than the \(DirectWay.longestPacket) of the host port"
        let fate =
            isRTCP
            ? "are dropped" : parts == 0 ? "go to players on TCP alone" : "go to players on UDP in \(parts) parts"
        context.logger.warning("route \(isRTCP ? rtcpRoute : rtpRoute): \(what), \(fate)")
    }

    func flush() {
        guard case .injected(let injection) = mode else { return }
        injection.socket.flush()
        if direct.isUsed { direct.fanOut?.flush() }
    }

    // MARK: Reports and state

    /// Sends RTCP to the source by UDP. Interleaved sources get theirs on their connection.
    func sendRTCP(_ packet: ByteBuffer) {
        switch mode {
        case .unicast(let reception):
            if let peer = reception.rtcpPeer { reception.rtcp.send(packet, to: peer) }
        case .multicast(let group, let udpPort, let sender): sender.send(packet, to: group.socketAddress(udpPort))
        case .injected, .closed: break
        }
    }

    /// The progress so far; nil before the routes are there.
    func progress() async -> FlowProgress? {
        var progress = await context.routing.progress(of: rtpRoute)
        // The source has its own numbers.
        if let highest = progress?.extendedHighestSequence {
            progress?.extendedHighestSequence = highest.subtractingSaturating(direct.added)
        }
        return progress
    }

    /// Takes both routes away, with whatever legs they have.
    func remove() async {
        await leave()
        await closeRTCPListener()
        for name in [rtpRoute, rtcpRoute] {
            do {
                try await context.routing.remove(route: name)
            } catch {
                if error.code != .notFound { context.logger.warning("route \(name): could not be removed: \(error)") }
            }
        }
        mode = .closed
    }

    // MARK: Parts

    private static let attempts = 64

    /// Adds the routes, or gives those that are there another source: both, or none.
    private func establish(rtp: SourceSpecification, rtcp: SourceSpecification) async throws(RoutingError) {
        var (rtp, rtcp) = (rtp, rtcp)
        (rtp.srtp, rtcp.srtp) = (keys, keys)
        let earlier = try? await context.routing.route(rtpRoute).specification.source
        try await establish(rtpRoute, rtp, payload: .rtp)
        do throws(RoutingError) {
            try await establish(rtcpRoute, rtcp, payload: .rtcp)
        } catch {
            if let earlier {
                _ = try? await context.routing.take(route: rtpRoute, source: earlier)
            } else {
                try? await context.routing.remove(route: rtpRoute)
            }
            throw error
        }
    }

    private func establish(
        _ name: String, _ source: SourceSpecification, payload: RouteSpecification.Payload
    ) async throws(RoutingError) {
        if let known = try? await context.routing.route(name) {
            if known.specification.source != source { _ = try await context.routing.take(route: name, source: source) }
            return
        }
        _ = try await context.routing.add(
            RouteSpecification(
                name: name, source: source, payload: payload, clockRate: payload == .rtp ? clockRate : nil),
            owner: .session)
    }

    /// The pair that an earlier daemon used for this stream: the source still sends there.
    private func adoptedUDPPort(at local: NetworkAttachment) async -> UInt16? {
        guard let route = try? await context.routing.route(rtpRoute) else { return nil }
        let source = route.specification.source
        guard source.address == local.address, source.port == local.port else { return nil }
        context.udpPorts.claim(source.udpPort, at: source.address)
        return source.udpPort
    }

    private func adoptedUDPPort(atHostPort host: HostPort) async -> UInt16? {
        await adoptedUDPPort(
            at: NetworkAttachment(address: host.fastPathIPv4, port: PortReference(interface: "host"), isLocal: true))
    }

    /// The socket that reserves the RTCP UDP port, to send from.
    private func reservedSocket() async throws(RoutingError) -> DatagramSocket {
        let descriptor = try await context.routing.reservation(of: rtcpRoute)
        return try await opened { try await DatagramSocket(descriptor: descriptor) { _, _ in } }
    }

    private func opened(_ open: () async throws -> DatagramSocket) async throws(RoutingError) -> DatagramSocket {
        do {
            return try await open()
        } catch {
            throw RoutingError(.failed, "route \(rtpRoute): no UDP socket: \(ErrorText.of(error))")
        }
    }

    /// Has the fast path copy the source's RTCP to the daemon, which needs sender reports for its own reports.
    private func listenToRTCP() async throws(RoutingError) {
        guard rtcpListener == nil else { return }
        let host = try await context.hostPort()
        let socket = try await opened {
            try await DatagramSocket(
                address: host.hostIPv4,
                receive: { [weak self] packet, _ in self?.onRTCP?(packet, MonotonicClock.now) })
        }
        let leg = LegSpecification(
            address: host.hostIPv4, udpPort: socket.udpPort, port: PortReference(interface: "host"))
        // A leg to a socket of an earlier daemon is nobody's.
        if let legs = try? await context.routing.route(rtcpRoute).legs {
            for old in legs where old.specification.address == leg.address && old.specification.port == leg.port {
                try? await context.routing.removeLeg(old.number, from: rtcpRoute)
            }
        }
        rtcpListenerLeg = try await context.routing.addLeg(leg, to: rtcpRoute, force: true).number
        rtcpListener = socket
    }

    private func closeRTCPListener() async {
        if let leg = rtcpListenerLeg { try? await context.routing.removeLeg(leg, from: rtcpRoute) }
        rtcpListenerLeg = nil
        rtcpListener?.close()
        rtcpListener = nil
    }

    /// Lets go of what the present way in needs beside the routes.
    private func leave() async {
        switch mode {
        case .closed: break
        case .unicast(let reception):
            reception.rtcp.close()
            context.udpPorts.giveBack(reception.udpPort, at: reception.local.address)
        case .multicast(_, _, let sender): sender.close()
        case .injected(let injection):
            injection.socket.close()
            direct.reset()
            context.udpPorts.giveBack(injection.udpPort, at: injection.fastPath)
        }
        mode = .closed
    }
}
