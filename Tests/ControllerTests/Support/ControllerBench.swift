// A flow controller on a test network, with generator and checking sinks.

import AFXDP
import CrosspointShim
import FastPath
import LoadGenerator
import Logging
import Netlink
import RTPWire
import TestSupport
import Testing

@testable import Routing

/// A running controller. The generator is used by one thread at a time; tests see to it.
final class ControllerBench: @unchecked Sendable {
    let network: TestNetwork
    let folder = PinFolder()
    let directory: TemporaryDirectory
    let store = MemoryDescriptorStore()
    let log = LogLines()
    private let limits: FastPath.Limits
    private let engine: EngineSettings
    /// Counts what the controller asks of the network.
    let questions = NetworkQuestions()
    private var started: FlowController?
    private var running: Task<Void, Never>?
    private var loaded: LoadGenerator?

    static let group = IPAddress(239, 1, 1, 10)

    init(
        egressPorts: Int, limits: FastPath.Limits = FastPath.Limits(flows: 256, legs: 1024),
        cables: TestNetwork.Cables = .veth, engine: EngineSettings = EngineSettings()
    ) async throws {
        network = try TestNetwork(egressPorts: egressPorts, hasAddresses: true, cables: cables)
        directory = try TemporaryDirectory()
        self.limits = limits
        self.engine = engine
        try await network.far.perform { [self] in
            let generator = try LoadGenerator()
            try generator.transmit(through: network.source.index)
            for end in [network.source] + network.sinks { try generator.attach(.check, to: end.index) }
            loaded = generator
        }
        try await start()
    }

    deinit {
        running?.cancel()
        started = nil
        folder.pins.removeAll()
    }

    var controller: FlowController {
        get throws { try #require(started) }
    }

    var generator: LoadGenerator {
        get throws { try #require(loaded) }
    }

    /// Starts a controller, which adopts what an earlier one left.
    func start() async throws {
        let controller = try await network.node.perform {
            [folder, limits, engine, store, directory, log, questions] in
            let fastPath = try FastPath(pins: folder.pins, name: "test", limits: limits)
            return try FlowController(
                fastPath: fastPath, network: CountingNetwork(network: try NetlinkHostNetwork(), questions: questions),
                store: store,
                journal: RouteJournal(directory: "\(directory.path)/routes"), logger: log.logger(),
                keys: KeyPaths(
                    keys: "\(directory.path)/keys", sessionKeys: "\(directory.path)/session-keys",
                    state: "\(directory.path)/state"),
                engine: engine)
        }
        await controller.adopt()
        running = Task { try? await controller.run() }
        started = controller
        // Its events are subscribed to in its first turn.
        try await Task.sleep(for: .milliseconds(50))
    }

    /// Ends the controller as a crash would: nothing is removed.
    func stop() async {
        running?.cancel()
        await running?.value
        running = nil
        started = nil
    }

    /// Sets what the generator sends: flows to UDP ports 5004 and following.
    func plan(flows: Int = 1, source: IPAddress = IPAddress(10, 0, 0, 2), udpPort: UInt16 = 5004) throws {
        var plan = LoadGenerator.Plan(
            destinationMAC: MACAddress(group: Self.group) ?? .zero, sourceMAC: network.source.mac, source: source,
            destination: Self.group)
        plan.flows = flows
        plan.udpPort = udpPort
        try generator.set(plan)
    }

    func send(_ packets: Int, batch: Int = 16) async throws {
        try await network.far.perform { [self] in
            _ = crosspoint_pin_to_cpu(1)
            try generator.send(packets, batch: batch)
        }
    }

    /// Calls the body again and again while packets are sent; how often.
    func send(_ packets: Int, during body: (Int) async throws -> Void) async throws -> Int {
        let isDone = Flag()
        async let sending: Void = {
            defer { isDone.set() }
            try await send(packets)
        }()
        var calls = 0
        while !isDone.isSet {
            try await body(calls)
            calls += 1
        }
        try await sending
        return calls
    }

    /// Frames that found the ring in front of in0 full: lost before the node could see them.
    func generatorRefusals() throws -> UInt64 {
        try network.far.run(["ethtool", "-S", "gen0"]).split(separator: "\n").reduce(0) { sum, line in
            let parts = line.split(separator: ":")
            guard parts.count == 2, parts[0].contains("tx_queue"), parts[0].contains("xdp_xmit_errors") else {
                return sum
            }
            return sum + (UInt64(parts[1].split(separator: " ").joined()) ?? 0)
        }
    }

    func snapshot() throws -> StatisticsSnapshot { try PinnedStatistics(pins: folder.pins).snapshot() }

    /// Statistics of a port, by name.
    func port(_ name: String) throws -> PortStatistics {
        try #require(try snapshot().ports.first { $0.name == name })
    }

    func flow(_ route: String) throws -> FlowStatistics {
        try #require(try snapshot().flows.first { $0.route == route })
    }

    /// Adds a route from a group on in0; the source is `ADDRESS:UDPPORT@INTERFACE…`.
    @discardableResult
    func add(_ name: String, from: String = "239.1.1.10:5004@in0", to legs: [String]) async throws -> RouteReport {
        try await controller.add(try Self.route(name, from: from, to: legs), owner: .operator)
    }

    static func route(_ name: String, from: String = "239.1.1.10:5004@in0", to legs: [String]) throws
        -> RouteSpecification
    {
        RouteSpecification(
            name: name, source: try SourceSpecification(from), legs: try legs.map { try LegSpecification($0) })
    }

    /// The refusal of what should be refused; nil if it was not.
    func refusal(_ body: () async throws -> Void) async -> RoutingError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? RoutingError
        }
    }

