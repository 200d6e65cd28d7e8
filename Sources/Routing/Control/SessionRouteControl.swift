// Requests of sessions to the one writer of the fast path, beyond those of operators.

public import RTPWire
public import SRTPKeys

/// The operations that RTSP sessions and SIP calls need. `FlowController` implements them; tests of the agents bring their own.
///
/// A session's routes have the owner `.session`: operators see them and cannot change them, a reload does not touch them,
/// and a restarted daemon takes them over and keeps them until `removeSessionRoutes(of:except:)`.
public protocol SessionRouteControl: RouteControl {
    /// The attachment that packets to or from `peer` pass on this node, by the kernel's routing table: to choose legs
    /// and local addresses.
    func attachment(towards peer: IPAddress) async throws(RoutingError) -> NetworkAttachment
    /// The attachment at which this node has the address `local`; `.notFound` where it does not have it.
    func attachment(of local: IPAddress) async throws(RoutingError) -> NetworkAttachment
    /// The host port, made when it is first asked for.
    func hostPort() async throws(RoutingError) -> HostPort

    /// Takes UDP ports for routes to come: nobody else gets them, and what comes there is nobody's. All of them, or none.
    ///
    /// Each call counts: a UDP port is free when it was released as often, and no route has it.
    /// - Throws: `conflict` where another program holds one of them.
    func reserve(_ places: [UDPPlace]) async throws(RoutingError)
    /// Gives back what `reserve` took.
    func release(_ places: [UDPPlace]) async
    /// Installs routes of sessions, with their legs: all, or none.
    func add(sessionRoutes routes: [RouteSpecification]) async throws(RoutingError) -> [RouteReport]
    /// Removes those of the routes that are there; returns when no packet uses any of them, and how far their flows had come.
    func remove(sessionRoutes names: [String]) async -> [String: FlowProgress]

    /// Adds a leg that sends nothing until `openLeg`: a player's, before the PLAY response is on its way.
    func addShutLeg(_ leg: LegSpecification, to name: String) async throws(RoutingError) -> LegReport
    /// Opens a leg that was added shut: it sends packets from the extended sequence number with the low 32 bits `sequence`
    /// on, or from the next one if nil. Of a leg that is open already nothing changes.
    func openLeg(_ number: UInt32, of name: String, from sequence: UInt32?) async throws(RoutingError)
    /// Opens a leg at the packet that `choose` names by how far the flow has come, in one step: however long anything takes
    /// before or after, the leg's first packet is the chosen one, or a later one if that is lost. Nil, and nothing changes: if
    /// `choose` names none, and if the leg is open and has begun. One that is open and has not begun waits for the new choice.
    func openLeg<Start: LegStart>(
        _ number: UInt32, of name: String, at choose: @Sendable (FlowProgress?) -> Start?
    ) async throws(RoutingError) -> Start?

    /// The packets that came on the route so far; nil while its flow does not exist. Costs no system call.
    func progress(of name: String) async -> FlowProgress?
    /// The same of several routes: of each whose flow exists.
    func progress(of names: [String]) async -> [String: FlowProgress]
    /// The reason for which packets of the route, as long as they were on average in the last second that had any, do
    /// not fit where the leg would send them: a sentence with both lengths. Nil where they fit, and as long as nobody
    /// knows.
    func misfit(of leg: LegSpecification, on name: String) async -> String?
    /// A duplicate of the socket that reserves the route's UDP port, on which packets of a route with `delivery` `.host`
    /// arrive; the caller closes it. Throws for a route that reserves nothing.
    func reservation(of name: String) async throws(RoutingError) -> Int32
    /// Removes the routes of sessions that begin with `prefix` and are not in `names`; returns the removed names. Each agent has its own
    /// prefix: `rtsp.`, `sip.`.
    func removeSessionRoutes(of prefix: String, except names: Set<String>) async -> [String]
    /// Sets what sources and legs of sessions' routes name (`srtp=`), before any does: one key, or several that MKIs tell apart, of
    /// which the first is sent with. A user of the name continues with the new keys; where they are the same nothing changes.
    ///
    /// All legs that name it are one sender: RTP, RTCP on a route of its own, and the same medium from another source. Keys are kept
    /// for a restart, in a file for the daemon alone.
    func setKeys(_ keys: [SRTPKey], named name: String) async throws(RoutingError)
    /// Forgets keys, when no route names them any more.
    func removeKeys(named names: [String]) async
    /// First packets and unknown sources of session routes, from now on. The stream ends with its consumer.
    func sessionRouteEvents() async -> AsyncStream<SessionRouteEvent>
}

extension SessionRouteControl {
    public func progress(of names: [String]) async -> [String: FlowProgress] {
        var found: [String: FlowProgress] = [:]
        for name in names { found[name] = await progress(of: name) }
        return found
    }

    public func remove(sessionRoutes names: [String]) async -> [String: FlowProgress] {
        let last = await progress(of: names)
        for name in names { try? await remove(route: name) }
        return last
    }

    public func add(sessionRoutes routes: [RouteSpecification]) async throws(RoutingError) -> [RouteReport] {
        var reports: [RouteReport] = []
        for route in routes {
            do throws(RoutingError) {
                reports.append(try await add(route, owner: .session))
            } catch {
                _ = await remove(sessionRoutes: reports.map(\.specification.name))
                throw error
            }
        }
        return reports
    }

