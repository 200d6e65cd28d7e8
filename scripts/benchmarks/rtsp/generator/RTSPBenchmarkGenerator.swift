// Traffic that flows through a node while sessions come and go: a generator at a steady rate, and sinks that check every copy.

import ArgumentParser
import CrosspointShim
import FastPath
import Foundation
import Glibc
import LoadGenerator
import RTPWire

/// The packets that were sent and that arrived, as JSON has them.
struct Report: Encodable {
    var sent: UInt64
    var packetsPerSecond: Double
    /// For each sink: copies that were as they must be, copies that were not, and copies that came twice or late.
    var good: [UInt64]
    var bad: [UInt64]
    var outOfOrder: [UInt64]
    /// Copies that should have come, that did not come between those that did, and that nobody expects.
    var expected: UInt64
    var missing: UInt64
    var strays: UInt64
}

@main
struct RTSPBenchmarkGenerator: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rtsp-benchmark-generator",
        abstract:
            "Send one flow to a node at a steady rate, in the network namespace of the caller, and check the copies.",
        discussion: """
            Packets go to 239.1.1.10:5004 from 10.9.0.2 in bursts of 25 ms and more. Copies are expected at sink number N (from 1) \
            from 10.9.N.1 to 10.9.N.2, UDP port 20000 + N, with the addresses 02:00:00:00:0N:01 and 02:00:00:00:0N:02. \
            Of several flows, number N (from 0) goes to UDP port 5004 + N, and one copy is expected at sink 1 + N modulo their number, \
            UDP port 20001 + N; of every 16th, another at the next sink, UDP port 24097 + N. They are reported together. Flow 1 may have copies at the \
            last sink, UDP port 28000, for as long as it likes. \
            Prints `sending`, and in the end one line of JSON.
            """)

    @Option(help: "The interface that leads to the node.") var generator = "gen0"
    @Option(help: "The interfaces that copies arrive at.") var sink: [String]
    @Option(help: "Flows, a power of two up to 4096.") var flows = 1
    @Option(help: "Packets per second.") var rate = 1_000_000
    @Option(help: "For how long.") var seconds = 5.0
    @Option(help: "The CPU that sends.") var cpu = 1

    func run() throws {
        guard crosspoint_pin_to_cpu(UInt32(cpu)) == 0 else { throw ValidationError("no CPU \(cpu)") }
        let load = try LoadGenerator()
        try load.transmit(through: try index(generator))
        guard flows.nonzeroBitCount == 1, flows <= 4096 else {
            throw ValidationError("--flows: not a power of two to 4096")
        }
        for (number, name) in zip(1..., sink) {
            try load.attach(.check, to: try index(name))
            if flows == 1 { load.expect(try destination(number, name), at: number) }
        }
        let copies = flows == 1 ? [] : (0..<flows).flatMap(copies(ofFlow:))
        for copy in copies {
            var expected = try destination(copy.sink + 1, sink[copy.sink])
            expected.flow = UInt32(copy.flow)
            load.expect(expected, at: copy.number)
        }
        if flows > 1 {
            var occasional = try destination(sink.count, sink[sink.count - 1])
            occasional.flow = 1
            load.expect(occasional, at: Self.occasional)
        }
        guard let group = MACAddress(group: IPAddress(239, 1, 1, 10)), let own = MACAddress("02:00:00:00:00:02") else {
            throw ValidationError("an address is wrong")
        }
        var plan = LoadGenerator.Plan(
            destinationMAC: group, sourceMAC: own, source: IPAddress(10, 9, 0, 2), destination: IPAddress(239, 1, 1, 10)
        )
        plan.flows = flows
        load.set(plan)
        print("sending")
        fflush(nil)
        let began = ContinuousClock.now
        while began.duration(to: .now) < .seconds(seconds) {
            // A call takes tens of milliseconds before and after its packets; what was owed meanwhile goes in one burst.
            let owed = Int(began.duration(to: .now) / .seconds(1) * Double(rate)) - Int(load.sent)
            if owed < rate / 40 {
                Thread.sleep(forTimeInterval: 0.005)
            } else {
                // Whole rounds, so that every flow has as many.
                try load.send(min(owed, rate / 4) / flows * flows)
            }
        }
        let elapsed = began.duration(to: .now) / .seconds(1)
        Thread.sleep(forTimeInterval: 0.2)
        let results = flows == 1 ? (1...sink.count).map { load.result(at: $0) } : [sum(copies, of: load)]
        let perRound = UInt64(flows == 1 ? sink.count : copies.count)
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let report = Report(
            sent: load.sent, packetsPerSecond: Double(load.sent) / elapsed, good: results.map(\.good),
            bad: results.map(\.bad) + (flows == 1 ? [] : [occasionalBad(of: load)]),
            outOfOrder: results.map(\.outOfOrder),
            expected: load.sent / UInt64(flows) * perRound, missing: results.reduce(0) { $0 + $1.missing },
            strays: load.strays)
        print(String(decoding: try encoder.encode(report), as: UTF8.self))
    }

    /// The destination that has copies now and then.
    private static let occasional = 8000

    private struct Copy {
        var flow: Int
        var sink: Int
        var number: Int
    }

    /// The copies of one of several flows.
    private func copies(ofFlow flow: Int) -> [Copy] {
        let first = Copy(flow: flow, sink: flow % sink.count, number: flow + 1)
        return flow % 16 == 0 ? [first, Copy(flow: flow, sink: (flow + 1) % sink.count, number: 4097 + flow)] : [first]
    }

    private func sum(_ copies: [Copy], of load: LoadGenerator) -> SinkResult {
        copies.reduce(into: SinkResult(good: 0, bad: 0, missing: 0, outOfOrder: 0, firstBad: [])) { sum, copy in
            let result = load.result(at: copy.number)
            sum.good += result.good
            sum.bad += result.bad
            sum.missing += result.missing
            sum.outOfOrder += result.outOfOrder
        }
    }

    /// Copies of the destination that has some now and then which are not as they must be: however many there are, and what is
    /// missing between them, is nobody's fault.
    private func occasionalBad(of load: LoadGenerator) -> UInt64 { load.result(at: Self.occasional).bad }

    private func index(_ name: String) throws -> UInt32 {
        let index = if_nametoindex(name)
        guard index != 0 else { throw ValidationError("there is no interface \(name) here") }
        return index
    }

    private func destination(_ number: Int, _ name: String) throws -> SinkDestination {
        guard let near = MACAddress("02:00:00:00:0\(number):01"), let far = MACAddress("02:00:00:00:0\(number):02")
        else {
            throw ValidationError("more than nine sinks")
        }
        return SinkDestination(
            destinationMAC: far, sourceMAC: near, source: IPAddress(10, 9, UInt8(number), 1),
            destination: IPAddress(10, 9, UInt8(number), 2), interfaceIndex: try index(name))
    }
}
