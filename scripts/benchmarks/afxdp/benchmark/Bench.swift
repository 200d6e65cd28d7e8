// A node on veth: generator, both engines, a worker in C, sinks.

import AFXDP
import AFXDPReference
import CrosspointShim
import FastPath
import Glibc
import LoadGenerator
import RTPWire
import TestSupport

/// A measurement that could not be made.
struct Failure: Error, CustomStringConvertible {
    var description: String
}

/// The node under test with its generator and sinks, in the process' own namespace.
final class Bench {
    private struct Interface {
        var name: String
        var index: UInt32
        var mac: MACAddress
    }

    /// Ports that copies of a wide fan-out are spread over: a veth's ring holds 256 frames.
    private static let egressPorts = 8
    private static let group = IPAddress(239, 1, 1, 10)

    private let generator: LoadGenerator
    private let fastPath: FastPath
    private let source: Interface
    private let ingress: Interface
    private let egress: [Interface]
    private let sinks: [Interface]
    private let engine: PacketEngine

    init(pins: PinDirectory) throws {
        try Command.run(["ip", "link", "set", "lo", "up"])
        (source, ingress) = try Self.pair("generator", "ingress")
        let pairs = try (0..<Self.egressPorts).map { try Self.pair("egress\($0)", "sink\($0)") }
        egress = pairs.map(\.0)
        sinks = pairs.map(\.1)
        generator = try LoadGenerator()
        fastPath = try FastPath(pins: pins, name: "benchmark")
        try generator.transmit(through: source.index)
        for sink in sinks { try generator.attach(.count, to: sink.index) }
        for port in [ingress] + egress {
            _ = try fastPath.attachPort(name: port.name, interfaceIndex: port.index, mac: port.mac)
        }
        engine = PacketEngine(fastPath: fastPath, settings: EngineSettings(workers: 1))
    }

    private static func pair(_ near: String, _ far: String) throws -> (Interface, Interface) {
        let queues = ["numrxqueues", "1", "numtxqueues", "1"]
        try Command.run(["ip", "link", "add", near] + queues + ["type", "veth", "peer", "name", far] + queues)
        for name in [near, far] {
            try Command.run(["sysctl", "-qw", "net.ipv6.conf.\(name).disable_ipv6=1"])
            try Command.run(["ip", "link", "set", name, "up"])
        }
        return (try interface(near), try interface(far))
    }

    private static func interface(_ name: String) throws -> Interface {
        let words = try Command.run(["ip", "-o", "link", "show", name]).split(separator: " ")
        let index = if_nametoindex(name)
        guard let position = words.firstIndex(of: "link/ether"), index != 0,
            let mac = MACAddress(String(words[position + 1]))
        else { throw SystemFailure("interface \(name)") }
        return Interface(name: name, index: index, mac: mac)
    }

    private func number(_ interface: Interface) throws -> UInt16 {
        guard let port = fastPath.port(named: interface.name) else {
            throw Failure(description: "\(interface.name): not attached")
        }
        return port.number
    }

    /// Sends more than can be carried, and counts what arrives.
    func copiesPerSecond(_ carrier: Carrier, legs: Int, isQuick: Bool) throws -> Double {
        let key = FlowKey(interfaceIndex: ingress.index, destination: Self.group, udpPort: 5004)
        guard let port = fastPath.port(named: ingress.name) else { throw Failure(description: "no ingress port") }
        let handle = try fastPath.installFlow(
            key,
            FlowParameters(
                clockRate: 90_000, packetRate: 260_000, reportsFirstPacket: false,
                engine: carrier == .kernel ? .kernel : .afxdpOnly), port: port,
            label: FlowLabel(route: "benchmark", from: "\(Self.group)", accounting: 0))
        var counters: [UInt32] = []
        let spread = min(legs, Self.egressPorts)
        let records = try (0..<legs).map { leg in
            counters.append(try fastPath.addLegCounter(flow: handle, number: UInt32(leg), to: "sink"))
            let (out, sink) = (egress[leg % spread], sinks[leg % spread])
            return LegParameters(
                port: try number(out), counter: counters[leg], sourceMAC: out.mac, destinationMAC: sink.mac,
                source: IPAddress(10, 1, 0, 1), destination: IPAddress(10, 1, 0, 2), udpPort: UInt16(20_000 + leg))
        }
        try fastPath.setLegs(records, of: handle)
        defer {
            fastPath.drainFlow(handle)
            fastPath.finishDraining(key)
            fastPath.waitForGracePeriod()
            for counter in counters { fastPath.removeLegCounter(counter) }
        }
        let out = Array(egress.prefix(spread))
        switch carrier {
        case .kernel: return try send(carrier, legs: legs, isQuick: isQuick)
        case .afxdp:
            try engine.set(
                try ([ingress] + out).map {
                    EnginePort(
                        number: try number($0), name: $0.name, interfaceIndex: $0.index, queues: 1, mtu: 1500,
                        receives: $0.name == ingress.name, hasZeroCopy: false)
                })
            defer { engine.stop() }
            return try send(carrier, legs: legs, isQuick: isQuick)
        case .c:
            let worker = try ReferenceWorker(fastPath: fastPath, ingress: (ingress.name, try number(ingress)))
            for port in out { try worker.open(port.name, try number(port), receives: false) }
            try worker.start()
            defer { worker.stop() }
            return try send(carrier, legs: legs, isQuick: isQuick)
        }
    }

