// Both engines over the same packets and legs: every frame that leaves is the same, byte for byte.

import AFXDP
import FastPath
import TestSupport
import Testing

extension NodeFastPathTests {
    @Suite("Conformance of both engines") struct EngineConformance {
        @Test(arguments: [1, 3]) func sendTheSame(legs: Int) async throws {
            let bench = try await EngineBench(mtu: 1600)
            try await Conformance.check(bench, ConformanceCase.single, legs: legs, mtu: 1600)
        }

        @Test(arguments: [FlowParameters.Engine.kernel, .afxdp])
        func dropTheSameByName(engine: FlowParameters.Engine) async throws {
            let bench = try await EngineBench(mtu: 1600)
            if engine == .afxdp { try bench.start(mtu: 1600) }
            let sound = Packet()
            let leg = try bench.leg("10.2.0.5", egress: 0, udpPort: 20_000)
            _ = try bench.route(for: sound, engine: engine, legs: [leg])
            var unsound = [Packet](repeating: sound, count: 3)
            unsound[0].source = "127.0.0.1"
            unsound[1].destinationMAC = "ff:ff:ff:ff:ff:ff"
            unsound[2].headerChecksumError = 1
            var disguised = Packet.ipv6(source: "::ffff:10.1.0.7", destination: "::ffff:239.1.1.10")
            disguised.destinationMAC = sound.destinationMAC
            let frames = (unsound + [disguised, sound]).map(\.bytes)
            let captured = try await bench.capture {
                try await bench.send(frames)
                return 1
            }
            #expect(captured.joined().count == 1)
            let flow = try #require(try bench.snapshot().flows.first)
            #expect(flow.engine == (engine == .kernel ? "kernel" : "afxdp") && flow.packets == 1)
            let dropped = try #require(try bench.snapshot().ports.first { $0.name == "in0" }).dropped
            #expect(
                dropped.filter { $0.value != 0 } == [
                    "drop_martian_source": 1, "drop_wrong_mac": 1, "drop_bad_header_checksum": 1,
                    "drop_mapped_address": 1,
                ])
        }

        @Test(
            .enabled(
                if: KernelRelease.isAtLeast(6, 6), "AF_XDP has no frames of several buffers before Linux 6.6"),
            arguments: [EngineSettings.PayloadSharing.never, .always])
        func sendTheSameJumboFrames(sharing: EngineSettings.PayloadSharing) async throws {
            let bench = try await EngineBench(settings: EngineSettings(payloadSharing: sharing), mtu: 9100)
            try await Conformance.check(bench, ConformanceCase.jumbo, legs: 3, mtu: 9100, together: false)
        }
    }
}
