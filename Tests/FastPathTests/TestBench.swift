// The fast path of one test: loaded, pinned and attached in a namespace of its own.

import BPFPrograms
import CrosspointShim
import Glibc
import RTPWire
import Synchronization
import TestSupport
import Testing

@testable import FastPath

/// A node with the ports `in0`, `out0` and `out1`, to which frames are given one at a time.
///
/// IPv6 is off in its namespace and no port has an address, so that nothing but the test's frames is counted.
final class TestBench {
    /// What became of one frame.
    struct Outcome {
        var verdict: TestRunResult.Verdict
        /// The frame afterwards, with the metadata in front of it if the program wrote any.
        var frame: [UInt8]
        /// What it was counted as, summed over all ports.
        var reasons: [String: UInt64]
    }

    let namespace: NetworkNamespace
    let thread: NamespaceThread
    let pins: PinDirectory
    /// The folder of the tables, below it.
    var tables: PinDirectory { pins.ownGeneration }
    let fastPath: FastPath
    let input: Port
    let outputs: [Port]
    private let statistics: PinnedStatistics
    private var routes = 0
    private static let count = Atomic<Int>(0)

    init(limits: FastPath.Limits = .init(flows: 256, legs: 1024)) throws {
        let number = Self.count.add(1, ordering: .relaxed).newValue
        namespace = try NetworkNamespace("fastpath")
        try namespace.setSysctl("net.ipv6.conf.default.disable_ipv6", 1)
        for (index, name) in ["in0", "out0", "out1"].enumerated() {
            try namespace.addVeth(
                VethEnd(name, mac: "02:00:00:00:0\(index):01"), to: VethEnd("\(name)-peer"), in: namespace)
        }
        let thread = try NamespaceThread(in: namespace)
        let pins = PinDirectory(path: "/sys/fs/bpf/crosspoint-\(getpid())-fastpath-\(number)")
        self.thread = thread
        self.pins = pins
        do {
            // What belongs to one packet happens on one CPU, as in the kernel's own receive loop.
            guard try thread.run({ crosspoint_pin_to_cpu(0) }) == 0 else { throw SystemFailure("pin to CPU 0") }
            fastPath = try thread.run { try FastPath(pins: pins, name: "bench", limits: limits) }
            let fastPath = fastPath
            func attach(_ name: String, _ mac: String) throws -> Port {
                try thread.run {
                    let mac = try #require(MACAddress(mac))
                    return try fastPath.attachPort(name: name, interfaceIndex: if_nametoindex(name), mac: mac)
                }
            }
            input = try attach("in0", "02:00:00:00:00:01")
            outputs = [try attach("out0", "02:00:00:00:01:01"), try attach("out1", "02:00:00:00:02:01")]
            statistics = try PinnedStatistics(pins: pins)
        } catch {
            pins.removeAll()
            throw error
        }
    }

    deinit {
        pins.removeAll()
        namespace.close()
    }

    /// The input's interface index.
    var interface: UInt32 { input.interfaceIndex ?? 0 }

    /// A key that `packet` matches on the input port, whatever its source.
    func key(for packet: Packet) throws -> FlowKey {
        FlowKey(
            interfaceIndex: interface, vlans: packet.tags.map { $0.control & 0xfff },
            destination: try #require(IPAddress(packet.destination)), udpPort: packet.destinationPort)
    }

    /// RTP that takes the short way from its first packet on.
    static let plain = FlowParameters(clockRate: 90_000, reportsFirstPacket: false)

    /// Installs a flow with the given legs.
    @discardableResult
    func route(
        _ key: FlowKey, _ parameters: FlowParameters = TestBench.plain, legs: [LegParameters] = []
    ) throws -> FlowHandle {
        routes += 1
        let label = FlowLabel(route: "route\(routes)", from: "test", accounting: 0)
        return try thread.run {
            let handle = try fastPath.installFlow(key, parameters, port: input, label: label)
            try fastPath.setLegs(legs, of: handle)
            return handle
        }
    }

    /// A route for `packet`.
    @discardableResult
    func route(
        for packet: Packet, _ parameters: FlowParameters = TestBench.plain, legs: [LegParameters] = []
    ) throws -> FlowHandle {
        try route(key(for: packet), parameters, legs: legs)
    }

    /// A leg to `destination`, a group or `10.2.0.5`, out of the output of the given number.
    func leg(_ destination: String = "10.2.0.5", output: Int = 0, counter: UInt32 = 0) throws -> LegParameters {
        let address = try #require(IPAddress(destination))
        let source = destination.contains(":") ? "2001:db8:2::1" : "10.2.0.1"
        return LegParameters(
            port: outputs[output].number, counter: counter, sourceMAC: outputs[output].mac,
            destinationMAC: try #require(MACAddress(group: address) ?? MACAddress("02:00:00:00:0a:05")),
            source: IPAddress(source), destination: address, udpPort: 6004)
    }

    /// Gives the ingress program a frame as if it came in by the input port.
    func ingress(_ frame: [UInt8]) throws -> Outcome {
        try counted { try fastPath.runIngress(frame: frame, interfaceIndex: interface) }
    }

    func ingress(_ packet: Packet) throws -> Outcome { try ingress(packet.bytes) }

    /// Runs `body` on the namespace's thread and tells which reasons it raised.
    func counted(_ body: () throws -> TestRunResult) throws -> Outcome {
        let before = try reasons()
        let result = try thread.run(body)
        let after = try reasons()
        let raised = after.merging(before) { $0 - $1 }.filter { $0.value != 0 }
        return Outcome(verdict: result.verdict, frame: result.frame, reasons: raised)
    }

    /// All reasons counted so far, over all ports.
    func reasons() throws -> [String: UInt64] {
        try snapshot().ports.reduce(into: [:]) { sum, port in
            for counts in [port.passed, port.dropped, port.undelivered] { sum.merge(counts, uniquingKeysWith: +) }
        }
    }

    func snapshot() throws -> StatisticsSnapshot { try thread.run { try statistics.snapshot() } }

    /// What the only flow has counted.
    func onlyFlow() throws -> FlowStatistics {
        let flows = try snapshot().flows
        #expect(flows.count == 1)
        return try #require(flows.first)
    }

    func portStatistics(_ name: String) throws -> PortStatistics {
        try #require(try snapshot().ports.first { $0.name == name })
    }
}

extension Packet {
    /// The packet as `leg` should send it: said once more, independently of the code under test.
    func sent(by leg: LegParameters) -> Packet {
        var packet = self
        packet.trailer = []
        packet.sourceMAC = leg.sourceMAC.description
        packet.destinationMAC = leg.destinationMAC.description
        packet.tags = leg.vlans.enumerated().map { index, identifier in
            Tag(identifier, protocolNumber: leg.vlans.count == 2 && index == 0 ? 0x88a8 : 0x8100)
        }
        packet.source = leg.source?.description ?? source
        packet.destination = leg.destination.description
        packet.sourcePort = leg.sourceUDPPort ?? sourcePort
        packet.destinationPort = leg.udpPort
        switch leg.timeToLive {
        case .decrement: packet.timeToLive -= 1
        case .keep: break
        case .set(let value): packet.timeToLive = value
        }
        if let dscp = leg.dscp { packet.trafficClass = trafficClass & 3 | dscp << 2 }
        if let payloadType = leg.payloadType { packet.rtp?.payloadType = payloadType }
        if let ssrc = leg.ssrc { packet.rtp?.ssrc = ssrc }
        packet.rtp?.sequence &+= leg.sequenceOffset
        packet.rtp?.timestamp &+= leg.timestampOffset
        return packet
    }
}
