// A node with both engines and no generator: single frames in, captures out.

import AFXDP
import FastPath
import Glibc
import RTPWire
import TestSupport
import Testing

/// A fast path and an AF_XDP engine at `in0`, `out0` and `out1`, whose far ends are captured.
final class EngineBench: @unchecked Sendable {
    let network: TestNetwork
    let folder = PinFolder()
    let thread: NamespaceThread
    private let directory: TemporaryDirectory
    private(set) var fastPath: FastPath
    let engine: PacketEngine
    private var routes = 0

    private let cables: TestNetwork.Cables

    init(
        settings: EngineSettings = EngineSettings(), mtu: Int = 1500, cables: TestNetwork.Cables = .veth
    ) async throws {
        let network = try TestNetwork(egressPorts: 2, cables: cables)
        self.network = network
        self.cables = cables
        for (namespace, interfaces) in [
            (network.node, [network.ingress] + network.egress), (network.far, [network.source] + network.sinks),
        ] {
            for interface in interfaces {
                try namespace.run(["ip", "link", "set", interface.name, "mtu", "\(mtu)"])
            }
        }
        let thread = try NamespaceThread(in: network.node)
        self.thread = thread
        directory = try TemporaryDirectory()
        let folder = folder
        let fastPath = try thread.run {
            let fastPath = try FastPath(
                pins: folder.pins, name: "test", limits: FastPath.Limits(flows: 256, legs: 2048))
            for interface in [network.ingress] + network.egress {
                _ = try fastPath.attachPort(name: interface.name, interfaceIndex: interface.index, mac: interface.mac)
            }
            return fastPath
        }
        self.fastPath = fastPath
        engine = PacketEngine(fastPath: fastPath, settings: settings)
    }

    deinit {
        let engine = engine
        try? thread.run { engine.stop() }
        folder.pins.removeAll()
    }

    /// The ports as the engine is told of them.
    func ports(mtu: Int = 1500, receiving: Set<String> = ["in0"]) throws -> [EnginePort] {
        try ([network.ingress] + network.egress).map { interface in
            EnginePort(
                number: try #require(fastPath.port(named: interface.name)).number, name: interface.name,
                interfaceIndex: interface.index, queues: cables.queues, mtu: mtu,
                receives: receiving.contains(interface.name), hasZeroCopy: cables.haveZeroCopy,
                sendsWhenPolled: cables == .veth)
        }
    }

    func start(mtu: Int = 1500) throws {
        let ports = try ports(mtu: mtu)
        try thread.run { try engine.set(ports) }
    }

    /// Installs a flow for a packet, with the given legs.
    func route(
        for packet: Packet, engine: FlowParameters.Engine, legs: [LegParameters]
    ) throws -> FlowHandle {
        routes += 1
        let key = FlowKey(
            interfaceIndex: network.ingress.index, vlans: packet.tags.map { $0.control & 0xfff },
            destination: try #require(IPAddress(packet.destination)), udpPort: packet.destinationPort)
        let port = try #require(fastPath.port(named: "in0"))
        let label = FlowLabel(route: "route\(routes)", from: "test", accounting: 0)
        return try thread.run {
            let handle = try fastPath.installFlow(
                key, FlowParameters(clockRate: 90_000, reportsFirstPacket: false, engine: engine), port: port,
                label: label)
            var numbered = legs
            for index in numbered.indices {
                numbered[index].counter = try fastPath.addLegCounter(
                    flow: handle, number: UInt32(index + 1), to: "\(numbered[index].udpPort)")
            }
            try fastPath.setLegs(numbered, of: handle)
            return handle
        }
    }

    func remove(_ handles: [FlowHandle]) throws {
        try thread.run {
            for handle in handles { fastPath.removeFlow(handle) }
            fastPath.waitForGracePeriod()
            fastPath.removeLegCounters(except: [])
        }
    }

    func leg(_ destination: String, egress: Int, udpPort: UInt16) throws -> LegParameters {
        let address = try #require(IPAddress(destination))
        let source = destination.contains(":") ? "2001:db8:2::1" : "10.2.0.1"
        return LegParameters(
            port: try #require(fastPath.port(named: network.egress[egress].name)).number, counter: 0,
            sourceMAC: network.egress[egress].mac,
            destinationMAC: try #require(MACAddress(group: address) ?? MACAddress("02:00:00:00:0a:05")),
            source: IPAddress(source), destination: address, udpPort: udpPort)
    }

    /// Sends frames as they are, one after the other, through the generator's end.
    func send(_ frames: [[UInt8]]) async throws {
        let index = network.source.index
        try await network.far.perform {
            for frame in frames { try RawFrame.send(frame, through: index) }
        }
    }

    func snapshot() throws -> StatisticsSnapshot {
        try thread.run { try PinnedStatistics(pins: folder.pins).snapshot() }
    }

    /// Captures what arrives at both sinks while the body runs, until there are as many frames as it says.
    func capture(_ body: () async throws -> Int) async throws -> [[[UInt8]]] {
        let files = (0..<2).map { "\(directory.path)/sink\($0).pcap" }
        var captures: [Command] = []
        for (number, file) in files.enumerated() {
            unlink(file)
            let tcpdump = try network.far.start([
                "tcpdump", "-i", "sink\(number)", "-n", "-U", "-s", "0", "--immediate-mode", "-w", file, "udp or vlan",
            ])
            try tcpdump.waitForOutput(containing: "listening on")
            captures.append(tcpdump)
        }
        let wanted = try await body()
        func read() -> [[[UInt8]]] {
            files.map { file in ((try? CaptureFile(path: file))?.records ?? []).map(\.bytes) }
        }
        try await eventually(seconds: 20) {
            let count = read().reduce(0) { $0 + $1.count }
            return count >= wanted ? nil : "\(count) of \(wanted) frames arrived"
        }
        for capture in captures {
            capture.signal(SIGINT)
            _ = try? capture.finish(checked: false)
        }
        return read()
    }
}
