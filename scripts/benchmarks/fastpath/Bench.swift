// Sets the node up for a case, sends, and counts at the sinks.

import BPFPrograms
import FastPath
import Glibc
import LoadGenerator
import RTPWire
import TestSupport

/// A run whose figure means nothing.
struct VoidRun: Error, CustomStringConvertible {
    var description: String
}

/// The node under test with its generator and sinks.
final class Bench {
    let topology: Topology
    let generator: LoadGenerator
    private(set) var fastPath: FastPath
    private let pins: PinDirectory
    private let limits: FastPath.Limits
    /// The time that the last case's flows took to install and to remove, with their legs.
    private(set) var installation = Duration.zero
    private(set) var removal = Duration.zero
    static let source = IPAddress(10, 0, 0, 2)
    static let group = IPAddress(239, 1, 1, 10)
    static let ingressAddress = IPAddress(10, 0, 0, 1)

    init(pins: PinDirectory, limits: FastPath.Limits = FastPath.Limits()) throws {
        self.pins = pins
        self.limits = limits
        topology = try Topology(egressPorts: 9)
        generator = try LoadGenerator()
        fastPath = try FastPath(pins: pins, name: "benchmark", limits: limits)
        try generator.transmit(through: topology.generator.index)
        for sink in topology.sinks { try generator.attach(.count, to: sink.index) }
        try attachEgress()
        try setUpKernelNAT()
    }

    /// Makes all tables again. The assignment of their pages to sets of the cache is decided when they are made, and is
    /// worth several hundredths of a figure with thousands of flows: each round has its own luck, and the median none.
    func renewTables(_ object: BPFObject = .crosspoint) throws {
        pins.removeAll()
        fastPath = try FastPath(pins: pins, name: "benchmark", limits: limits, object: object)
        try attachEgress()
    }

    private func attachEgress() throws {
        for port in topology.egress {
            _ = try fastPath.attachPort(name: port.name, interfaceIndex: port.index, mac: port.mac)
        }
    }

    /// Everything that forwarding by the kernel needs; it is in nobody's way while a program is on the ingress port.
    private func setUpKernelNAT() throws {
        try Command.run(["ip", "address", "add", "\(Self.ingressAddress)/24", "dev", topology.ingress.name])
        try Command.run(["ip", "address", "add", "10.1.0.1/24", "dev", topology.egress[0].name])
        try Command.run([
            "ip", "neighbour", "add", "10.1.0.2", "lladdr", "\(topology.sinks[0].mac)", "dev", topology.egress[0].name,
        ])
        try Command.run([
            "ip", "neighbour", "add", "\(Self.source)", "lladdr", "\(topology.generator.mac)", "dev",
            topology.ingress.name,
        ])
        for setting in ["net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0"] {
            try Command.run(["sysctl", "-qw", setting])
        }
        // Without GRO the ingress end takes no redirected frames while no program is on it.
        try Command.run(["ethtool", "-K", topology.ingress.name, "gro", "on"])
        try Command.run([
            "nft",
            "add table ip benchmark; add chain ip benchmark prerouting { type nat hook prerouting priority -100; }; "
                + "add rule ip benchmark prerouting udp dport 5004 dnat to 10.1.0.2:6004",
        ])
    }

    /// Runs one turn of a case; packets per second at the ingress port, all copies arrived.
    func turn(_ what: Case, packets: Int) throws -> Double {
        let undo = try setUp(what)
        defer { undo() }
        var plan = LoadGenerator.Plan(
            destinationMAC: what == .kernelNAT ? topology.ingress.mac : MACAddress(group: Self.group) ?? .zero,
            sourceMAC: topology.generator.mac, source: Self.source,
            destination: what == .kernelNAT ? Self.ingressAddress : Self.group)
        plan.flows = what.flows
        generator.set(plan)
        let before = generator.received.packets
        try generator.send(packets, batch: what.batch)
        let arrived = generator.received.packets - before
        let expected = generator.sent * UInt64(what.legs)
        guard arrived == expected else {
            throw VoidRun(description: "\(what.name): \(expected) copies were asked for, \(arrived) arrived")
        }
        return generator.packetsPerSecond
    }

    /// Millions of packets per second of one turn. One more try: a stray packet in a sink is void, and not the figure's
    /// fault.
    func rate(of what: Case, packets: Int, void: (VoidRun) -> Void) throws -> Double {
        do {
            return try turn(what, packets: packets) / 1e6
        } catch let run as VoidRun {
            void(run)
            return try turn(what, packets: packets) / 1e6
        }
    }

