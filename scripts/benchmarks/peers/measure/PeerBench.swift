// The bench on which peers take turns: cables, addresses, generator and sinks, the same for all.

import FastPath
import Foundation
import Netlink
import Qualification
import RTPWire
import TestSupport

/// The figures of one peer.
struct PeerFigures: Codable {
    /// The largest rate without loss that was found, packets per second that come in.
    var packetsPerSecond: Double
    /// The rate at which the rest was measured.
    var load: Double
    /// Copies that were missing there.
    var lost: Int64
    /// Processor time, of the node alone, for each Gb/s that went out, in parts of one processor.
    var processorPerGigabit: Double
    /// Nanoseconds more than without a node.
    var addedP50: Double
    var addedP99: Double
}

/// A peer that does not do what it is asked.
struct PeerFailure: Error, CustomStringConvertible {
    var description: String
}

/// Interfaces in this process's own network: `in0` and `out0` to `out7` are the node's.
final class PeerBench: Sendable {
    static let egressPorts = 8
    static let address = IPAddress(198, 18, 0, 1)
    static let group = IPAddress(239, 1, 1, 10)
    static let udpPort: UInt16 = 5004

    let network: NetlinkHostNetwork
    let cables: TestCables
    let generator: PacedGenerator
    /// The processor of the generator and of everything that forwards in the kernel, and the processor of programs.
    let processor: UInt32
    let programProcessor: UInt32
    let frameLength = 1442
    let seconds: Double
    /// The script that instructs rtpengine to forward.
    let driver: String

    init(processor: UInt32, programProcessor: UInt32, seconds: Double, driver: String) throws {
        self.processor = processor
        self.programProcessor = programProcessor
        self.seconds = seconds
        self.driver = driver
        network = try NetlinkHostNetwork()
        cables = try TestCables(virtualWithEgressPorts: Self.egressPorts, network: network)
        generator = try PacedGenerator()
        for sink in cables.sinks { try generator.attach(.count, to: sink.index) }
        if let direct = cables.direct { try generator.attach(.measure, to: direct.far.index) }
        try Self.run("ip link set lo up", "ip address add \(Self.address)/15 dev in0")
        // Without GRO the kernel does not poll, and takes no redirected frames.
        try Self.run("ethtool -K in0 gro on")
        for (number, sink) in cables.sinks.enumerated() {
            try Self.run("ip address add 10.1.\(number).1/24 dev out\(number)")
            for host in 10..<18 {
                try Self.run(
                    "ip neighbour replace 10.1.\(number).\(host) lladdr \(sink.mac) nud permanent dev out\(number)")
            }
        }
        try Self.run(
            "sysctl -qw net.ipv4.conf.all.rp_filter=0", "sysctl -qw net.ipv4.ip_forward=1",
            "sysctl -qw net.ipv4.conf.all.forwarding=1", "sysctl -qw net.ipv4.conf.in0.forwarding=1")
    }

    /// Runs commands, whose words have no spaces in them.
    static func run(_ commands: String...) throws {
        for command in commands { try Command.run(command.split(separator: " ").map(String.init)) }
    }

    /// The destination of a leg: spread over the egress ports.
    static func leg(_ number: Int) -> (port: Int, address: String, udpPort: Int) {
        (number % egressPorts, "10.1.\(number % egressPorts).\(10 + number / egressPorts)", 20_000 + number)
    }

    /// A plan of packets at the given rate to the peer.
    func plan(rate: Double, legs: Int, peer: RunningPeer?) -> TrafficPlan {
        let direct = peer == nil ? cables.direct : nil
        let target = peer?.target ?? (address: Self.address, udpPort: NodeUnderTest.firstLegUDPPort)
        let format = MediaFormat(
            name: "peers", summary: "", frameLength: frameLength, packetRate: ExactRate(UInt64(max(1, rate))))
        var plan = TrafficPlan(
            format: format, flows: 1, seconds: seconds,
            destinationMAC: MACAddress(group: target.address) ?? direct?.far.mac ?? cables.ingress.mac,
            sourceMAC: direct?.near.mac ?? cables.generator.mac, source: NodeUnderTest.source,
            destination: target.address)
        plan.udpPort = target.udpPort
        plan.batch = TestCables.batch(forLegs: legs)
        plan.quantum = min(8, max(1, Int(rate / 250_000)))
        return plan
    }

