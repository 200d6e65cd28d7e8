// One stream of an upstream: how it comes in, and what is known of it.

import AgentSupport
import Logging
import NIOCore
import RTPWire
import RTSPCore
import Routing
import SDP
import Timing

/// A stream's way into the fast path, the sources that it may come from, and the reports on it.
@AgentActor
final class UpstreamStream {
    /// The number of its media description, from 0, and what that says.
    let index: Int
    let media: String
    let clockRate: UInt32?
    let incoming: IncomingStream
    /// The keys that it is encrypted with; nil where it comes in clear.
    var keys: UpstreamKeys?
    private var protection: StreamProtection?
    private let keyName: String
    /// As it was set up; nil before.
    private(set) var granted: ClientStream?

    private let context: ProxyContext
    private var reporter = SourceReporter()
    /// The signalling peer, and what `source=` named.
    private var allowed: Set<IPAddress> = []
    /// The packets that the flows accept now.
    private var accepted: Accepted?
    private var group: String?
    private var protectedKeys: UpstreamKeys?
    private var hasSetKeys = false
    private var changes = 0
    private var refused: Set<IPAddress> = []
    /// Packets that came by TCP, and at the last look those of all ways in.
    private var injectedPackets: UInt64 = 0
    private var seenPackets: UInt64 = 0

    private struct Accepted: Hashable {
        var source: IPAddress
        var rtpUDPPort: UInt16?
        var rtcpUDPPort: UInt16?
    }

    init(context: ProxyContext, routeName: String, index: Int, medium: MediaDescription) {
        self.context = context
        self.index = index
        keyName = "\(routeName).\(index).keys"
        media = medium.kind
        clockRate = medium.clockRate
        incoming = IncomingStream(
            context: context, path: routeName, index: index, clockRate: medium.clockRate,
            formats: medium.fragmentableFormats)
        incoming.onRTCP = { [weak self] packet, arrival in
            self?.reporter.receive(Array(packet.readableBytesView), at: arrival)
        }
    }

    /// As players see it.
    var presentation: PresentationStream {
        PresentationStream(
            index: index, media: media, control: "streamid=\(index)", rtpRoute: incoming.rtpRoute,
            rtcpRoute: incoming.rtcpRoute, clockRate: clockRate, isEncrypted: keys == nil ? nil : true)
    }

    /// The source of its packets, for operators: `10.1.0.7:6000`, a group, a channel; without the parts that are not known.
    var source: String {
        guard let granted else { return "" }
        switch granted.transport {
        case .udp:
            guard let accepted else { return "" }
            return accepted.source.bracketed + (accepted.rtpUDPPort.map { ":\($0)" } ?? "")
        case .multicast: return group ?? ""
        case .interleaved: return "channel \(granted.rtpChannel ?? 0)"
        }
    }

    // MARK: Ways in

    /// Makes ready to receive what was granted.
    ///
    /// - Parameters:
    ///   - peer: The signalling peer.
    ///   - source: What `source=` named, as an address.
    ///   - group: What its description names, for what the reply leaves out.
    func receive(
        _ stream: ClientStream, from peer: IPAddress, source: IPAddress?, at local: NetworkAttachment,
        group: UpstreamGroup?
    ) async throws(RoutingError) {
        granted = stream
        (changes, refused) = (0, [])
        reporter.restart()
        try await protect(isInterleaved: stream.transport == .interleaved)
        allowed = Set([peer, source].compactMap { $0 })
        await context.routeEvents.listen(to: incoming.rtpRoute) { [weak self] event in self?.take(event, isRTCP: false)
        }
        await context.routeEvents.listen(to: incoming.rtcpRoute) { [weak self] event in self?.take(event, isRTCP: true)
        }
        switch stream.transport {
        case .udp:
            try await accept(
                Accepted(
                    source: source ?? peer, rtpUDPPort: stream.rtpUDPPort, rtcpUDPPort: stream.rtcpUDPPort))
        case .multicast:
            guard let address = stream.group ?? group?.address, let udpPort = stream.rtpUDPPort ?? group?.udpPort
            else {
                throw RoutingError(
                    .invalid, "stream \(index): neither its description nor its Transport names a group and a UDP port")
            }
            accepted = nil
            self.group = "\(address.bracketed):\(udpPort)"
            try await incoming.receiveMulticast(
                group: address, udpPort: udpPort,
                rtcpUDPPort: stream.rtcpUDPPort ?? group?.rtcpUDPPort ?? (udpPort | 1),
                source: group?.source ?? (stream.group == nil ? nil : source), at: local)
        case .interleaved:
            accepted = nil
            try await incoming.receiveInterleaved()
        }
        seenPackets = await arrivedPackets()
    }

    private func accept(_ sources: Accepted) async throws(RoutingError) {
        accepted = sources
        try await incoming.setSource(
            sources.source, rtpUDPPort: sources.rtpUDPPort, rtcpUDPPort: sources.rtcpUDPPort)
    }

