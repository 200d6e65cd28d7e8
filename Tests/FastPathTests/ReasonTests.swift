// Every reason not to forward a packet, or not to send a copy, is one that really occurs.

import CrosspointShim
import RTPWire
import TestSupport
import Testing

@testable import FastPath

extension FastPathSuite {
    @Suite("Reasons")
    struct ReasonTests {
        /// What no test can cause, and why.
        static let exceptions: [String: String] = [
            "copy_worker_busy": "needs a worker: EngineLoadTests",
            "copy_no_memory": "the kernel would have to run out of memory while it clones",
            "copy_srtp_authentication": "counted by a worker: ProtectionTests, scripts/tests/srtp.sh",
            "copy_srtp_replay": "counted by a worker: ProtectionTests",
            "copy_srtp_unknown_key": "counted by a worker: ProtectionTests",
            "copy_srtp_malformed": "counted by a worker: ProtectionTests",
            "copy_srtp_key_limit": "counted by a worker: what raises it is in StreamTests",
            "copy_srtp_no_key": "counted by a worker: ProtectionTests",
            "copy_srtp_failed": "for errors of the library that nothing is known to raise",
            "copy_refused": "for errors of xdp_do_redirect() that no kernel so far returns for a devmap",
        ]

        /// Counts what one packet is counted as, given something that goes wrong with its copy.
        private typealias Cause = @Sendable (TestBench, FlowHandle) throws -> [String: UInt64]

        private static func change(_ change: @escaping @Sendable (inout Packet) -> Void) -> Cause {
            { bench, _ in
                var packet = Packet()
                change(&packet)
                return try bench.ingress(packet).reasons
            }
        }

        private static func parameters(_ parameters: FlowParameters, _ packet: Packet = Packet()) -> Cause {
            { bench, handle in
                try bench.thread.run { bench.fastPath.setParameters(parameters, of: handle) }
                return try bench.ingress(packet).reasons
            }
        }

        /// Lets a frame come in for real, so that the kernel carries out the redirect.
        private static func live(_ arguments: [String]) -> Cause {
            { bench, _ in
                try bench.namespace.run(arguments)
                let before = try bench.reasons()
                let frame = Packet().bytes
                let result = try bench.thread.run {
                    bench.fastPath.ingress.use {
                        crosspoint_bpf_live_run($0, frame, UInt32(frame.count), bench.interface, 1, 1)
                    }
                }
                #expect(result == 0)
                return try bench.reasons().merging(before) { $0 - $1 }.filter { $0.value != 0 }
            }
        }

        private static func egress(note change: @escaping @Sendable (inout [UInt8]) -> Void, keep: Int = .max)
            -> Cause
        {
            { bench, handle in
                let legs = [try bench.leg(), try bench.leg("10.2.0.6")]
                try bench.thread.run { try bench.fastPath.setLegs(legs, of: handle) }
                var frame = try bench.ingress(Packet()).frame
                change(&frame)
                return try EgressBench(bench).run(Array(frame.prefix(keep)), output: 0).reasons
            }
        }