    private func setUp(_ what: Case) throws -> () -> Void {
        switch what {
        case .kernelNAT:
            return {}
        case .bare, .fanoutBare, .fanoutEmpty:
            let copies = (0..<what.legs).map { topology.egress[what.egressPort(ofLeg: $0)].index }
            let bare = try LoadGenerator()
            let callsEgress = if case .fanoutEmpty = what { true } else { false }
            try bare.attachBareRedirect(to: topology.ingress.index, copies: copies, callsEgress: callsEgress)
            return { bare.detachAll() }
        default:
            let port = try fastPath.attachPort(
                name: topology.ingress.name, interfaceIndex: topology.ingress.index, mac: topology.ingress.mac)
            var flows: [(FlowHandle, [UInt32], FlowKey)] = []
            installation = try ContinuousClock().measure {
                for number in 0..<what.flows {
                    flows.append(try install(what, number * what.order % what.flows, port: port))
                }
            }
            return { [self] in
                removal = ContinuousClock().measure {
                    for (handle, counters, key) in flows {
                        fastPath.drainFlow(handle)
                        fastPath.finishDraining(key)
                        counters.forEach(fastPath.removeLegCounter)
                    }
                    fastPath.waitForGracePeriod()
                }
                fastPath.detachPort(port)
            }
        }
    }

    private func install(
        _ what: Case, _ number: Int, port: Port
    ) throws -> (FlowHandle, [UInt32], FlowKey) {
        guard let parameters = what.parameters else { throw VoidRun(description: "\(what.name): no flow") }
        let key = FlowKey(
            interfaceIndex: topology.ingress.index, destination: Self.group,
            udpPort: 5004 &+ UInt16(truncatingIfNeeded: number))
        let handle = try fastPath.installFlow(
            key, parameters, port: port,
            label: FlowLabel(route: "benchmark-\(number)", from: "\(Self.group)", accounting: 0))
        let legs = try (0..<what.legs).map { try leg(what, $0, of: handle) }
        try fastPath.setLegs(legs, of: handle)
        return (handle, legs.map(\.counter), key)
    }

    private func leg(_ what: Case, _ number: Int, of flow: FlowHandle) throws -> LegParameters {
        let egress = topology.egress[what.egressPort(ofLeg: number)]
        guard let port = fastPath.port(named: egress.name) else {
            throw VoidRun(description: "\(egress.name): not attached")
        }
        let destination = IPAddress(10, 1, UInt8(number % what.egressPorts), 2)
        return LegParameters(
            port: port.number,
            counter: try fastPath.addLegCounter(flow: flow, number: UInt32(number), to: "\(destination)"),
            sourceMAC: egress.mac, destinationMAC: topology.sinks[what.egressPort(ofLeg: number)].mac,
            source: IPAddress(10, 1, UInt8(number % what.egressPorts), 1), destination: destination,
            udpPort: 20_000 + UInt16(number))
    }

    /// The time that the ingress program itself takes for a packet of a flow with one leg, by an ordinary test run: ns.
    ///
    /// The program sees its own output again, so the leg changes nothing that the flow is matched by, and only the
    /// sequence number, to the next one.
    func programCost(_ what: Case) throws -> Double {
        guard let parameters = what.parameters else { return 0 }
        let port = try fastPath.attachPort(
            name: topology.ingress.name, interfaceIndex: topology.ingress.index, mac: topology.ingress.mac)
        let key = FlowKey(interfaceIndex: topology.ingress.index, destination: Self.group, udpPort: 5004)
        let handle = try fastPath.installFlow(
            key, parameters, port: port, label: FlowLabel(route: "cost", from: "\(Self.group)", accounting: 0))
        let counter = try fastPath.addLegCounter(flow: handle, number: 1, to: "itself")
        guard let egress = fastPath.port(named: topology.egress[8].name), let mac = MACAddress(group: Self.group) else {
            throw VoidRun(description: "no egress port")
        }
        let leg = LegParameters(
            port: egress.number, counter: counter, sourceMAC: topology.generator.mac, destinationMAC: mac,
            source: Self.source, destination: Self.group, udpPort: 5004, timeToLive: .keep,
            sequenceOffset: 1)
        try fastPath.setLegs([leg], of: handle)
        defer {
            fastPath.drainFlow(handle)
            fastPath.finishDraining(key)
            fastPath.waitForGracePeriod()
            fastPath.removeLegCounter(counter)
            fastPath.detachPort(port)
        }
        let plan = LoadGenerator.Plan(
            destinationMAC: mac, sourceMAC: topology.generator.mac, source: Self.source, destination: Self.group)
        return try fastPath.costOfIngress(
            frame: LoadGenerator.frame(plan), interfaceIndex: topology.ingress.index, runs: 2_000_000)
    }
}
