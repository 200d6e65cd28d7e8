// What really leaves, captured and read by hand: headers, checksums, payload.

import FastPath
import RTPWire
import TestSupport
import Testing

@testable import Routing

extension NodeFastPathTests {
    @Suite struct Captures {
        private static let payload: [UInt8] = (0..<201).map { UInt8(truncatingIfNeeded: $0 &* 37) }

        /// Adds a route of raw payload, sends the frames, and captures as many copies as are expected.
        private func capture(
            from source: String, to legs: [String], frames: [RawFrame], copies: Int
        ) async throws -> [RawFrame] {
            let bench = try await ControllerBench(egressPorts: 1)
            var route = try ControllerBench.route("raw", from: source, to: legs)
            route.payload = .raw
            _ = try await bench.controller.add(route, owner: .operator)
            for number in 1...legs.count {
                try await bench.wait(forLeg: UInt32(number), of: "raw") { $0.state == .active }
            }
            let filter = "udp or vlan"
            let tcpdump = try bench.network.far.start([
                "timeout", "10", "tcpdump", "-i", "sink0", "-l", "-n", "-xx", "--immediate-mode", "-c", "\(copies)",
                filter,
            ])
            try tcpdump.waitForOutput(containing: "listening on")
            let index = bench.network.source.index
            try await bench.network.far.perform { for frame in frames { try frame.send(through: index) } }
            return RawFrame.read(try tcpdump.finish(checked: false))
        }

        @Test func ofIPv4() async throws {
            let group = IPAddress(239, 1, 1, 10)
            let mac = try #require(MACAddress(group: group))
            let frames = [true, false].map {
                RawFrame(
                    to: mac, from: IPAddress(10, 0, 0, 2), to: group, udpPort: 5004, trafficClass: 0x49,
                    payload: Self.payload, hasChecksum: $0)
            }
            let captured = try await capture(
                from: "239.1.1.10:5004@in0",
                to: [
                    "10.1.0.2:21000@out0", "239.9.9.1:21001@out0,ttl=7,dscp=46",
                    "239.9.9.2:21002@out0.100,source=10.7.0.1,ttl=keep", "239.9.9.3:21003@out0.200.30,source=keep",
                ], frames: frames, copies: 8)
            #expect(captured.count == 8)
            for frame in captured {
                let number = Int(frame.udpPort) - 21_000
                guard (0..<4).contains(number) else {
                    Issue.record("a copy for nobody: \(frame.bytes)")
                    continue
                }
                #expect(frame.hasGoodHeader && frame.payload == Self.payload, "\(frame.bytes)")
                #expect(frame.hasGoodUDPChecksum || frame.udpChecksum == 0, "\(frame.bytes)")
                #expect(frame.timeToLive == [63, 7, 64, 63][number])
                // ECN stays whatever the DSCP.
                #expect(frame.trafficClass == [0x49, 46 << 2 | 1, 0x49, 0x49][number])
                #expect(frame.tags.vlans == [[], [], [100], [200, 30]][number])
                let source = [
                    IPAddress(10, 1, 0, 1), IPAddress(10, 1, 0, 1), IPAddress(10, 7, 0, 1), IPAddress(10, 0, 0, 2),
                ]
                #expect(frame.source == source[number])
                let destination = number == 0 ? IPAddress(10, 1, 0, 2) : IPAddress(239, 9, 9, UInt8(number))
                #expect(frame.destination == destination)
                #expect(
                    MACAddress(bytes: frame.bytes.prefix(6))
                        == (MACAddress(group: destination) ?? MACAddress("02:00:00:00:01:20")))
                #expect(MACAddress(bytes: frame.bytes[6..<12]) == MACAddress("02:00:00:00:01:10"))
            }
            // A checksum of 0 stays 0, the others hold.
            #expect(captured.filter { $0.udpChecksum == 0 }.count == 4)
            #expect(captured.filter(\.hasGoodUDPChecksum).count == 4)
        }

        @Test func ofIPv6() async throws {
            let group = try #require(IPAddress("ff0e::101"))
            let mac = try #require(MACAddress(group: group))
            let source = try #require(IPAddress("2001:db8::2"))
            let frame = RawFrame(
                to: mac, from: source, to: group, udpPort: 5004, trafficClass: 0x4a, payload: Self.payload)
            let captured = try await capture(
                from: "[ff0e::101]:5004@in0",
                to: [
                    "[2001:db8:1::2]:21000@out0", "[ff0e::5]:21001@out0,ttl=9,dscp=46",
                    "[ff0e::6]:21002@out0.100,source=keep",
                ],
                frames: [frame], copies: 3)
            #expect(captured.count == 3)
            for frame in captured {
                let number = Int(frame.udpPort) - 21_000
                guard (0..<3).contains(number) else {
                    Issue.record("a copy for nobody: \(frame.bytes)")
                    continue
                }
                #expect(frame.isIPv6 && frame.hasGoodUDPChecksum && frame.payload == Self.payload, "\(frame.bytes)")
                #expect(frame.timeToLive == [63, 9, 63][number])
                #expect(frame.trafficClass == [0x4a, 46 << 2 | 2, 0x4a][number])
                #expect(frame.tags.vlans == [[], [], [100]][number])
                let own = try #require(IPAddress("2001:db8:1::1"))
                #expect(frame.source == [own, own, source][number])
                let destinations = ["2001:db8:1::2", "ff0e::5", "ff0e::6"].compactMap { IPAddress($0) }
                #expect(frame.destination == destinations[number])
            }
        }
    }
}