    func inject(_ payload: [UInt8], isRTCP: Bool) {
        var payload = payload
        if keys != nil {
            guard let clear = protection?.unprotect(payload, isRTCP: isRTCP, now: MonotonicClock.now) else { return }
            payload = clear
        }
        injectedPackets += 1
        incoming.inject(ByteBuffer(bytes: payload), isRTCP: isRTCP)
    }

    /// Puts the stream's keys in force for what comes next: in the fast path, or in the daemon where packets come by it.
    func protect(isInterleaved: Bool) async throws(RoutingError) {
        guard let keys else {
            (protection, protectedKeys, incoming.keys) = (nil, nil, nil)
            return
        }
        if protection == nil || protectedKeys != keys {
            do {
                protection = try StreamProtection(keys)
            } catch {
                throw RoutingError(.failed, "stream \(index): its keys cannot be used: \(error)")
            }
            protectedKeys = keys
        }
        guard !isInterleaved else {
            incoming.keys = nil
            return
        }
        try await context.routing.setKeys(keys.peer, named: keyName)
        hasSetKeys = true
        incoming.keys = KeyReference(key: keyName)
    }

    /// RTCP of the node's own as the source takes it; nil where it may not be sent.
    private func protected(_ packet: [UInt8]?) -> ByteBuffer? {
        guard let packet else { return nil }
        return keys == nil ? ByteBuffer(bytes: packet) : protection?.protect(ByteBuffer(bytes: packet))
    }

    func remove() async {
        context.routeEvents.ignore(incoming.rtpRoute)
        context.routeEvents.ignore(incoming.rtcpRoute)
        await incoming.remove()
        if hasSetKeys { await context.routing.removeKeys(named: [keyName]) }
        hasSetKeys = false
    }

    // MARK: Where packets really come from

    /// A source may send from other UDP ports than it said, and from its signalling address although it named another; nobody else may
    /// send in its place.
    private func take(_ event: SessionRouteEvent, isRTCP: Bool) {
        guard granted?.transport == .udp, var sources = accepted else { return }
        switch event.kind {
        case .firstPacket:
            // Reports have to go somewhere: to where its RTCP comes from, and before that to the UDP port after RTP's.
            guard sources.rtcpUDPPort == nil, event.source == sources.source else { return }
            sources.rtcpUDPPort = isRTCP ? event.sourceUDPPort : event.sourceUDPPort | 1
        case .unknownSource:
            guard allowed.contains(event.source) else {
                guard refused.count < 8, refused.insert(event.source).inserted else { return }
                context.logger.warning(
                    "route \(isRTCP ? incoming.rtcpRoute : incoming.rtpRoute): packets from \(event.source.bracketed):\(event.sourceUDPPort) are refused: its upstream is \(sources.source)"
                )
                return
            }
            if event.source != sources.source {
                sources = Accepted(source: event.source)
            }
            if isRTCP { sources.rtcpUDPPort = event.sourceUDPPort } else { sources.rtpUDPPort = event.sourceUDPPort }
        }
        // A sender that changes for ever gets no more of the daemon's time.
        guard sources != accepted, changes < 16 else { return }
        changes += 1
        Task { @AgentActor [sources] in await self.change(to: sources, event) }
    }

    private func change(to sources: Accepted, _ event: SessionRouteEvent) async {
        guard granted?.transport == .udp else { return }
        if event.kind == .unknownSource {
            // While packets of the accepted source come, another one of its host does not take its place.
            if let progress = await context.routing.progress(of: event.route), progress.packets > 0,
                !Deadline(1_000_000_000, after: progress.lastArrival).hasPassed(at: MonotonicClock.now)
            {
                return
            }
            context.logger.info(
                "route \(event.route): its packets come from \(event.source.bracketed):\(event.sourceUDPPort), not from where it was said"
            )
        }
        do throws(RoutingError) {
            try await accept(sources)
        } catch {
            context.logger.warning("route \(event.route): \(error)")
        }
    }

    // MARK: What came

    /// The receiver report to send, when one is due.
    func report(at now: UInt64) async -> ByteBuffer? {
        let progress = await incoming.progress()
        var generator = SystemRandomNumberGenerator()
        return protected(reporter.report(progress, clockRate: clockRate, at: now, using: &generator))
    }

    /// The last report, with a BYE.
    func farewell(at now: UInt64) async -> ByteBuffer? {
        protected(reporter.farewell(await incoming.progress(), clockRate: clockRate, at: now))
    }

    private func arrivedPackets() async -> UInt64 {
        let rtp = await context.routing.progress(of: incoming.rtpRoute)?.packets ?? 0
        let rtcp = await context.routing.progress(of: incoming.rtcpRoute)?.packets ?? 0
        return rtp + rtcp + injectedPackets
    }

    /// True if packets came since the last call.
    func hasNewPackets() async -> Bool {
        let packets = await arrivedPackets()
        defer { seenPackets = packets }
        return packets != seenPackets
    }
}
