// What came in equals what went out and what was dropped, with every reason named.

import FastPath
import LoadGenerator
import Testing

/// The sums over all ports and flows of a bench, after a load.
struct Sums {
    /// Copies that the kernel left out before any program of ours saw them: their interface was down or too narrow.
    var skipped: Int64
    /// Copies that a driver refused.
    var refused: UInt64
    /// Copies that left.
    var arrived: UInt64
    var text: String

    /// Reads the sums and expects every one to agree. `sent` is what the generator sent in all.
    ///
    /// Legs keep their counters in these tests, even those that are taken out, so that theirs can be summed up too.
    ///
    /// - Parameter farEndsFell: how often a sink's end was taken down, which throws away what is in its ring: a loss
    ///   behind the wire, where no counter of the node can see it.
    @discardableResult
    static func expectAgreement(
        _ bench: LoadBench, farEndsFell: Int = 0, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Sums {
        let snapshot = try bench.snapshot()
        let generator = try bench.generator
        let (sent, arrived) = (generator.sent, generator.received.packets)
        let ingress = try #require(snapshot.ports.first { $0.name == "in0" })
        func sum(_ value: (PortStatistics) -> UInt64) -> UInt64 { snapshot.ports.reduce(0) { $0 + value($1) } }
        let dropped = ingress.dropped.values.reduce(0, +)
        let passed = ingress.passed.values.reduce(0, +)
        #expect(ingress.receivedPackets == sent, "every packet reached the port", sourceLocation: sourceLocation)
        #expect(
            ingress.receivedPackets == ingress.forwardedPackets + dropped + passed, sourceLocation: sourceLocation)
        let matched = snapshot.flows.reduce(0) { $0 + $1.packets }
        #expect(
            matched == ingress.forwardedPackets + (ingress.dropped["drop_no_leg"] ?? 0), "flows and ports agree",
            sourceLocation: sourceLocation)
        let requested = sum(\.requestedCopies)
        let (transmitted, refused) = (sum(\.transmittedCopies), sum(\.refusedCopies))
        let ours = ["copy_gated", "copy_no_worker", "copy_no_leg", "copy_rewrite_failed"]
        let undelivered = sum { port in ours.reduce(0) { $0 + (port.undelivered[$1] ?? 0) } }
        let skipped = Int64(requested) - Int64(transmitted) - Int64(undelivered)
        let legs = snapshot.flows.flatMap(\.legs).reduce(0) { $0 + $1.packets + $1.refusedPackets }
        let text =
            "sent \(sent), copies asked for \(requested), sent \(transmitted), refused \(refused), "
            + "undelivered \(undelivered), skipped \(skipped), arrived \(arrived), legs' \(legs)"
        #expect(skipped >= 0, "\(text)", sourceLocation: sourceLocation)
        #expect(transmitted == legs, "ports and legs agree: \(text)", sourceLocation: sourceLocation)
        let behindTheWire = Int64(transmitted) - Int64(refused) - Int64(arrived)
        #expect(
            behindTheWire >= 0 && behindTheWire <= 256 * farEndsFell, "sinks and ports agree: \(text)",
            sourceLocation: sourceLocation)
        #expect(generator.strays == 0, "copies for nobody: \(text)", sourceLocation: sourceLocation)
        return Sums(skipped: skipped, refused: refused, arrived: arrived, text: text)
    }
}

extension LoadBench {
    /// Expects that no sink saw a copy with another leg's header.
    func expectNoForeignHeader(_ legs: [TestLeg], sourceLocation: SourceLocation = #_sourceLocation) throws {
        for leg in legs {
            let result = try generator.result(at: leg.number)
            #expect(
                result.bad == 0, "leg \(leg): \(result.bad) bad copies, the first \(result.firstBad)",
                sourceLocation: sourceLocation)
            #expect(result.outOfOrder == 0, "leg \(leg)", sourceLocation: sourceLocation)
        }
    }

    /// Expects that the legs missed nothing, and have what was sent.
    func expectComplete(
        _ legs: [TestLeg], packets: UInt64, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try expectNoForeignHeader(legs, sourceLocation: sourceLocation)
        for leg in legs {
            let result = try generator.result(at: leg.number)
            #expect(result.missing == 0, "leg \(leg)", sourceLocation: sourceLocation)
            #expect(result.good == packets, "leg \(leg)", sourceLocation: sourceLocation)
        }
    }
}
