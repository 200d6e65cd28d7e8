// Programs that a node does not run as they are, as a test can run them over the maps of a bench.

import BPFPrograms
import CrosspointShim
import TestSupport

@testable import FastPath

/// `egress_under_test` and `ingress_long` of `bpf/crosspoint.bpf.c`, loaded over the pinned maps of a bench.
///
/// The kernel does not test-run devmap programs, so that the interface is given as if the copy came in by it.
final class EgressBench {
    private let bench: TestBench
    private let loaded: LoadedObject
    let program: Descriptor
    /// The long way through ingress, which packets take here whether they are plain or not.
    let ingressLong: Descriptor

    init(_ bench: TestBench) throws {
        self.bench = bench
        let node = bench.fastPath.node[0].pointee
        let sizes = LoadedObject.Sizes(
            processors: Int(node.lane_count - node.worker_lanes), workers: Int(node.worker_lanes),
            flowSlots: Int(node.flow_slots), flows: Int(node.flows),
            legSlots: Int(node.leg_slots),
            groupSlots: Int(node.group_slots), legCounters: Int(node.leg_counters))
        let pins = bench.tables
        loaded = try bench.thread.run {
            try LoadedObject(.crosspoint, sizes: sizes) { (name) throws(FastPathError) in try pins.open(.maps, name) }
        }
        program = try loaded.program("egress_under_test")
        ingressLong = try loaded.program("ingress_long")
    }

    /// Gives the program a frame that ingress has left, as a copy that leaves by an output.
    func run(_ frame: [UInt8], output: Int) throws -> TestBench.Outcome {
        let interface = bench.outputs[output].interfaceIndex ?? 0
        return try bench.counted {
            try bench.fastPath.run(program, frame: frame, interfaceIndex: interface)
        }
    }
}
