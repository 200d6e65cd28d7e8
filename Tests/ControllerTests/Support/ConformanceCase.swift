// Packets and legs over which both engines must do the same.

import FastPath
import TestSupport

/// A packet, and what its legs change.
struct ConformanceCase: Sendable {
    var name: String
    var packet: Packet
    var destination: String
    var change: @Sendable (inout LegParameters) -> Void

    init(
        _ name: String, _ packet: Packet = Packet(), to destination: String = "10.2.0.5",
        _ change: @escaping @Sendable (inout LegParameters) -> Void = { _ in }
    ) {
        self.name = name
        self.packet = packet
        self.destination = destination
        self.change = change
    }

    init(
        _ name: String, _ packet: Packet = Packet(), to destination: String = "10.2.0.5",
        packet packetChange: (inout Packet) -> Void,
        _ change: @escaping @Sendable (inout LegParameters) -> Void = { _ in }
    ) {
        self.init(name, packet, to: destination, change)
        packetChange(&self.packet)
    }

    static let qinq = [Packet.Tag(300, protocolNumber: 0x88a8), Packet.Tag(5, priority: 6)]

    static func payload(_ count: Int) -> (inout Packet) -> Void {
        { $0.rtp?.payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) } }
    }

    static let single: [Self] = [
        Self("to unicast"), Self("to a group", to: "239.129.3.4"),
        Self("source kept") { $0.source = nil }, Self("source UDP port") { $0.sourceUDPPort = 7000 },
        Self("TTL kept") { $0.timeToLive = .keep }, Self("TTL set") { $0.timeToLive = .set(17) },
        Self("lowest TTL", packet: { $0.timeToLive = 2 }),
        Self("DSCP and ECN kept", packet: { $0.trafficClass = 0xb9 }),
        Self("DSCP set, ECN kept", packet: { $0.trafficClass = 0x2b }) { $0.dscp = 46 },
        Self("DSCP set to 0", packet: { $0.trafficClass = 0xff }) { $0.dscp = 0 },
        Self("without DF", packet: { $0.fragmentField = 0 }),
        Self("VLAN pushed") { $0.vlans = [100] },
        Self("VLAN popped", packet: { $0.tags = [.init(100, priority: 5)] }),
        Self("VLAN changed", packet: { $0.tags = [.init(100, priority: 5)] }) { $0.vlans = [4094] },
        Self("QinQ pushed") { $0.vlans = [200, 30] },
        Self("QinQ popped", packet: { $0.tags = qinq }),
        Self("QinQ changed", packet: { $0.tags = qinq }) { $0.vlans = [301, 6] },
        Self("one of two tags popped", packet: { $0.tags = qinq }) { $0.vlans = [5] },
        Self("a second tag pushed", packet: { $0.tags = [.init(5)] }) { $0.vlans = [300, 5] },
        Self("a wrong UDP checksum stays wrong", packet: { $0.checksum = .wrong(by: 0x1234) }),
        Self("a UDP checksum of 0 stays 0", packet: { $0.checksum = .absent }) {
            $0.payloadType = 97
            $0.ssrc = 1
        },
        Self("payload type") { $0.payloadType = 100 }, Self("SSRC 0") { $0.ssrc = 0 },
        Self("sequence and timestamp", packet: { $0.rtp?.sequence = 65_535 }) {
            $0.sequenceOffset = 3
            $0.timestampOffset = 0xffff_fff0
        },
        Self(
            "padding of a short frame",
            packet: {
                $0.rtp?.payload = []
                $0.trailer = [UInt8](repeating: 0, count: 6)
            }),
        Self("1442 bytes", packet: payload(1388)), Self("1514 bytes", packet: payload(1460)),
        Self("odd length", packet: payload(1001)),
        Self("IPv6", .ipv6(), to: "2001:db8:2::5"), Self("IPv6 to a group", .ipv6(), to: "ff3e::8000:2"),
        Self("IPv6, source kept", .ipv6(), to: "2001:db8:2::5") { $0.source = nil },
        Self("IPv6, DSCP set", .ipv6(), to: "ff3e::2", packet: { $0.trafficClass = 0x57 }) {
            $0.dscp = 34
            $0.timeToLive = .set(9)
        },
        Self("IPv6 out of QinQ into one VLAN", .ipv6(), to: "ff3e::2", packet: { $0.tags = qinq }) {
            $0.vlans = [77]
        },
        Self("IPv6, RTP rewritten", .ipv6(), to: "ff3e::2") {
            $0.ssrc = 99
            $0.sequenceOffset = 1
        },
        Self("IPv4 to IPv6", to: "2001:db8:2::5") { $0.changesFamily = true },
        Self("IPv4 to IPv6, DSCP, VLAN", to: "ff3e::2", packet: { $0.trafficClass = 0x2b }) {
            $0.changesFamily = true
            $0.dscp = 46
            $0.vlans = [100]
        },
        Self("IPv4 without a checksum to IPv6", to: "2001:db8:2::5", packet: { $0.checksum = .absent }) {
            $0.changesFamily = true
        },
        Self(
            "IPv4 without a checksum to IPv6, odd", to: "2001:db8:2::5",
            packet: {
                payload(1001)(&$0)
                $0.checksum = .absent
            }
        ) { $0.changesFamily = true },
        Self("IPv6 to IPv4", .ipv6(), to: "10.2.0.5") { $0.changesFamily = true },
        Self("IPv6 to IPv4, TTL, two VLANs", .ipv6(), to: "239.9.9.9", packet: { $0.tags = [.init(5)] }) {
            $0.changesFamily = true
            $0.timeToLive = .set(3)
            $0.vlans = [200, 30]
        },
        Self("other family, RTP rewritten", to: "ff3e::2") {
            $0.changesFamily = true
            $0.payloadType = 101
            $0.ssrc = 5
            $0.timestampOffset = 7
        },
    ]

    /// Frames of one buffer, of two and of three; the longest that an MTU of 9,000 takes.
    static let jumbo: [Self] =
        [3400, 3786, 3787, 5000, 7626, 7627, 8900].map { Self("\($0) bytes of payload", packet: payload($0)) } + [
            Self("IPv6, 8000 bytes", .ipv6(), to: "ff3e::2", packet: payload(8000)),
            Self("8000 bytes into a VLAN", packet: payload(8000)) { $0.vlans = [100] },
            Self("RTP rewritten in 8000 bytes", packet: payload(8000)) { $0.ssrc = 3 },
            Self(
                "7001 bytes without a checksum to IPv6", to: "ff3e::2",
                packet: {
                    payload(7001)(&$0)
                    $0.checksum = .absent
                }
            ) { $0.changesFamily = true },
        ]
}