        private static let causes: [String: Cause] = [
            "pass_not_ip": change { $0.etherType = 0x88f7 },
            "pass_not_udp": change { $0.protocolNumber = 6 },
            "pass_not_ours": change { $0.destinationPort = 9 },
            "pass_too_many_vlans": change { $0.tags = [.init(1), .init(2), .init(3)] },
            "pass_malformed": change { $0.claimedIPLength = 3 },
            "pass_ip_options": change { $0.options = [1, 1, 1, 1] },
            "pass_fragment": change { $0.fragmentField = 0x2000 },
            "pass_ttl_expired": change { $0.timeToLive = 1 },
            "pass_unknown_source": { bench, handle in
                let parameters = FlowParameters(unknownSource: .toHost)
                let other = Packet(destination: "239.1.1.77")
                var key = try bench.key(for: other)
                key.source = IPAddress(10, 9, 9, 9)
                try bench.route(key, parameters)
                return try bench.ingress(other).reasons
            },
            "pass_to_host": parameters(FlowParameters(goesToHost: true)),
            "drop_no_flow": { bench, _ in
                let group = try #require(IPAddress(Packet().destination))
                try bench.thread.run {
                    try bench.fastPath.guardGroup(group, interfaceIndex: bench.interface, vlans: [])
                }
                return try bench.ingress(Packet(destinationPort: 9)).reasons
            },
            "drop_draining": { bench, handle in
                _ = try bench.thread.run { bench.fastPath.drainFlow(handle) }
                return try bench.ingress(Packet()).reasons
            },
            "drop_wrong_source": { bench, _ in
                let other = Packet(destination: "239.1.1.77")
                var key = try bench.key(for: other)
                key.source = IPAddress(10, 9, 9, 9)
                try bench.route(key)
                return try bench.ingress(other).reasons
            },
            "drop_wrong_port": { bench, _ in
                try bench.thread.run { try bench.fastPath.guardAddress(IPAddress(10, 1, 0, 1), udpPort: 5004) }
                return try bench.ingress(Packet(destination: "10.1.0.1")).reasons
            },
            "drop_own_packet": change { $0.sourceMAC = "02:00:00:00:00:01" },
            "drop_martian_source": change { $0.source = "127.0.0.1" },
            "drop_wrong_mac": change { $0.destinationMAC = "ff:ff:ff:ff:ff:ff" },
            "drop_bad_header_checksum": change { $0.headerChecksumError = 1 },
            "drop_mapped_address": { bench, _ in
                var packet = Packet.ipv6(source: "::ffff:10.1.0.7", destination: "::ffff:239.1.1.10")
                packet.destinationMAC = Packet().destinationMAC
                return try bench.ingress(packet).reasons
            },
            "drop_no_leg": { bench, handle in
                try bench.thread.run { try bench.fastPath.setLegs([], of: handle) }
                return try bench.ingress(Packet()).reasons
            },
            "drop_not_rtp": change { $0.rtp?.version = 0 },
            "drop_not_rtcp": parameters(FlowParameters(payload: .rtcp)),
            "drop_bad_length": change { $0.claimedUDPLength = 7 },
            "drop_bad_checksum": { bench, handle in
                var packet = Packet()
                packet.checksum = .wrong(by: 1)
                return try parameters(FlowParameters(verifiesChecksum: true), packet)(bench, handle)
            },
            "drop_no_worker": parameters(FlowParameters(clockRate: 90_000, engine: .afxdpOnly)),
            "copy_gated": { bench, handle in
                var leg = try bench.leg()
                leg.gate = .init(sequence: 5000, deadline: .max)
                let legs = [leg]
                try bench.thread.run { try bench.fastPath.setLegs(legs, of: handle) }
                return try bench.ingress(Packet()).reasons
            },
            "copy_no_worker": { bench, handle in
                var leg = try bench.leg()
                leg.isProtected = true
                let legs = [leg]
                try bench.thread.run { try bench.fastPath.setLegs(legs, of: handle) }
                return try bench.ingress(Packet()).reasons
            },
            // A group that does not exist; a frame shorter than its headers, which are said to be IPv6.
            "copy_no_leg": egress { $0.replaceSubrange(8..<12, with: [0xff, 0xff, 0xff, 0xff]) },
            "copy_rewrite_failed": egress(note: { $0[5] = 1 }, keep: 61),
            "copy_interface_down": live(["ip", "link", "set", "out0", "down"]),
            "copy_too_long": live(["ip", "link", "set", "out0", "mtu", "90"]),
            // Without a program or GRO at its peer, veth takes no redirected frames. Before Linux 6.3 the kernel does not ask for that
            // (NETDEV_XDP_ACT_NDO_XMIT), and the driver refuses them.
            "copy_not_supported": live(["ethtool", "-K", "out0-peer", "gro", "off"]),
        ]

