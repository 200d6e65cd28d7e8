// Players on multicast: one leg to a group, whoever listens.

import AgentSupport
import Logging
import RTPWire
import Routing
import Sessions

/// A stream's group of the configured pool: one leg for RTP and one for RTCP while any player wants it.
@AgentActor
final class MulticastGroup {
    private let context: ProxyContext
    private let stream: PresentationStream
    private var users = 0
    private var legs: (rtp: UInt32, rtcp: UInt32)?
    /// True if RTP is on its way to the group.
    private var isOpen = false
    private var isRTCPOpen = false
    private var change: Task<Result<Void, RoutingError>, Never>?

    init(context: ProxyContext, stream: PresentationStream) {
        self.context = context
        self.stream = stream
    }

    /// The group and its even UDP port; nil where no pool is configured or none of it is left.
    var destination: (group: IPAddress, udpPort: UInt16, timeToLive: UInt8)? {
        guard let pool = context.groups.pool, let found = context.groups.destination(of: stream.rtpRoute) else {
            return nil
        }
        return (found.group, found.udpPort, pool.timeToLive)
    }

    var rtpLeg: UInt32? { legs?.rtp }
    var rtcpLeg: UInt32? { legs?.rtcp }

    /// One user more, of legs to `group` that an earlier daemon added and opened.
    func adopt(group: IPAddress, rtpLeg: UInt32, rtcpLeg: UInt32) {
        users += 1
        legs = (rtpLeg, rtcpLeg)
        context.groups.claim(group, for: stream.rtpRoute)
    }

    func attach() async throws(RoutingError) {
        users += 1
        do throws(RoutingError) {
            try await settle()
        } catch {
            users -= 1
            throw error
        }
    }

    func detach() async {
        users -= 1
        try? await settle()
    }

    /// Chooses the group's first packet; nil while the source is silent. Where the group has begun, the first packet
    /// depends on when a player joins it, and no sequence number is given.
    func start() async -> StreamStart? {
        let margin = context.openingDelay.margin
        let choose = { @Sendable (progress: FlowProgress?) in
            StreamStart(progress, at: MonotonicClock.now, margin: margin)
        }
        if let legs, let start = try? await context.routing.openLeg(legs.rtp, of: stream.rtpRoute, at: choose) {
            isOpen = true
            return start
        }
        guard isOpen, var start = choose(await context.routing.progress(of: stream.rtpRoute)) else { return nil }
        start.sequence = nil
        start.expectedAt = nil
        return start
    }

    /// Opens what `start` has not opened.
    func open() async throws(RoutingError) {
        guard let legs else { return }
        if !isOpen {
            isOpen = true
            try await context.routing.openLeg(legs.rtp, of: stream.rtpRoute, from: nil)
        }
        guard !isRTCPOpen else { return }
        isRTCPOpen = true
        try await context.routing.openLeg(legs.rtcp, of: stream.rtcpRoute, from: nil)
    }

    private func settle() async throws(RoutingError) {
        let earlier = change
        let task = Task { @AgentActor () -> Result<Void, RoutingError> in
            _ = await earlier?.value
            do throws(RoutingError) {
                if self.users == 0 { await self.remove() } else { try await self.add() }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        change = task
        try await task.value.get()
    }

    private func add() async throws(RoutingError) {
        guard legs == nil else { return }
        guard let destination, let pool = context.groups.pool else {
            throw RoutingError(
                .capacity, "rtsp multicast: no group is left for \(stream.rtpRoute); give the pool more groups")
        }
        func leg(_ udpPort: UInt16) -> LegSpecification {
            LegSpecification(
                address: destination.group, udpPort: udpPort, port: pool.port, timeToLive: .set(destination.timeToLive))
        }
        let routing = context.routing
        let rtp = try await routing.addShutLeg(leg(destination.udpPort), to: stream.rtpRoute).number
        do throws(RoutingError) {
            legs = (rtp, try await routing.addShutLeg(leg(destination.udpPort + 1), to: stream.rtcpRoute).number)
        } catch {
            try? await routing.removeLeg(rtp, from: stream.rtpRoute)
            throw error
        }
    }

    private func remove() async {
        guard let legs else { return }
        self.legs = nil
        (isOpen, isRTCPOpen) = (false, false)
        try? await context.routing.removeLeg(legs.rtp, from: stream.rtpRoute)
        try? await context.routing.removeLeg(legs.rtcp, from: stream.rtcpRoute)
        context.groups.giveBack(stream.rtpRoute)
    }
}

/// One player's share of a stream's group.
@AgentActor
final class MulticastDelivery: StreamDelivery {
    private let context: ProxyContext
    private let stream: PresentationStream
    private let group: MulticastGroup
    private var isAttached = false

    init(context: ProxyContext, stream: PresentationStream, group: MulticastGroup) {
        self.context = context
        self.stream = stream
        self.group = group
    }

    func prepare() async throws(RoutingError) {
        guard !isAttached else { return }
        try await group.attach()
        isAttached = true
    }

    func expect() async throws(RoutingError) { try await group.open() }

    func start() async -> StreamStart? { await group.start() }

    func begin() async {
        do throws(RoutingError) {
            try await group.open()
        } catch {
            context.logger.warning("route \(stream.rtpRoute): its group could not be opened: \(error)")
        }
    }

    func end() async {
        guard isAttached else { return }
        isAttached = false
        await group.detach()
    }

    var report: SessionReport.Stream {
        let address = group.destination.map { "\($0.group.bracketed):\($0.udpPort)" } ?? "none"
        return SessionReport.Stream(
            index: stream.index, media: stream.media, transport: "multicast", address: address, route: stream.rtpRoute,
            leg: group.rtpLeg, rtcpRoute: stream.rtcpRoute, rtcpLeg: group.rtcpLeg, engine: "kernel",
            engineReason: "a group is a leg, which its players share")
    }

    /// Goes on with the group's legs, which an earlier daemon added.
    func adopt(group address: IPAddress, rtpLeg: UInt32, rtcpLeg: UInt32) {
        isAttached = true
        group.adopt(group: address, rtpLeg: rtpLeg, rtcpLeg: rtcpLeg)
    }

    var record: SessionRecord.Delivery? {
        .init(stream: stream, way: .multicast(rtpLeg: group.rtpLeg, rtcpLeg: group.rtcpLeg))
    }
}