    private func send(_ carrier: Carrier, legs: Int, isQuick: Bool) throws -> Double {
        var plan = LoadGenerator.Plan(
            destinationMAC: MACAddress(group: Self.group) ?? .zero, sourceMAC: source.mac,
            source: IPAddress(10, 0, 0, 2), destination: Self.group)
        plan.frameLength = 1442
        generator.set(plan)
        guard crosspoint_pin_to_cpu(1) == 0 else { throw SystemFailure("pin to CPU 1") }
        // The worker is awake when the clock starts.
        try generator.send(4096, batch: 16)
        let before = generator.received.packets
        let began = crosspoint_monotonic()
        let packets = carrier == .kernel ? (legs == 64 ? 1 << 16 : legs == 8 ? 1 << 18 : 1 << 21) : 1 << 21
        try generator.send(isQuick ? packets / 2 : packets, batch: legs == 1 ? 64 : legs == 8 ? 64 : 32)
        let elapsed = crosspoint_monotonic() - began
        let arrived = generator.received.packets - before
        if carrier == .kernel {
            // A generator's own pause at either end is not the engine's.
            return generator.packetsPerSecond * Double(legs) * Double(arrived)
                / Double(generator.sent * UInt64(legs) - 4096 * UInt64(legs))
        }
        return Double(arrived) * 1e9 / Double(elapsed)
    }
}

/// The worker in C on a thread of its own.
private final class ReferenceWorker {
    private let fastPath: FastPath
    private let worker: OpaquePointer
    private let port: UInt16
    private let record: UnsafeMutablePointer<crosspoint_socket>
    private let descriptor: CInt
    private let stopped: UnsafeMutablePointer<CInt>
    private var thread = pthread_t()

    init(fastPath: FastPath, ingress: (name: String, number: UInt16)) throws {
        self.fastPath = fastPath
        port = ingress.number
        var tables = reference_tables(fastPath.tables(ofWorker: 0))
        guard let worker = reference_create(&tables, nil, 8192) else {
            throw Failure(description: "no memory for the worker in C")
        }
        self.worker = worker
        record = fastPath.socketRecord(port: port, queue: 0)
        stopped = .allocate(capacity: 1)
        stopped.initialize(to: 0)
        descriptor = Self.open(worker, ingress.name, ingress.number, receives: true, record)
        guard descriptor >= 0 else {
            throw Failure(description: "\(ingress.name): \(String(cString: strerror(-descriptor)))")
        }
    }

    private static func open(
        _ worker: OpaquePointer, _ name: String, _ number: UInt16, receives: Bool,
        _ record: UnsafeMutablePointer<crosspoint_socket>
    ) -> CInt {
        let counters = (UnsafeMutableRawPointer(record) + 16).assumingMemoryBound(to: UInt64.self)
        var result = -EBUSY
        // The kernel gives a queue free some time after the socket before was closed (xp_release_deferred).
        for _ in 0..<200 where result == -EBUSY {
            result = reference_open(worker, name, UInt8(number), receives ? 1 : 0, counters)
            if result == -EBUSY { usleep(5_000) }
        }
        return result
    }

    func open(_ name: String, _ number: UInt16, receives: Bool) throws {
        let result = Self.open(
            worker, name, number, receives: receives, fastPath.socketRecord(port: number, queue: 0))
        guard result >= 0 else { throw Failure(description: "\(name): \(String(cString: strerror(-result)))") }
    }

    func start() throws {
        let error = fastPath.enterSocket(descriptor, port: port, queue: 0)
        guard error == 0 else { throw SystemFailure("enter the socket", error: error) }
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let worker = Unmanaged<ReferenceWorker>.fromOpaque(argument).takeUnretainedValue()
                _ = crosspoint_pin_to_cpu(0)
                let heartbeat = UnsafeMutableRawPointer(worker.record).assumingMemoryBound(to: UInt64.self)
                reference_run(worker.worker, heartbeat, worker.stopped)
                return nil
            }, Unmanaged.passUnretained(self).toOpaque())
        while record.pointee.heartbeat == 0 { usleep(1000) }
    }

    func stop() {
        fastPath.removeSocket(port: port, queue: 0)
        stopped.pointee = 1
        pthread_join(thread, nil)
        record.pointee.heartbeat = 0
        reference_destroy(worker)
        stopped.deallocate()
    }
}
