// The AF_XDP engine with packets under way: moves, failures, and what falls back to the kernel engine.

import CrosspointShim
import Dispatch
import FastPath
import Glibc
import LoadGenerator
import TestSupport
import Testing

@testable import AFXDP

extension NodeFastPathTests {
    @Suite("AF_XDP engine with packets") struct EngineLoad {
        private static let legs: [TestLeg] = [
            .init(number: 1, egress: 0), .init(number: 2, egress: 1), .init(number: 3, egress: 0),
            .init(number: 4, egress: nil), .init(number: 5, egress: 1),
        ]

        @Test(arguments: [1, 5])
        func sendsEveryCopy(legs: Int) async throws {
            let rig = try await EngineRig(egressPorts: 2, legs: Array(Self.legs.prefix(legs)))
            try rig.use(.afxdp)
            for _ in 0..<20 {
                try await rig.bench.send(EngineRig.burst)
                try await rig.waitUntilSent()
            }
            try rig.expectComplete(inOrder: true)
            #expect(try rig.statistics().engine == "afxdp")
            try Sums.expectAgreement(rig.bench)
            let sockets = try rig.sockets()
            #expect(sockets.count == 3 && sockets.allSatisfy { $0.mode == "copy" })
            let received = sockets.reduce(0) { $0 + ($1.counters["rx_packets"] ?? 0) }
            #expect(received == UInt64(20 * EngineRig.burst), "they went through the worker")
        }

        @Test func movesBetweenEnginesLoseAndDuplicateNothing() async throws {
            let rig = try await EngineRig(egressPorts: 2, legs: Self.legs)
            var moves = 0
            for _ in 0..<40 {
                moves += try await rig.bench.send(
                    EngineRig.burst, during: { call in try rig.use(call % 2 == 0 ? .afxdp : .kernel) })[0]
                try await rig.waitUntilSent()
            }
            #expect(moves > 100)
            try rig.expectComplete(inOrder: false)
            let received = try rig.sockets().reduce(0) { $0 + ($1.counters["rx_packets"] ?? 0) }
            #expect(received > 0 && received < UInt64(40 * EngineRig.burst), "both engines had packets: \(received)")
        }

        @Test func socketsThatComeAndGoLoseNothing() async throws {
            let rig = try await EngineRig(egressPorts: 2, legs: Self.legs)
            try rig.use(.afxdp)
            var changes = 0
            for _ in 0..<20 {
                changes += try await rig.bench.send(
                    EngineRig.burst,
                    during: { call in
                        if call % 2 == 0 { rig.engine.stop() } else { try rig.engine.set(try rig.ports()) }
                    })[0]
                try await rig.waitUntilSent()
            }
            #expect(changes > 10)
            try rig.expectComplete(inOrder: false)
        }

        @Test func aWorkerThatHangsIsGoneRound() async throws {
            let rig = try await EngineRig(egressPorts: 2, legs: Self.legs)
            try rig.use(.afxdp)
            let release = DispatchSemaphore(value: 0)
            let isHung = DispatchSemaphore(value: 0)
            let hung = Thread {
                rig.engine.occupyWorker(0) {
                    isHung.signal(); release.wait()
                }
            }
            hung.start()
            isHung.wait()
            defer { release.signal() }
            try await eventually { try rig.statistics().engine == "kernel" ? nil : "it still counts as alive" }
            #expect(try rig.statistics().engineReason.contains("no AF_XDP worker"))
            try await rig.bench.send(EngineRig.burst)
            try await rig.waitUntilSent()
            // What must not leave as it is waits for the worker, and is dropped with a name.
            try rig.use(.afxdpOnly)
            #expect(try rig.statistics().engine == "none")
            let before = try rig.bench.generator.sent
            try await rig.bench.send(100)
            try await eventually {
                let dropped = try rig.bench.snapshot().ports.first { $0.name == "in0" }?.dropped["drop_no_worker"]
                return dropped == 100 ? nil : "\(dropped ?? 0) dropped"
            }
            #expect(try rig.bench.generator.result(at: 1).good == before)
            release.signal()
            try await eventually { try rig.statistics().engine == "afxdp" ? nil : "it is not back" }
            try await rig.bench.send(EngineRig.burst)
            try await eventually {
                let good = try rig.bench.generator.result(at: 1).good
                return good == before + UInt64(EngineRig.burst) ? nil : "\(good)"
            }
        }