    func leg(_ number: UInt32, of route: String) async throws -> LegReport {
        try #require(try await controller.route(route).legs.first { $0.number == number })
    }

    /// Waits until a leg is as wanted.
    func wait(
        forLeg number: UInt32, of route: String, seconds: Int = 20, sourceLocation: SourceLocation = #_sourceLocation,
        _ isWanted: (LegReport) -> Bool
    ) async throws {
        try await eventually(seconds: seconds, sourceLocation: sourceLocation) {
            let leg = try await leg(number, of: route)
            return isWanted(leg)
                ? nil : "leg \(leg.number) of \(route): \(leg.state) \(leg.reason ?? "") \(leg.nextHop ?? "")"
        }
    }

    /// Has a sink expect what a leg to its number's UDP port must look like: `.2` of the egress network, or a group.
    func expect(
        _ number: Int, egress: Int, flow: UInt32 = 0, to destination: IPAddress? = nil, mac: MACAddress? = nil,
        sinkIndex: UInt32? = nil
    ) throws {
        let destination = destination ?? IPAddress(10, 1, UInt8(egress), 2)
        var expected = SinkDestination(
            destinationMAC: mac ?? MACAddress(group: destination) ?? network.sinks[egress].mac,
            sourceMAC: network.egress[egress].mac, source: IPAddress(10, 1, UInt8(egress), 1),
            destination: destination, interfaceIndex: sinkIndex ?? network.sinks[egress].index)
        expected.flow = flow
        try generator.expect(expected, at: number)
    }

    /// The text of the leg that `expect` expects.
    static func leg(_ number: Int, egress: Int, to destination: String? = nil) -> String {
        "\(destination ?? "10.1.\(egress).2"):\(20_000 + number)@out\(egress)"
    }

    /// Expects that a leg's copies all came, right and in order.
    func expectComplete(
        _ numbers: some Sequence<Int>, packets: UInt64, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for number in numbers {
            let result = try generator.result(at: number)
            #expect(
                result.bad == 0 && result.missing == 0 && result.outOfOrder == 0 && result.good == packets,
                "leg to \(number): \(result)", sourceLocation: sourceLocation)
        }
    }
}
