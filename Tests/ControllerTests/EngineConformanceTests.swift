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
