// Scans: what is read from a frame, what is added up, and which route takes it.

import FastPath
import RTPWire
import Routing
import Testing

@testable import Node

@Suite("Scan")
struct ScanTests {
    /// A frame of IPv4 and UDP from 10.1.0.7:5004 to 239.1.1.1:5004.
    private static func frame(
        tags: [UInt8] = [], ttl: UInt8 = 16, fragment: [UInt8] = [0, 0], source: UInt8 = 7, payload: [UInt8]
    ) -> [UInt8] {
        let ethernet: [UInt8] = [1, 0, 0x5e, 1, 1, 1, 2, 0, 0, 0, 0, 7] + tags + [8, 0]
        let ip: [UInt8] = [0x45, 0, 0, 0, 0, 0] + fragment + [ttl, 17, 0, 0, 10, 1, 0, source, 239, 1, 1, 1]
        let size = UInt16(8 + payload.count)
        return ethernet + ip + [0x13, 0x8c, 0x13, 0x8c, UInt8(size >> 8), UInt8(size & 0xff), 0, 0] + payload
    }

    private static let rtp: [UInt8] = [0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 9] + [UInt8](repeating: 0, count: 20)

    private static func sample(_ frame: [UInt8], weight: UInt32 = 1) -> FrameSample {
        FrameSample(weight: weight, length: UInt32(frame.count), bytes: Array(frame.prefix(112)))
    }

    private func read(_ frame: [UInt8]) throws -> SampledPacket { try #require(SampledPacket(Self.sample(frame))) }

    @Test func readsRTP() throws {
        let packet = try read(Self.frame(payload: Self.rtp))
        #expect(packet.kind == .rtp)
        #expect((packet.payloadType, packet.ssrc, packet.timeToLive) == (96, 9, 16))
        #expect(packet.key.destination == IPAddress(239, 1, 1, 1))
        #expect((packet.key.udpPort, packet.key.sourceUDPPort) == (5004, 5004))
        #expect(!packet.key.isFragment && packet.key.vlans.isEmpty)
    }

    @Test(
        "guesses what a payload is",
        arguments: [
            ([0x80, 200, 0, 6, 0, 0, 0, 9] + [UInt8](repeating: 0, count: 20), PayloadKind.rtcp),
            ([0x47] + [UInt8](repeating: 0, count: 1315), .mpegTS), ([UInt8](repeating: 0, count: 40), .other),
            ([0x80, 96, 0], .other), ([], .other),
        ])
    func guesses(_ payload: [UInt8], _ kind: PayloadKind) throws {
        #expect(try read(Self.frame(payload: payload)).kind == kind)
    }

    @Test func readsTags() throws {
        let one = try read(Self.frame(tags: [0x81, 0, 0x20, 100], payload: Self.rtp))
        #expect(one.key.vlans == [100] && one.kind == .rtp)
        let two = try read(Self.frame(tags: [0x88, 0xa8, 0, 7, 0x81, 0, 0, 8], payload: Self.rtp))
        #expect(two.key.vlans == [7, 8] && two.kind == .rtp)
    }

    @Test func readsFragments() throws {
        let first = try read(Self.frame(fragment: [0x20, 0], payload: Self.rtp))
        #expect(first.key.isFragment && first.key.udpPort == 5004 && first.kind == .fragment)
        let second = try read(Self.frame(fragment: [0, 100], payload: Self.rtp))
        #expect(second.key.isFragment && second.key.udpPort == nil && second.kind == .fragment)
    }

    @Test("takes a frame that is cut anywhere")
    func takesCutFrames() {
        let frames = [
            Self.frame(tags: [0x81, 0, 0, 100], payload: Self.rtp),
            [1, 0, 0x5e, 1, 1, 1, 2, 0, 0, 0, 0, 7, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, 44, 1]
                + [UInt8](repeating: 1, count: 32) + [0, 0, 0, 1, 0, 0, 0, 0] + Self.rtp,
        ]
        for frame in frames {
            for length in 0...frame.count {
                let packet = SampledPacket(Self.sample(Array(frame.prefix(length))))
                #expect((packet == nil) == (length < 14))
            }
        }
    }

    @Test("keeps the flows with the most packets when there are too many")
    func keepsHeavyFlows() {
        var table = ScanTable()
        let heavy = Self.frame(payload: Self.rtp)
        for number in 0..<20_000 {
            // As many senders as there is no room for; every tenth packet is the heavy flow's.
            var other = Self.frame(source: UInt8(number & 0xff), payload: [])
            other[27] = 2
            other[28] = UInt8(number >> 8)
            table.add(Self.sample(other))
            if number % 10 == 0 { table.add(Self.sample(heavy, weight: 2)) }
        }
        #expect(table.rows.count == ScanTable.capacity)
        #expect(table.packets == 24_000)
        let kept = table.rows.values.reduce(0) { $0 + $1.packets }
        #expect(kept + table.replacedPackets == table.packets)
        let report = ScanReport(port: "eth0", seconds: 2, table: table, routes: [])
        #expect(report.flows.first?.udpPort == 5004 && report.flows.first?.ssrcs == [9])
        #expect(report.flows.first?.packetRate == 2000)
        #expect(report.flowsNotHeld == table.replacedRows)
        #expect(zip(report.flows, report.flows.dropFirst()).allSatisfy { $0.packetRate >= $1.packetRate })
    }

    @Test(
        "names the route that takes a flow, or what keeps it from doing so",
        arguments: [
            (Self.frame(payload: Self.rtp), "cam1", nil),
            (Self.frame(ttl: 1, payload: Self.rtp), "cam1", ScannedFlow.Obstacle.ttl),
            (Self.frame(fragment: [0x20, 0], payload: Self.rtp), "cam1", .fragment),
            (Self.frame(source: 8, payload: Self.rtp), "cam1", .source),
            (Self.frame(payload: [0x47] + [UInt8](repeating: 0, count: 187)), "cam1", .payload),
            (Self.frame(tags: [0x81, 0, 0, 100], payload: Self.rtp), nil, nil),
        ])
    func namesRoutes(_ frame: [UInt8], _ route: String?, _ obstacle: ScannedFlow.Obstacle?) throws {
        let source = SourceSpecification(
            address: IPAddress(239, 1, 1, 1), udpPort: 5004, port: PortReference(interface: "eth0"),
            source: IPAddress(10, 1, 0, 7))
        let report = RouteReport(
            specification: RouteSpecification(name: "cam1", source: source), owner: .operator, engine: "kernel",
            engineReason: "", membership: "joined", legs: [])
        var table = ScanTable()
        table.add(Self.sample(frame))
        let flow = try #require(ScanReport(port: "eth0", seconds: 1, table: table, routes: [report]).flows.first)
        #expect((flow.route, flow.obstacle) == (route, obstacle))
        let elsewhere = try #require(ScanReport(port: "eth1", seconds: 1, table: table, routes: [report]).flows.first)
        #expect(elsewhere.route == nil)
    }

    @Test("says below which rate a flow may be missing")
    func saysWhatIsMissing() {
        var table = ScanTable()
        for _ in 0..<30 { table.add(Self.sample(Self.frame(payload: Self.rtp), weight: 100)) }
        let report = ScanReport(port: "eth0", seconds: 2, table: table, routes: [])
        #expect(report.packetRate == 1500)
        #expect(report.smallestSeenRate == 150)
    }
}