    /// Without keys, nothing is encrypted.
    public func setKeys(_ keys: [SRTPKey], named name: String) async throws(RoutingError) {
        throw RoutingError(.unavailable, "key \(name): there is no SRTP here")
    }

    public func removeKeys(named names: [String]) async {}

    /// In two steps; whoever owns a fast path does it in one.
    public func openLeg<Start: LegStart>(
        _ number: UInt32, of name: String, at choose: @Sendable (FlowProgress?) -> Start?
    ) async throws(RoutingError) -> Start? {
        guard let start = choose(await progress(of: name)) else { return nil }
        try await openLeg(number, of: name, from: start.extendedSequence)
        return start
    }

    /// Without an MTU, everything fits.
    public func misfit(of leg: LegSpecification, on name: String) async -> String? { nil }
}

/// The packet that a leg begins with.
public protocol LegStart: Sendable {
    /// Its sequence number, extended by its wraps, low 32 bits.
    var extendedSequence: UInt32 { get }
}

/// A UDP port of an address of this node.
public struct UDPPlace: Hashable, Sendable, Codable {
    public var address: IPAddress
    public var udpPort: UInt16
    /// The port at which the address is; it matters for link-local ones.
    public var port: PortReference

    public init(address: IPAddress, udpPort: UInt16, port: PortReference) {
        self.address = address
        self.udpPort = udpPort
        self.port = port
    }
}

extension SourceSpecification {
    /// The source that matches packets of any sender to the place.
    init(_ place: UDPPlace) { self.init(address: place.address, udpPort: place.udpPort, port: place.port) }
}

/// The place at which packets of a peer pass on this node.
public struct NetworkAttachment: Hashable, Sendable, Codable {
    /// The node's own address there: what legs are sent from, and what peers send to. At the host port, the fast path's end.
    public var address: IPAddress
    /// The port, and the VLAN on it. `@host` for peers on this node.
    public var port: PortReference
    /// True if the peer is this node itself.
    public var isLocal: Bool

    public init(address: IPAddress, port: PortReference, isLocal: Bool) {
        self.address = address
        self.port = port
        self.isLocal = isLocal
    }
}

/// The veth pair by which programs of this node take part in the fast path (written `@host`).
public struct HostPort: Hashable, Sendable {
    /// The addresses of the host's end: sockets that receive bind to these, legs to `@host` send to these.
    public var hostIPv4: IPAddress
    public var hostIPv6: IPAddress
    /// The addresses of the fast path's end: programs send here, flows from `@host` match these.
    public var fastPathIPv4: IPAddress
    public var fastPathIPv6: IPAddress

    public init(hostIPv4: IPAddress, hostIPv6: IPAddress, fastPathIPv4: IPAddress, fastPathIPv6: IPAddress) {
        self.hostIPv4 = hostIPv4
        self.hostIPv6 = hostIPv6
        self.fastPathIPv4 = fastPathIPv4
        self.fastPathIPv6 = fastPathIPv6
    }
}

/// The progress of a flow: the basis of RTP-Info, receiver reports and liveness.
public struct FlowProgress: Hashable, Sendable {
    /// Packets and bytes, of any kind.
    public var packets: UInt64
    public var bytes: UInt64
    /// RTCP packets among them.
    public var rtcpPackets: UInt64
    /// True if RTP came: without it the fields below say nothing.
    public var hasRTP: Bool
    /// The highest sequence number, extended by its wraps (RFC 3550 appendix A.1).
    public var extendedHighestSequence: UInt64
    /// The timestamp of the latest packet.
    public var timestamp: UInt32
    public var ssrc: UInt32
    public var payloadType: UInt8
    /// When the latest packet came: CLOCK_MONOTONIC in nanoseconds.
    public var lastArrival: UInt64
    /// Packets per second, of the last second or so.
    public var packetRate: UInt64
    /// The RTP clock in Hz, where it is known.
    public var clockRate: UInt32?
    /// Since the last start of the sequence (RFC 3550 appendix A.3).
    public var expected: UInt64
    public var received: UInt64
    /// In nanoseconds.
    public var jitter: UInt64

    public init(
        packets: UInt64 = 0, bytes: UInt64 = 0, rtcpPackets: UInt64 = 0, hasRTP: Bool = false,
        extendedHighestSequence: UInt64 = 0, timestamp: UInt32 = 0, ssrc: UInt32 = 0, payloadType: UInt8 = 0,
        lastArrival: UInt64 = 0, packetRate: UInt64 = 0, clockRate: UInt32? = nil, expected: UInt64 = 0,
        received: UInt64 = 0, jitter: UInt64 = 0
    ) {
        self.packets = packets
        self.bytes = bytes
        self.rtcpPackets = rtcpPackets
        self.hasRTP = hasRTP
        self.extendedHighestSequence = extendedHighestSequence
        self.timestamp = timestamp
        self.ssrc = ssrc
        self.payloadType = payloadType
        self.lastArrival = lastArrival
        self.packetRate = packetRate
        self.clockRate = clockRate
        self.expected = expected
        self.received = received
        self.jitter = jitter
    }
}

/// An event that the fast path reports about a session's route.
public struct SessionRouteEvent: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case firstPacket
        case unknownSource
    }

    public var kind: Kind
    public var route: String
    public var source: IPAddress
    public var sourceUDPPort: UInt16

    public init(kind: Kind, route: String, source: IPAddress, sourceUDPPort: UInt16) {
        self.kind = kind
        self.route = route
        self.source = source
        self.sourceUDPPort = sourceUDPPort
    }
}
