// A player on UDP unicast: one leg for RTP, one for RTCP.

import AgentSupport
import Logging
import NIOCore
import RTPWire
import Routing
import Sessions
import Timing

/// Copies of a stream to one player's pair of UDP ports, made by the fast path.
@AgentActor
final class UDPDelivery: StreamDelivery {
    /// The destination at which the player wants its packets.
    struct Destination: Hashable, Sendable, Codable {
        var address: IPAddress
        var rtpUDPPort: UInt16
        var rtcpUDPPort: UInt16

        init(address: IPAddress, rtpUDPPort: UInt16, rtcpUDPPort: UInt16) {
            self.address = address
            self.rtpUDPPort = rtpUDPPort
            self.rtcpUDPPort = rtcpUDPPort
        }
    }

    private let context: ProxyContext
    private let stream: PresentationStream
    private let destination: Destination
    /// The place that the node sends from: the address that the player connected to, and the UDP port of RTP that players share.
    private let local: NetworkAttachment
    private let serverUDPPort: UInt16
    /// The player as one of the stream's, and whether it has its leg.
    private let player: IPAddress
    private let shares: PlayerLegs
    private var hasShare = false
    /// The node's address that uses the shared pair of UDP ports.
    var localAddress: IPAddress { local.address }
    private(set) var rtpLeg: UInt32?
    private(set) var rtcpLeg: UInt32?
    private var first: StreamStart?
    /// True if the legs are open from the first packet on, whichever that is.
    private var isOpen = false
    /// Called with each of the player's reports: signs of life.
    private let onReport: @AgentActor (ByteBuffer) -> Void
    /// True if it was reported that the stream's packets do not fit.
    private var isMisfit = false
    /// When it is asked next whether they fit (CLOCK_MONOTONIC, nanoseconds).
    private var nextLook = UInt64.max
    /// The length of packets is known some seconds after a source has begun; it seldom changes.
    private static let firstLook: UInt64 = 3_000_000_000
    private static let furtherLooks: UInt64 = 30_000_000_000

    /// - Parameters:
    ///   - local: Where packets to the player pass, with the address to send from.
    ///   - serverUDPPort: The even UDP port to send RTP from; RTCP has the next one.
    ///   - player: Who asked for it, wherever it goes.
    ///   - shares: What the stream's players divide among them.
    ///   - onReport: Called with each RTCP packet of the player, while it plays.
    init(
        context: ProxyContext, stream: PresentationStream, destination: Destination, local: NetworkAttachment,
        serverUDPPort: UInt16, player: IPAddress, shares: PlayerLegs,
        onReport: @escaping @AgentActor (ByteBuffer) -> Void
    ) {
        self.player = player
        self.shares = shares
        self.onReport = onReport
        self.context = context
        self.stream = stream
        self.destination = destination
        self.local = local
        self.serverUDPPort = serverUDPPort
    }

    /// Goes on with legs that an earlier daemon added.
    func adopt(rtpLeg: UInt32?, rtcpLeg: UInt32?) {
        self.rtpLeg = rtpLeg
        self.rtcpLeg = rtcpLeg
        if !hasShare {
            hasShare = true
            shares.adopt(for: player)
        }
        listen()
    }

    /// The source of the player's reports: one on this node is met at the fast path's end of the host port.
    private var reporter: (address: IPAddress, udpPort: UInt16) {
        (local.isLocal ? local.address : destination.address, destination.rtcpUDPPort)
    }

    private func listen() {
        context.playerPorts.listen(to: reporter.address, udpPort: reporter.udpPort, onReport)
    }

    /// The legs, for the session's journal.
    var legs: (rtp: UInt32?, rtcp: UInt32?) { (rtpLeg, rtcpLeg) }

    func prepare() async throws(RoutingError) {
        guard rtpLeg == nil else { return }
        if !hasShare {
            try shares.take(for: player)
            hasShare = true
        }
        do throws(RoutingError) {
            try await addLegs()
        } catch {
            await end()
            throw error
        }
        listen()
    }

    private func addLegs() async throws(RoutingError) {
        // A player on this node has an address that no leg can send to; its sockets are reached at the host port.
        let address = local.isLocal ? try await context.hostPort().address(like: local.address) : destination.address
        // Side by side: changes of one moment share what is dear in the fast path.
        async let one = added(leg(to: address, isRTCP: false), to: stream.rtpRoute)
        async let other = added(leg(to: address, isRTCP: true), to: stream.rtcpRoute)
        let (rtp, rtcp) = await (one, other)
        rtpLeg = try? rtp.get()
        rtcpLeg = try? rtcp.get()
        _ = try (rtp.get(), rtcp.get())
    }