        @Test func whatAWorkerCannotTakeIsCounted() async throws {
            let rig = try await EngineRig(egressPorts: 2, legs: Self.legs)
            try rig.use(.afxdp)
            let (release, isHung) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            Thread {
                rig.engine.occupyWorker(0) {
                    isHung.signal(); release.wait()
                }
            }.start()
            isHung.wait()
            defer { release.signal() }
            // Ingress goes on giving it packets: its heart beats far ahead of the clock.
            let port = try #require(try rig.bench.fastPath.port(named: "in0")).number
            try rig.bench.fastPath.socketRecord(port: port, queue: 0).pointee.heartbeat = crosspoint_monotonic() * 2
            try await rig.bench.send(8192)
            func busy() throws -> UInt64 {
                try rig.bench.snapshot().ports.first { $0.name == "in0" }?.undelivered["copy_worker_busy"] ?? 0
            }
            let lost = try busy()
            #expect(lost > 4096 && lost < 8192, "\(lost)")
            release.signal()
            try await eventually {
                let good = try Self.legs.map { try rig.bench.generator.result(at: $0.number).good }
                return good.allSatisfy { $0 == 8192 - lost } ? nil : "\(good), \(lost) lost"
            }
            #expect(try busy() == lost)
        }

        @Test func manyLegs() async throws {
            let legs = (1...512).map { TestLeg(number: $0, egress: $0 % 2) }
            let rig = try await EngineRig(egressPorts: 2, legs: legs)
            try rig.use(.afxdp)
            for _ in 0..<4 {
                try await rig.bench.send(32)
                try await rig.waitUntilSent()
            }
            try rig.expectComplete(inOrder: true)
        }

        @Test func aLinkThatIsDownCostsOnlyItsOwnLegs() async throws {
            let rig = try await EngineRig(egressPorts: 2, legs: Self.legs)
            try rig.use(.afxdp)
            try await rig.bench.send(64)
            try await rig.waitUntilSent()
            try rig.bench.network.node.run(["ip", "link", "set", "out0", "down"])
            try await rig.bench.send(EngineRig.burst)
            let first = UInt64(64), down = UInt64(EngineRig.burst)
            try await eventually {
                let undelivered = try rig.bench.snapshot().ports.first { $0.name == "out0" }?.undelivered ?? [:]
                let missing = ["copy_interface_down", "copy_refused"].reduce(0) { $0 + (undelivered[$1] ?? 0) }
                return missing == 2 * down ? nil : "\(undelivered)"
            }
            try rig.bench.network.node.run(["ip", "link", "set", "out0", "up"])
            try rig.bench.network.node.waitUntilRunning("out0")
            try await rig.bench.send(64)
            try await eventually {
                let good = try Self.legs.map { try rig.bench.generator.result(at: $0.number).good }
                let wanted = Self.legs.map { $0.egress == 0 ? 2 * first : 2 * first + down }
                return good == wanted ? nil : "\(good) instead of \(wanted)"
            }
            // Nothing old came out of the ring, and statistics have each leg's own.
            for leg in Self.legs { #expect(try rig.bench.generator.result(at: leg.number).bad == 0) }
            let refused = try rig.statistics().legs.reduce(0) { $0 + $1.refusedPackets }
            #expect(refused == 2 * down)
        }

        @Test func aTakenQueueIsAnErrorThatDisturbsNobody() async throws {
            let rig = try await EngineRig(egressPorts: 2, legs: Self.legs)
            try rig.use(.afxdp)
            let other = OtherEngine(try rig.bench.fastPath, EngineSettings(frames: 1024))
            let refusal = try await rig.bench.network.node.perform { () -> EngineError? in
                other.refusal([try rig.ports()[1]])
            }
            #expect(
                refusal?.message.contains("another program has one there") == true, "\(String(describing: refusal))")
            try await rig.bench.send(EngineRig.burst)
            try await rig.waitUntilSent()
            try rig.expectComplete(inOrder: true)
        }

        @Test func aDriverWithoutZeroCopyIsAnErrorWhereItIsAskedFor() async throws {
            let rig = try await EngineRig(egressPorts: 1, legs: [.init(number: 1, egress: 0)])
            rig.engine.stop()
            let strict = OtherEngine(try rig.bench.fastPath, EngineSettings(frames: 1024, mode: .zeroCopy))
            let refusal = try await rig.bench.network.node.perform { () -> EngineError? in
                strict.refusal(try rig.ports())
            }
            #expect(refusal?.message.contains("does not support zero-copy;") == true, "\(String(describing: refusal))")
            #expect(refusal?.message.contains("MTU") == false, "the remedy is another one where frames fit")
        }
    }
}

/// An engine beside the rig's. Used by one thread at a time.
private final class OtherEngine: @unchecked Sendable {
    private let engine: PacketEngine

    init(_ fastPath: FastPath, _ settings: EngineSettings) {
        engine = PacketEngine(fastPath: fastPath, settings: settings)
    }

    /// Why it does not work at the ports.
    func refusal(_ ports: [EnginePort]) -> EngineError? {
        do throws(EngineError) {
            try engine.set(ports)
            return nil
        } catch {
            return error
        }
    }
}

/// A thread that runs one closure.
private struct Thread {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    func start() { DispatchQueue.global().async(execute: body) }
}