        @Test("every reason has a cause here, or stands in the list of exceptions")
        func isComplete() {
            #expect(
                Set(DropReason.all.map(\.name)) == Set(Self.causes.keys).union(Self.exceptions.keys))
            #expect(Set(Self.causes.keys).isDisjoint(with: Self.exceptions.keys))
        }

        @Test(
            "the cause raises the reason, once and alone",
            arguments: causes.keys.filter { $0 != "copy_not_supported" || KernelRelease.isAtLeast(6, 3) }.sorted())
        func cause(of reason: String) throws {
            let bench = try TestBench()
            let handle = try bench.route(for: Packet(), legs: [bench.leg()])
            let cause = try #require(Self.causes[reason])
            let raised = try cause(bench, handle)
            #expect(raised == [reason: 1])
        }

        @Test("M-17: what came in is forwarded, dropped or passed; copies are sent, refused or undelivered")
        func sums() throws {
            let bench = try TestBench()
            let counter = try bench.thread.run {
                try bench.fastPath.addLegCounter(flow: FlowHandle(slot: 0, generation: 0), number: 1, to: "leg")
            }
            let handle = try bench.route(for: Packet(), legs: [bench.leg(counter: counter)])
            try bench.thread.run { bench.fastPath.describeLeg(counter, flow: handle, number: 1, to: "leg") }
            var random = SeededGenerator(seed: 5)
            var bytes: UInt64 = 0
            for number in 0..<500 {
                var packet = Packet(rtp: RTPPacket(sequence: UInt16(number)))
                packet.rtp?.payload = [UInt8](repeating: 1, count: .random(in: 0...99, using: &random))
                switch Int.random(in: 0..<8, using: &random) {
                case 0: packet.timeToLive = 1
                case 1: packet.rtp?.version = 1
                case 2: packet.destinationPort = 9
                case 3: packet.claimedUDPLength = 3
                default: bytes += UInt64(packet.bytes.count)
                }
                _ = try bench.ingress(packet)
            }
            let input = try bench.portStatistics("in0")
            let output = try bench.portStatistics("out0")
            let flow = try bench.onlyFlow()
            #expect(input.receivedPackets == 500)
            #expect(input.forwardedPackets > 200)
            #expect(input.forwardedPackets == flow.packets)
            #expect(input.forwardedBytes == bytes && flow.bytes == bytes)
            #expect(input.requestedCopies == flow.packets)
            #expect(output.transmittedCopies == flow.packets && output.refusedCopies == 0)
            #expect(flow.legs.map(\.packets) == [flow.packets])
            #expect(flow.legs.map(\.bytes) == [bytes])
        }

        @Test("a copy for an interface that is gone is refused, not sent")
        func interfaceGone() throws {
            let bench = try TestBench()
            let counter = try bench.thread.run {
                try bench.fastPath.addLegCounter(flow: FlowHandle(slot: 0, generation: 0), number: 1, to: "leg")
            }
            let handle = try bench.route(for: Packet(), legs: [bench.leg(counter: counter)])
            try bench.thread.run { bench.fastPath.describeLeg(counter, flow: handle, number: 1, to: "leg") }
            let port = bench.outputs[0]
            try bench.thread.run { bench.fastPath.interfaceGone(port) }
            let outcome = try bench.ingress(Packet())
            #expect(outcome.verdict == .drop)
            // The port is no longer listed: its counters are there all the same.
            let counted = (0..<bench.fastPath.lanes).reduce(UInt64(0)) { sum, processor in
                let index = processor * Int(CROSSPOINT_MAX_PORTS) + Int(port.number)
                return sum
                    + withUnsafeBytes(of: bench.fastPath.reasonCounts[index].pointee.packets) {
                        $0.bindMemory(to: UInt64.self)[Int(CROSSPOINT_COPY_INTERFACE_DOWN.rawValue)]
                    }
            }
            #expect(counted == 1)
            let leg = try #require(try bench.onlyFlow().legs.first)
            #expect(leg.packets == 0 && leg.bytes == 0 && leg.refusedPackets == 1)
        }
    }
}
