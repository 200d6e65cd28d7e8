// Has an engine send the cases of conformance, and compares what two have sent.

import FastPath
import TestSupport
import Testing

/// Both engines over the same packets and legs.
enum Conformance {
    /// What one engine sends: by case, sorted.
    private static func outcome(
        _ bench: EngineBench, _ cases: [ConformanceCase], _ engine: FlowParameters.Engine, legs: Int, together: Bool
    ) async throws -> [[[UInt8]]] {
        var (frames, flows): ([[UInt8]], [FlowHandle]) = ([], [])
        for (number, one) in cases.enumerated() {
            let records = try (0..<legs).map { index in
                var leg = try bench.leg(
                    one.destination, egress: index % 2, udpPort: UInt16(20_000 + 8 * number + index))
                one.change(&leg)
                if index > 0 { leg.dscp = UInt8(index) }
                return leg
            }
            // The kernel does not copy long frames: each leg has a flow and a packet of its own then.
            for (index, set) in (together ? [records] : records.map { [$0] }).enumerated() {
                var packet = one.packet
                packet.destinationPort = UInt16(10_000 + 8 * number + index)
                flows.append(try bench.route(for: packet, engine: engine, legs: set))
                frames.append(packet.bytes)
            }
        }
        let captured = try await bench.capture {
            try await bench.send(frames)
            return cases.count * legs
        }
        let counts = try bench.snapshot().flows.map { flow in (flow.engine, flow.legs.map(\.packets)) }
        #expect(counts.allSatisfy { $0.0 == (engine == .kernel ? "kernel" : "afxdp") })
        #expect(counts.allSatisfy { $0.1.allSatisfy { $0 == 1 } }, "\(counts)")
        try bench.remove(flows)
        var sorted = [[[UInt8]]](repeating: [], count: cases.count)
        for frame in captured.joined() {
            let port = try #require(ParsedFrame(frame)).destinationPort
            sorted[Int(port - 20_000) / 8].append(frame)
        }
        return sorted.map { $0.sorted { $0.lexicographicallyPrecedes($1) } }
    }

    /// Expects that both engines send the same for every case: the kernel engine first, then the bench's other engine, which is started.
    /// With `together` false, each leg has a flow of its own in the kernel engine.
    static func check(
        _ bench: EngineBench, _ cases: [ConformanceCase], legs: Int, mtu: Int, together: Bool = true,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let kernel = try await outcome(bench, cases, .kernel, legs: legs, together: together)
        try bench.start(mtu: mtu)
        let afxdp = try await outcome(bench, cases, .afxdp, legs: legs, together: true)
        for (number, one) in cases.enumerated() {
            #expect(kernel[number].count == legs, "\(one.name)", sourceLocation: sourceLocation)
            #expect(kernel[number] == afxdp[number], "\(one.name)", sourceLocation: sourceLocation)
        }
    }
}