    private func added(_ leg: LegSpecification, to route: String) async -> Result<UInt32, RoutingError> {
        do throws(RoutingError) {
            return .success(try await context.routing.addShutLeg(leg, to: route).number)
        } catch {
            return .failure(error)
        }
    }

    /// Some packets may overtake the response: it is written when the source says that it plays.
    func expect() async throws(RoutingError) {
        try await open()
        isOpen = true
    }

    private func open() async throws(RoutingError) {
        if let rtpLeg { try await context.routing.openLeg(rtpLeg, of: stream.rtpRoute, from: nil) }
        if let rtcpLeg { try await context.routing.openLeg(rtcpLeg, of: stream.rtcpRoute, from: nil) }
    }

    func start() async -> StreamStart? {
        guard let rtpLeg, !isOpen else { return nil }
        let margin = context.openingDelay.margin
        // The leg is open from here on, and its gate keeps it silent until after the response.
        let start = try? await context.routing.openLeg(rtpLeg, of: stream.rtpRoute) {
            StreamStart($0, at: MonotonicClock.now, margin: margin)
        }
        if let start { first = start }
        return first
    }

    func begin() async {
        guard let rtpLeg else { return }
        nextLook = MonotonicClock.now.addingSaturating(Self.firstLook)
        guard !isOpen else { return }
        do throws(RoutingError) {
            if first == nil { try await context.routing.openLeg(rtpLeg, of: stream.rtpRoute, from: nil) }
            if let rtcpLeg { try await context.routing.openLeg(rtcpLeg, of: stream.rtcpRoute, from: nil) }
        } catch {
            // The route went while the response was on its way: the path lets the session know of its end.
            context.logger.warning("route \(stream.rtpRoute) leg \(rtpLeg): could not be opened: \(error)")
        }
    }

    func end() async {
        let (rtp, rtcp) = (rtpLeg, rtcpLeg)
        if rtp != nil { context.playerPorts.stopListening(to: reporter.address, udpPort: reporter.udpPort) }
        (rtpLeg, rtcpLeg, first, isOpen) = (nil, nil, nil, false)
        // Side by side: both wait for the same grace period.
        async let one: Void = remove(rtp, from: stream.rtpRoute)
        async let other: Void = remove(rtcp, from: stream.rtcpRoute)
        _ = await (one, other)
        if hasShare {
            hasShare = false
            shares.giveBack(from: player)
        }
    }

    private func remove(_ leg: UInt32?, from route: String) async {
        guard let leg else { return }
        do throws(RoutingError) {
            try await context.routing.removeLeg(leg, from: route)
        } catch {
            if error.code != .notFound {
                context.logger.warning("route \(route) leg \(leg): could not be removed: \(error)")
            }
        }
    }

    /// The reason for which the stream's packets do not fit where the player is; nil where they do, and when it was
    /// reported before.
    func newMisfit(at now: UInt64) async -> String? {
        guard rtpLeg != nil, !isMisfit, now >= nextLook else { return nil }
        nextLook = now.addingSaturating(Self.furtherLooks)
        if let reason = context.directWay(of: stream.rtpRoute).misfit {
            isMisfit = true
            return reason
        }
        guard !local.isLocal,
            let reason = await context.routing.misfit(
                of: leg(to: destination.address, isRTCP: false), on: stream.rtpRoute)
        else { return nil }
        isMisfit = true
        return reason
    }

    private func leg(to address: IPAddress, isRTCP: Bool) -> LegSpecification {
        LegSpecification(
            address: address, udpPort: isRTCP ? destination.rtcpUDPPort : destination.rtpUDPPort,
            port: local.port, source: .set(local.address),
            sourceUDPPort: isRTCP ? serverUDPPort + 1 : serverUDPPort)
    }

    var report: SessionReport.Stream {
        SessionReport.Stream(
            index: stream.index, media: stream.media, transport: "udp",
            address: "\(destination.address.bracketed):\(destination.rtpUDPPort)", route: stream.rtpRoute, leg: rtpLeg,
            rtcpRoute: stream.rtcpRoute, rtcpLeg: rtcpLeg, engine: "kernel", engineReason: "a UDP player is a leg")
    }

    var record: SessionRecord.Delivery? {
        .init(
            stream: stream,
            way: .udp(destination, local: local, serverUDPPort: serverUDPPort, rtpLeg: rtpLeg, rtcpLeg: rtcpLeg))
    }
}

extension HostPort {
    /// The host end's address of the family of `other`.
    func address(like other: IPAddress) -> IPAddress { other.family == .ipv4 ? hostIPv4 : hostIPv6 }
}
