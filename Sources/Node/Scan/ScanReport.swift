// The answer of a scan: what arrives at a port, the most packets first.

import FoundationEssentials
import RTPWire
import Routing

/// What arrived at a port during a scan.
public struct ScanReport: Hashable, Sendable, Codable {
    /// The port's interface.
    public var port: String
    /// The length of the scan in seconds.
    public var seconds: Double
    /// The number of packets that were looked at.
    public var samples: UInt64
    /// All packets per second, and bits per second from Ethernet header to payload, without FCS.
    public var packetRate: Double
    public var bitRate: Double
    /// The rate in packets per second below which a flow may have been missed, because not every packet was looked at; 0 where all were.
    public var smallestSeenRate: Double
    /// The flows, the most packets first.
    public var flows: [ScannedFlow]
    /// The number of flows that there was no room for, at most, and their packets per second.
    public var flowsNotHeld: UInt64
    public var packetRateNotHeld: Double
}

/// One flow of packets as it arrives.
public struct ScannedFlow: Hashable, Sendable, Codable {
    /// The destination address; nil for what is not IP.
    public var destination: String?
    /// The destination UDP port; nil for what is not UDP, and for fragments behind the first.
    public var udpPort: UInt16?
    /// The VLAN identifiers in the frames, outer first.
    public var vlans: [UInt16]
    /// The sender's address and UDP port.
    public var source: String?
    public var sourceUDPPort: UInt16?
    /// The lowest and the highest TTL (IPv4) or hop limit (IPv6).
    public var lowestTTL: UInt8?
    public var highestTTL: UInt8?
    /// True if the packets are fragments.
    public var isFragment: Bool
    /// True if the packets have IP options or extension headers.
    public var hasOptions: Bool
    /// The rates in packets per second, and in bits per second from Ethernet header to payload.
    public var packetRate: Double
    public var bitRate: Double
    /// The kind that most of the packets seem to be of.
    public var kind: PayloadKind
    /// The protocol's number for what is not UDP, or the EtherType for what is not IP.
    public var protocolNumber: UInt16?
    /// The payload types and SSRCs of RTP, 8 at most.
    public var payloadTypes: [UInt8]
    public var ssrcs: [UInt32]
    /// The route that takes the packets; nil where none does.
    public var route: String?
    /// The reason for which the route does not take them although they are for its destination: `ttl`, `fragment`, `options`, `source`,
    /// `not-rtp`.
    public var obstacle: Obstacle?

    /// The reasons for which a route does not take packets for its destination.
    public enum Obstacle: String, Hashable, Sendable, Codable {
        /// The TTL is 1 or less: a router sends it no further.
        case ttl
        /// Fragments go to the host.
        case fragment
        /// Packets with IP options go to the host.
        case options
        /// Not from the route's `source=` or `source-port=`.
        case source
        /// Not RTP or RTCP, in a route of such.
        case payload = "not-rtp"
    }
}

extension ScannedFlow {
    /// A flow of which no more is known than its destination, its sender and its VLANs.
    public init(destination: String, sender: String, vlans: [UInt16]) {
        self.init(
            destination: destination, vlans: vlans, source: sender, isFragment: false, hasOptions: false, packetRate: 0,
            bitRate: 0, kind: .other, payloadTypes: [], ssrcs: [])
    }
}

extension ScanReport {
    /// The report of `table`, filled during `seconds` at `port`, where `routes` are carried.
    init(port: String, seconds: Double, table: ScanTable, routes: [RouteReport]) {
        let seconds = max(seconds, 0.001)
        let matcher = RouteMatcher(routes: routes, port: port)
        var flows = table.rows.map { key, row in
            ScannedFlow(
                destination: key.destination?.description, udpPort: key.udpPort, vlans: key.vlans,
                source: key.source?.description, sourceUDPPort: key.sourceUDPPort,
                lowestTTL: row.timeToLive?.lowerBound, highestTTL: row.timeToLive?.upperBound,
                isFragment: key.isFragment, hasOptions: key.hasOptions,
                packetRate: Double(row.packets) / seconds, bitRate: Double(row.bytes) * 8 / seconds,
                kind: row.kinds.max { ($0.value, $1.key.rawValue) < ($1.value, $0.key.rawValue) }?.key ?? .other,
                protocolNumber: key.other, payloadTypes: row.payloadTypes.sorted(), ssrcs: row.ssrcs.sorted())
        }
        for index in flows.indices { matcher.judge(&flows[index]) }
        flows.sort {
            $0.packetRate != $1.packetRate ? $0.packetRate > $1.packetRate : $0.order < $1.order
        }
        self.init(
            port: port, seconds: seconds, samples: table.samples, packetRate: Double(table.packets) / seconds,
            bitRate: Double(table.bytes) * 8 / seconds,
            // Of three expected samples one is missed by one scan in twenty.
            smallestSeenRate: table.packets <= table.samples
                ? 0 : 3 * Double(table.packets) / Double(max(table.samples, 1)) / seconds,
            flows: flows, flowsNotHeld: table.replacedRows, packetRateNotHeld: Double(table.replacedPackets) / seconds)
    }
}

extension ScannedFlow {
    /// An order among flows of equal rates.
    fileprivate var order: String {
        "\(destination ?? "") \(udpPort ?? 0) \(vlans) \(source ?? "") \(sourceUDPPort ?? 0) \(protocolNumber ?? 0)"
    }
}

/// Finds the route that takes a flow of packets.
private struct RouteMatcher {
    private struct Place: Hashable {
        var destination: String
        var udpPort: UInt16
        var vlans: [UInt16]
    }

    private var routes: [Place: [RouteReport]] = [:]

    init(routes all: [RouteReport], port: String) {
        for route in all where route.standing != .refused && route.specification.source.port.interface == port {
            let source = route.specification.source
            let place = Place(
                destination: source.address.description, udpPort: source.udpPort, vlans: source.port.vlans)
            routes[place, default: []].append(route)
        }
    }

    /// Says which route takes the flow, and what keeps it from doing so.
    func judge(_ flow: inout ScannedFlow) {
        guard let destination = flow.destination, let udpPort = flow.udpPort,
            let candidates = routes[Place(destination: destination, udpPort: udpPort, vlans: flow.vlans)],
            let first = candidates.first
        else { return }
        let accepting = candidates.first { $0.specification.source.accepts(flow) }
        flow.route = (accepting ?? first).specification.name
        if flow.isFragment {
            flow.obstacle = .fragment
        } else if flow.hasOptions {
            flow.obstacle = .options
        } else if accepting == nil {
            flow.obstacle = .source
        } else if let ttl = flow.highestTTL, ttl <= 1 {
            flow.obstacle = .ttl
        } else if (accepting ?? first).specification.payload != .raw, flow.kind == .mpegTS || flow.kind == .other {
            flow.obstacle = .payload
        }
    }
}

extension SourceSpecification {
    /// True if the filter of senders takes the flow.
    fileprivate func accepts(_ flow: ScannedFlow) -> Bool {
        (source == nil || source?.description == flow.source)
            && (sourceUDPPort == nil || sourceUDPPort == flow.sourceUDPPort)
    }
}