    /// Sends, and returns the result.
    func send(_ plan: TrafficPlan, past: Bool = false, settle: Int = 20) async throws -> TrialResult {
        let outlet = past ? cables.direct?.near : cables.generator
        try generator.transmit(through: (outlet ?? cables.generator).index)
        return try await PinnedThread.run(cpu: processor) { [generator] in try generator.run(plan, settle: settle) }
    }

    /// The largest rate at which not one copy is missing, packets per second.
    func largestRate(_ peer: RunningPeer, legs: Int, guess: Double) async throws -> Double {
        var search = ZeroLossSearch(
            guess: Int(guess / 1000), limit: 20_000, resolution: 0.03, maximumTrials: 16)
        while case .attempt(let thousands) = search.next {
            let result = try await send(plan(rate: Double(thousands) * 1000, legs: legs, peer: peer))
            search.record(thousands, succeeded: result.isWithoutLoss(legs: legs))
        }
        guard case .done(let thousands) = search.next else { return 0 }
        return Double(thousands) * 1000
    }

    /// Everything about a peer that runs.
    func figures(_ peer: RunningPeer, legs: Int, guess: Double, load wanted: Double) async throws -> PeerFigures {
        // A peer may need a moment, and its first packets, to begin.
        var first = try await send(plan(rate: 5000, legs: legs, peer: peer))
        for _ in 0..<10 where !first.isWithoutLoss(legs: legs) {
            first = try await send(plan(rate: 5000, legs: legs, peer: peer))
        }
        guard first.isWithoutLoss(legs: legs) else {
            throw PeerFailure(
                description:
                    "does not forward: of \(first.sent) packets at 5 kpkt/s, \(first.sent * UInt64(legs)) copies "
                    + "were to arrive, and \(first.arrived) did")
        }
        let largest = try await largestRate(peer, legs: legs, guess: guess)
        guard largest > 0 else {
            throw PeerFailure(description: "loses packets at every rate that was tried, though not at 5 kpkt/s")
        }
        let load = min(wanted, (largest * 0.8).rounded())
        var plan = plan(rate: load, legs: legs, peer: peer)
        plan.isStamped = true
        plan.batch = min(4, plan.batch)
        plan.quantum = 1
        plan.seconds = max(1, seconds)
        for sink in cables.sinks { try generator.attach(.measure, to: sink.index) }
        let result = try await send(plan)
        for sink in cables.sinks { try generator.attach(.count, to: sink.index) }
        var past = self.plan(rate: load, legs: 1, peer: nil)
        (past.isStamped, past.batch, past.quantum, past.seconds) = (true, plan.batch, 1, plan.seconds)
        let direct = try await send(past, past: true)
        var busy = max(0, direct.idle - result.idle)
        if peer.isProgram, processor != programProcessor {
            // All of it: a program that polls works as much while nothing comes, and has the processor for itself.
            busy += work(result)
        }
        let gigabits = load * Double(legs) * Double((frameLength + MediaFormat.wireOverhead) * 8) / 1e9
        return PeerFigures(
            packetsPerSecond: largest, load: load,
            lost: Int64(result.sent) * Int64(legs) - Int64(result.arrived), processorPerGigabit: busy / gigabits,
            addedP50: Double(result.latency.percentile(0.5)) - Double(direct.latency.percentile(0.5)),
            addedP99: Double(result.latency.percentile(0.99)) - Double(direct.latency.percentile(0.99)))
    }

    /// The work of the processor of programs.
    private func work(_ result: TrialResult) -> Double {
        let number = Int(programProcessor)
        return number < result.processors.count ? result.processors[number].busy : 0
    }
}
