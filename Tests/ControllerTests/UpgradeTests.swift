// The fast path under another process, and under another version of its programs, while packets flow.

import BPFPrograms
import FastPath
import LoadGenerator
import TestSupport
import Testing

extension NodeFastPathTests {
    @Suite struct Upgrades {
        /// Lets go of the fast path and opens it again, over and over, while packets flow; how often.
        private func reopen(
            _ bench: LoadBench, packets: Int, object: @escaping @Sendable (Int) -> BPFObject
        ) async throws -> Int {
            let isDone = Flag()
            async let reopened = Task {
                var count = 0
                while !isDone.isSet {
                    bench.drop()
                    try await bench.open(object(count))
                    count += 1
                }
                return count
            }.value
            do {
                try await bench.send(packets)
            } catch {
                isDone.set()
                throw error
            }
            isDone.set()
            return try await reopened
        }

        @Test func adoptionLosesNothingAndFindsEverything() async throws {
            let bench = try await LegBench.make()
            let shapes = try bench.pinned("shapes")
            let count = try await reopen(bench, packets: 1_500_000) { _ in .crosspoint }
            #expect(count > 0)
            #expect(try bench.fastPath.origin == .adopted)
            try LegBench.expectNothingLost(bench)
            // The legs go on under the same counters and the same shape; a change finds both.
            let flow = try #require(bench.fastPath.findFlow(bench.key(0), where: { $0 == "flow0" }))
            try await bench.network.node.perform {
                let legs = try bench.snapshot().flows.first { $0.route == "flow0" }?.legs ?? []
                #expect(legs.map(\.leg) == LegBench.legs.map { UInt32($0.number) })
                let fastPath = try bench.fastPath
                let counters = (0..<UInt32(1024)).compactMap { counter in
                    fastPath.legNumber(ofCounter: counter).map { (number: Int($0), counter: counter) }
                }
                #expect(Set(counters.map(\.number)) == Set(LegBench.all.map(\.number)))
                let parameters = try LegBench.legs.map { leg in
                    let counter = try #require(counters.first { $0.number == leg.number }).counter
                    return try leg.parameters(bench, counter: counter)
                }
                try bench.fastPath.setLegs(parameters, of: flow)
            }
            #expect(try bench.pinned("shapes") == shapes)
            try await bench.send(100_000)
            try LegBench.expectNothingLost(bench)
            print("adoption: \(count) times under load, nothing lost")
        }

        @Test func anUpgradeLosesNothingAndKeepsTheCounters() async throws {
            let bench = try await LegBench.make()
            let before = try bench.snapshot().programVersion
            let count = try await reopen(bench, packets: 1_500_000) { call in
                BPFObject(.crosspoint, version: "test-\(call)")
            }
            #expect(count > 0)
            let previous = count > 1 ? "test-\(count - 2)" : before
            #expect(try bench.fastPath.origin == .upgraded(from: previous))
            #expect(try bench.snapshot().programVersion == "test-\(count - 1)")
            try LegBench.expectNothingLost(bench)
            // The driver's refusals are still seen by the tracepoints that came with the last version.
            try bench.network.far.run(["ip", "link", "set", "sink1", "down"])
            try await bench.send(10_000)
            let sums = try Sums.expectAgreement(bench, farEndsFell: 1)
            #expect(sums.refused > 0)
            try bench.expectNoForeignHeader(LegBench.all)
            print("upgrade: \(count) times under load, nothing lost")
        }

        @Test func nobodyElsesNamespaceIsTaken() async throws {
            let bench = try await LegBench.make()
            bench.drop()
            let pins = bench.folder.pins
            let message = try await bench.network.far.perform { () -> String in
                do {
                    _ = try FastPath(pins: pins, name: "elsewhere")
                    return "opened"
                } catch {
                    return "\(error)"
                }
            }
            #expect(message.contains("belongs to another network namespace"))
        }
    }
}

extension LoadBench {
    /// The names of what is pinned in a folder.
    func pinned(_ kind: String) throws -> [String] {
        try Command.run(["ls", "\(folder.pins.ownGeneration.path)/\(kind)"]).split(separator: "\n").map(String.init)
    }
}
