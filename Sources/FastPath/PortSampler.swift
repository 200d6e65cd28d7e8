// Samples of what arrives at a port, taken by the ingress program (bpf/scan.h).

import CrosspointShim
import Glibc

/// A frame that arrived at the port, as far as its headers go.
public struct FrameSample: Sendable {
    /// The packets that it is one of.
    public var weight: UInt32
    /// The length of the frame in bytes, without FCS.
    public var length: UInt32
    /// The frame's first bytes, 112 at most, from the Ethernet header on.
    public var bytes: [UInt8]

    public init(weight: UInt32, length: UInt32, bytes: [UInt8]) {
        self.weight = weight
        self.length = length
        self.bytes = bytes
    }
}

/// Samples one port at a time.
///
/// Nothing is loaded, attached or pinned for it: the ingress program of every port has the look in it, switched off. A process that ends
/// without `end()` leaves a scan that ends by itself within a second.
public struct PortSampler: Sendable {
    /// The time for which the programs go on without a collection, in nanoseconds.
    public static let patience: UInt64 = 1_000_000_000
    /// Samples of one CPU that a collection should find.
    private static let wanted: UInt64 = 384

    private let lanes: MappedArray<crosspoint_scan_lane>
    private let samples: MappedArray<crosspoint_scan_sample>
    /// The samples of each CPU that were read, modulo 2^32.
    private var read: [UInt32]

    init(lanes: MappedArray<crosspoint_scan_lane>, samples: MappedArray<crosspoint_scan_sample>) {
        self.lanes = lanes
        self.samples = samples
        read = Array(repeating: 0, count: lanes.count)
    }

    /// Begins to look at the packets of an interface, and at those of no other any more. The programs go on until `deadline`
    /// (CLOCK_MONOTONIC, nanoseconds), or until the one of the next collection.
    public mutating func begin(interfaceIndex: UInt32, deadline: UInt64) {
        end()
        for cpu in 0..<lanes.count {
            let lane = lanes[cpu]
            read[cpu] = lane.pointee.taken
            lane.pointee.limit = lane.pointee.taken &+ UInt32(CROSSPOINT_SCAN_SAMPLES)
            lane.pointee.stride = 1
            lane.pointee.waiting = 0
            lane.pointee.deadline = deadline
            lane.pointee.interface_index = interfaceIndex
            start(lane)
        }
    }

    /// Takes the samples since the last collection, and chooses the stride by the packets that there were. To be called
    /// many times a second.
    public mutating func collect(deadline: UInt64, _ body: (FrameSample) -> Void) {
        for cpu in 0..<lanes.count {
            let lane = lanes[cpu]
            let taken = lane.pointee.taken
            var packets: UInt64 = 0
            for number in 0..<min(taken &- read[cpu], UInt32(CROSSPOINT_SCAN_SAMPLES)) {
                let place = (read[cpu] &+ number) % UInt32(CROSSPOINT_SCAN_SAMPLES)
                let sample = samples[cpu * Int(CROSSPOINT_SCAN_SAMPLES) + Int(place)].pointee
                packets += UInt64(sample.weight)
                let count = min(Int(sample.length), Int(CROSSPOINT_SCAN_BYTES))
                let bytes = withUnsafeBytes(of: sample.bytes) { Array($0.prefix(count)) }
                body(FrameSample(weight: sample.weight, length: sample.length, bytes: bytes))
            }
            read[cpu] = taken
            lane.pointee.deadline = deadline
            lane.pointee.stride = UInt32(min(max(packets / Self.wanted, 1), UInt64(CROSSPOINT_SCAN_STRIDE)))
            lane.pointee.limit = taken &+ UInt32(CROSSPOINT_SCAN_SAMPLES)
            // This process was held up for so long that the programs took it for gone.
            if lane.pointee.countdown == 0 { start(lane) }
        }
    }

    /// Ends the look.
    public mutating func end() {
        for cpu in 0..<lanes.count {
            lanes[cpu].pointee.interface_index = 0
            lanes[cpu].pointee.deadline = 0
            lanes[cpu].pointee.countdown = 0
        }
    }

    private func start(_ lane: UnsafeMutablePointer<crosspoint_scan_lane>) {
        lane.pointee.interval = 1
        lane.pointee.countdown = 1
    }
}

extension FastPath {
    /// A sampler of the ports. There is one at a time: all use the same tables.
    public func portSampler() throws(FastPathError) -> PortSampler {
        func array<Record>(_ name: String) throws(FastPathError) -> MappedArray<Record> {
            guard let descriptor = try tables.open(.maps, name) else {
                throw FastPathError(.pinned, "\(tables.path): maps/\(name) is missing")
            }
            return try MappedArray(descriptor, name: name, writable: true)
        }
        return PortSampler(lanes: try array("scan_lanes"), samples: try array("scan_samples"))
    }
}
