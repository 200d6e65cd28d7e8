// A leg that differs from every other in each header field, and what its sink must see.

import FastPath
import LoadGenerator
import RTPWire
import TestSupport

/// A leg by its number: everything in its headers follows from it.
struct TestLeg: Hashable, Sendable {
    /// The sink's destination number, and what all header fields are made from.
    var number: Int
    /// Which egress port it leaves by; nil: back out of the ingress interface.
    var egress: Int?
    /// The generator's flow.
    var flow = 0

    private var vlans: [UInt16] {
        switch number % 3 {
        case 1: [UInt16(100 + number % 1000)]
        case 2: [UInt16(100 + number % 1000), UInt16(2000 + number % 1000)]
        default: []
        }
    }

    private var destinationMAC: MACAddress { Self.mac(0xa0, number) }
    private var sourceMAC: MACAddress { Self.mac(0xb0, number) }
    private var destination: IPAddress { IPAddress(10, 9, UInt8(number >> 8), UInt8(number & 0xff)) }
    private var source: IPAddress { IPAddress(10, 8, UInt8(number >> 8), UInt8(number & 0xff)) }
    private var timeToLive: UInt8? { number % 4 == 0 ? nil : UInt8(10 + number % 200) }
    private var dscp: UInt8? { number % 5 == 0 ? nil : UInt8(number % 64) }

    private static func mac(_ kind: UInt8, _ number: Int) -> MACAddress {
        MACAddress(bytes: [2, kind, 0, 0, UInt8(number >> 8), UInt8(number & 0xff)]) ?? .zero
    }

    /// The leg for the fast path, with the counter that it has.
    func parameters(_ bench: LoadBench, counter: UInt32) throws -> LegParameters {
        let name = egress.map { bench.network.egress[$0].name } ?? bench.network.ingress.name
        guard let port = try bench.fastPath.port(named: name) else { throw SystemFailure("port \(name)", error: 19) }
        return LegParameters(
            port: port.number, counter: counter, sourceMAC: sourceMAC, destinationMAC: destinationMAC, vlans: vlans,
            source: source, destination: destination, udpPort: SinkDestination.firstUDPPort + UInt16(number),
            timeToLive: timeToLive.map { .set($0) } ?? .decrement, dscp: dscp)
    }

    /// Takes a counter for the leg, has its sink expect it, and gives its parameters.
    func install(_ bench: LoadBench, of flow: FlowHandle) throws -> LegParameters {
        try expect(bench)
        let counter = try bench.fastPath.addLegCounter(
            flow: flow, number: UInt32(number), to: "\(destination):\(number)")
        return try parameters(bench, counter: counter)
    }

    /// Has the sink expect the leg's copies, at the interface with the given index if it is not the one at the start.
    func expect(_ bench: LoadBench, at interfaceIndex: UInt32? = nil) throws {
        var expected = SinkDestination(
            destinationMAC: destinationMAC, sourceMAC: sourceMAC, source: source, destination: destination,
            interfaceIndex: interfaceIndex ?? egress.map { bench.network.sinks[$0].index } ?? bench.network.source.index
        )
        expected.vlans = vlans
        expected.flow = UInt32(flow)
        expected.timeToLive = timeToLive ?? 63
        expected.trafficClass = (dscp ?? 0) << 2
        try bench.generator.expect(expected, at: number)
    }
}
