// Findings of a qualification.

import Routing

/// The number of flows that a node carries, and the conditions.
public struct QualificationReport: Hashable, Sendable, Codable {
    /// The flows that were sent.
    public struct Format: Hashable, Sendable, Codable {
        public var name: String
        /// Ethernet header to payload, bytes.
        public var frameBytes: Int
        /// Of one flow.
        public var packetsPerSecond: Double
        /// Of one flow, preamble to inter-frame gap.
        public var bitsPerSecond: Double
    }

    /// One try at a number of flows.
    public struct Trial: Hashable, Sendable, Codable {
        public var flows: Int
        public var packetsPerSecond: Double
        /// Packets that were to be sent, that were sent in time, and copies of them that did not arrive.
        public var planned: UInt64
        public var sent: UInt64
        public var lost: Int64
        public var isWithoutLoss: Bool

        init(flows: Int, _ result: TrialResult, legs: Int) {
            self.flows = flows
            packetsPerSecond = result.packetRate
            planned = result.planned
            sent = result.sent
            lost = Int64(result.sent) * Int64(legs) - Int64(result.arrived)
            isWithoutLoss = result.isWithoutLoss(legs: legs)
        }

        /// The end of the qualification, in words.
        public var verdict: String {
            if isWithoutLoss { return "no loss" }
            if lost != 0 { return "\(lost) copies lost" }
            return "too slow: \(planned - min(sent, planned)) of \(planned) packets were not sent in time"
        }
    }

    /// The cost of a packet, from trials in which packets follow each other without a pause.
    public struct Cost: Hashable, Sendable, Codable {
        /// Packets per second through the node, and past it; 0 where the latter cannot be measured.
        public var packetsPerSecond: Double
        public var directPacketsPerSecond: Double
        /// Nanoseconds of processor time for one packet: generator, node and sink; generator and sink alone; the difference.
        public var nanoseconds: Double
        public var directNanoseconds: Double?
        public var nodeNanoseconds: Double?

        init(node: Double, direct: Double) {
            packetsPerSecond = node
            directPacketsPerSecond = direct
            nanoseconds = node > 0 ? 1e9 / node : 0
            if direct > 0, node > 0 {
                directNanoseconds = 1e9 / direct
                nodeNanoseconds = 1e9 / node - 1e9 / direct
            }
        }
    }

    /// Times that packets took, nanoseconds.
    public struct Latency: Hashable, Sendable, Codable {
        public var p50: Double
        public var p99: Double
        public var p999: Double
        public var max: Double
        public var jitter: Double

        init(_ result: TrialResult) {
            p50 = Double(result.latency.percentile(0.5))
            p99 = Double(result.latency.percentile(0.99))
            p999 = Double(result.latency.percentile(0.999))
            max = Double(result.latency.largest)
            jitter = result.jitter
        }

        /// The difference to another, each figure for itself.
        func beyond(_ other: Latency) -> Latency {
            var difference = self
            difference.p50 -= other.p50
            difference.p99 -= other.p99
            difference.p999 -= other.p999
            difference.max -= other.max
            difference.jitter -= other.jitter
            return difference
        }
    }

    /// The behaviour under a load that leaves room: half of the flows.
    public struct Load: Hashable, Sendable, Codable {
        public var flows: Int
        public var packetsPerSecond: Double
        public var lost: Bool
        /// Through the node, past it, and the difference.
        public var latency: Latency
        public var directLatency: Latency?
        public var addedLatency: Latency?
        /// Upper bounds of classes of latency, nanoseconds, and the parts of all packets in them: the last class has no bound.
        public var bounds: [UInt64]
        public var parts: [Double]
        public var directParts: [Double]?
        /// The part of the processor's time that was not spent waiting for the next packet, through the node and past it.
        public var busy: Double
        public var directBusy: Double?
        /// The node's processor time for one flow, in parts of one processor; nil between named interfaces.
        public var processorPerFlow: Double?
        /// Softirq time of all processors, in processors, by the kernel's own samples: the node's and the sinks'.
        public var softirq: Double

        static let bounds: [UInt64] = [
            100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 10_000_000,
        ]

        init(flows: Int, through: TrialResult, past: TrialResult?, ownProcessor: UInt32?) {
            func parts(_ result: TrialResult) -> [Double] {
                let total = Double(Swift.max(1, result.latency.count))
                return result.latency.counts(between: Self.bounds).map { Double($0) / total }
            }
            self.flows = flows
            packetsPerSecond = through.packetRate
            lost = !through.keptPace
            latency = Latency(through)
            directLatency = past.map(Latency.init)
            addedLatency = past.map { Latency(through).beyond(Latency($0)) }
            bounds = Self.bounds
            self.parts = parts(through)
            directParts = past.map(parts)
            busy = 1 - through.idle
            directBusy = past.map { 1 - $0.idle }
            /// The load of the processor of the node's own thread, where there is one, in parts of the time.
            func own(_ result: TrialResult) -> Double {
                guard let ownProcessor, Int(ownProcessor) < result.processors.count else { return 0 }
                let times = result.processors[Int(ownProcessor)]
                return times.user + times.system + times.softirq
            }
            processorPerFlow = past.map {
                Swift.max(0, $0.idle - through.idle + own(through) - own($0)) / Double(flows)
            }
            softirq = through.processors.map(\.softirq).reduce(0, +)
        }
    }

    public var format: Format
    public var engine: String
    public var accounting: String
    public var legs: Int
    public var processor: UInt32
    /// The named interfaces, outside and inside; nil for virtual cables.
    public var interfaces: [String]?
    /// The largest number of flows without loss; 0 if there is none.
    public var flows = 0
    /// True if the search ended at its limit, and the node may carry more.
    public var isLimited = false
    /// Every try, in order.
    public var trials: [Trial] = []
    public var cost: Cost?
    public var load: Load?

    init(_ settings: Qualification.Settings) {
        format = Format(
            name: settings.format.name, frameBytes: settings.format.frameLength,
            packetsPerSecond: settings.format.packetRate.perSecond, bitsPerSecond: settings.format.wireRate)
        engine = settings.engine.rawValue
        accounting = settings.accounting.rawValue
        legs = settings.legs
        processor = settings.processor
        interfaces = settings.interfaces.map { [$0.outside, $0.inside] }
    }

    /// Packets per second that come in, and copies that go out, with all flows.
    public var packetsPerSecond: Double { format.packetsPerSecond * Double(flows) }
    public var copiesPerSecond: Double { packetsPerSecond * Double(legs) }
    /// Bits per second that go out with all flows, preamble to inter-frame gap.
    public var bitsPerSecond: Double { format.bitsPerSecond * Double(flows * legs) }

    /// The answer, in one sentence.
    public var sentence: String {
        // The standard's number is of no interest beside the picture's; that of other essence is.
        let name = format.name.hasPrefix("2110-20-") ? String(format.name.dropFirst(8)) : format.name
        let copies = legs == 1 ? "" : " to \(legs) legs each"
        guard flows > 0 else {
            let tried = trials.map(\.flows).min() ?? 1
            return "this node does not carry \(tried) flow\(tried == 1 ? "" : "s") of \(name)\(copies) without loss"
        }
        let one = engine == Engine.afxdp.rawValue ? "per worker" : "per core"
        let place = interfaces.map { "between \($0[0]) and \($0[1])" } ?? one
        let atLeast = isLimited ? "at least " : ""
        return "this node carries \(atLeast)\(flows) flow\(flows == 1 ? "" : "s") of \(name)\(copies) \(place)"
    }
}
