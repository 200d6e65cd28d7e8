// The fast path without its controller, with generator and checking sinks: for tests of packets under load.

import BPFPrograms
import CrosspointShim
import FastPath
import Glibc
import LoadGenerator
import RTPWire
import TestSupport
import Testing

/// A fast path on a test network. Each part is used by one thread at a time; tests see to it.
final class LoadBench: @unchecked Sendable {
    let network: TestNetwork
    let folder = PinFolder()
    private(set) var opened: FastPath?
    private var loaded: LoadGenerator?

    static let group = IPAddress(239, 1, 1, 10)
    static let sender = IPAddress(10, 0, 0, 2)

    init(egressPorts: Int, cables: TestNetwork.Cables = .veth) async throws {
        network = try TestNetwork(egressPorts: egressPorts, cables: cables)
        try await network.far.perform { [self] in
            let generator = try LoadGenerator()
            try generator.transmit(through: network.source.index)
            // The generator's end is a sink too: legs may leave by the ingress interface.
            for end in [network.source] + network.sinks { try generator.attach(.check, to: end.index) }
            loaded = generator
        }
        try await open()
    }

    deinit {
        opened = nil
        folder.pins.removeAll()
    }

    var fastPath: FastPath {
        get throws { try #require(opened) }
    }

    var generator: LoadGenerator {
        get throws { try #require(loaded) }
    }

    /// Opens the fast path, or adopts what is pinned, and attaches every port.
    func open(_ object: BPFObject = .crosspoint) async throws {
        try await network.node.perform { [self] in
            let limits = FastPath.Limits(flows: 256, legs: 1024)
            let fastPath = try FastPath(pins: folder.pins, name: "test", limits: limits, object: object)
            for interface in [network.ingress] + network.egress {
                _ = try fastPath.attachPort(
                    name: interface.name, interfaceIndex: interface.index, mac: interface.mac)
            }
            opened = fastPath
        }
    }

    /// Lets go of the fast path; its pins stay.
    func drop() { opened = nil }

    /// The key of the generator's flow with the given number.
    func key(_ flow: Int) -> FlowKey {
        FlowKey(interfaceIndex: network.ingress.index, destination: Self.group, udpPort: 5004 + UInt16(flow))
    }

    func installFlow(_ number: Int) throws -> FlowHandle {
        let fastPath = try fastPath
        let port = try #require(fastPath.port(named: "in0"))
        return try fastPath.installFlow(
            key(number), FlowParameters(clockRate: 90_000, packetRate: 260_000, reportsFirstPacket: false), port: port,
            label: FlowLabel(route: "flow\(number)", from: "\(Self.group)", accounting: 0))
    }

    /// Sets what the generator sends: flows 0 to `flows` - 1.
    func plan(flows: Int, sequence: UInt16 = 0, frameLength: Int = 1442) throws {
        var plan = LoadGenerator.Plan(
            destinationMAC: MACAddress(group: Self.group) ?? .zero, sourceMAC: network.source.mac, source: Self.sender,
            destination: Self.group)
        plan.flows = flows
        plan.frameLength = frameLength
        try generator.set(plan, sequence: sequence)
    }

    /// Sends on a thread of its own, kept on one CPU: a generator that wanders would outrun the rings behind it.
    func send(_ packets: Int, batch: Int = 16) async throws {
        try await network.far.perform { [self] in
            _ = crosspoint_pin_to_cpu(1)
            try generator.send(packets, batch: batch)
        }
    }

    /// Calls each body again and again, each on a thread in the node's namespace, while packets are sent; how often.
    @discardableResult
    func send(
        _ packets: Int, batch: Int = 16, during bodies: (@Sendable (Int) throws -> Void)...
    ) async throws -> [Int] {
        let isDone = Flag()
        return try await withThrowingTaskGroup(of: (Int, Int).self) { [network] group in
            for (number, body) in bodies.enumerated() {
                group.addTask {
                    try await network.node.perform {
                        var calls = 0
                        while !isDone.isSet {
                            try body(calls)
                            calls += 1
                        }
                        return (number, calls)
                    }
                }
            }
            defer { isDone.set() }
            try await send(packets, batch: batch)
            isDone.set()
            var calls = [Int](repeating: 0, count: bodies.count)
            for try await (number, count) in group { calls[number] = count }
            return calls
        }
    }

    func snapshot() throws -> StatisticsSnapshot { try PinnedStatistics(pins: folder.pins).snapshot() }
}
