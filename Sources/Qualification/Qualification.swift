// Measurement of the number of flows that a node carries: the order of events.

import Netlink
public import Routing

/// Qualifies this node: loads it with flows of one format until it loses packets, and reports its behaviour below that.
public actor Qualification {
    /// The settings of a qualification.
    public struct Settings: Hashable, Sendable {
        public var format: MediaFormat
        public var legs = 1
        public var engine = Engine.kernel
        public var accounting = RouteSpecification.Accounting.full
        /// So many flows, and no search.
        public var flows: Int?
        /// The length of a trial, seconds.
        public var seconds = 1.0
        /// The processor that everything runs on.
        public var processor: UInt32
        /// Two interfaces of this host that a cable connects; nil for virtual ones of the process's own.
        public var interfaces: Interfaces?

        public init(format: MediaFormat, processor: UInt32) {
            self.format = format
            self.processor = processor
        }
    }

    /// Two interfaces and the cable between them.
    public struct Interfaces: Hashable, Sendable {
        /// The interface at which the generator sends and the sink receives.
        public var outside: String
        /// The interface at which the node receives and sends.
        public var inside: String

        public init(outside: String, inside: String) {
            self.outside = outside
            self.inside = inside
        }
    }

    /// The most flows that are tried, whatever the format.
    public static let maximumFlows = 16_384
    /// More packets than any processor forwards now: no search goes beyond.
    static let maximumPacketRate = 40e6

    private let settings: Settings
    private let network: NetlinkHostNetwork
    private let cables: TestCables
    private let generator: PacedGenerator
    private let flowLimit: Int
    private var node: NodeUnderTest?
    /// Gets each step, in a few words.
    private let progress: @Sendable (String) -> Void

    /// Makes the cables. Virtual ones are made in the network of the calling process, which must be its own.
    public init(_ settings: Settings, progress: @escaping @Sendable (String) -> Void) throws {
        self.settings = settings
        self.progress = progress
        network = try NetlinkHostNetwork()
        if let interfaces = settings.interfaces {
            cables = try TestCables(outside: interfaces.outside, inside: interfaces.inside, network: network)
        } else {
            cables = try TestCables(
                virtualWithEgressPorts: TestCables.egressPorts(forLegs: settings.legs), network: network)
        }
        flowLimit = settings.flows ?? Self.flowLimit(settings.format, legs: settings.legs)
        generator = try PacedGenerator()
        for sink in cables.sinks { try generator.attach(.count, to: sink.index) }
        if let direct = cables.direct { try generator.attach(.count, to: direct.far.index) }
    }

    static func flowLimit(_ format: MediaFormat, legs: Int) -> Int {
        min(maximumFlows, max(1, Int(maximumPacketRate / Double(legs) / format.packetRate.perSecond)))
    }

    /// Measures, and returns the findings.
    public func run() async throws -> QualificationReport {
        // Before the node is there: its programs watch everything that the kernel redirects.
        let bare = try await speed(isDirect: true, flows: min(flowLimit, 16))
        node = try await NodeUnderTest(
            cables: cables, network: network, flows: flowLimit, legs: settings.legs, engine: settings.engine,
            accounting: settings.accounting, clockRate: settings.format.clockRate)
        let first = try await speed(isDirect: false, flows: min(flowLimit, 16))
        var report = QualificationReport(settings)
        let carried: Int
        if let flows = settings.flows {
            carried = try await hold(flows, &report)
        } else {
            carried = try await search(from: first, &report)
        }
        report.flows = carried
        guard carried > 0 else { return report }
        let speed = try await speed(isDirect: false, flows: carried)
        // A worker of its own does its part at the same time as generator and sink do theirs.
        report.cost = QualificationReport.Cost(node: speed, direct: settings.engine.ownProcessor == nil ? bare : 0)
        try await look(at: max(1, carried / 2), &report)
        return report
    }

    /// Packets per second without any pace, through the node or past it.
    private func speed(isDirect: Bool, flows: Int) async throws -> Double {
        if isDirect, cables.direct == nil { return 0 }
        progress(isDirect ? "generator and sink alone" : "the node without a pace, \(flows) flows")
        var plan = plan(flows: flows, isDirect: isDirect)
        plan.isFlatOut = true
        plan.quantum = 8
        plan.seconds = min(0.5, settings.seconds)
        return try await trial(plan, isDirect: isDirect).carriedRate(legs: isDirect ? 1 : settings.legs)
    }

    /// Tries one number of flows, twice; returns it, or 0 if anything was lost.
    private func hold(_ flows: Int, _ report: inout QualificationReport) async throws -> Int {
        for _ in 0..<2 where try await !attempt(flows, &report) { return 0 }
        return flows
    }

    private func search(from speed: Double, _ report: inout QualificationReport) async throws -> Int {
        let guess = speed * 0.9 / settings.format.packetRate.perSecond
        var search = ZeroLossSearch(guess: Int(min(guess, Double(flowLimit))), limit: flowLimit)
        while case .attempt(let flows) = search.next {
            search.record(flows, succeeded: try await attempt(flows, &report))
        }
        report.isLimited = !search.isBounded
        guard case .done(let flows) = search.next else { return 0 }
        return flows
    }

    /// One trial at full load: whether nothing was lost.
    private func attempt(_ flows: Int, _ report: inout QualificationReport) async throws -> Bool {
        progress("\(flows) flows")
        var plan = plan(flows: flows, isDirect: false)
        plan.quantum = min(8, flows)
        let result = try await trial(plan, isDirect: false)
        let trial = QualificationReport.Trial(flows: flows, result, legs: settings.legs)
        report.trials.append(trial)
        progress("\(flows) flows, \(trial.verdict)")
        return trial.isWithoutLoss
    }

    /// Latency, jitter and processor time at a load that leaves room, beside the same load past the node.
    private func look(at flows: Int, _ report: inout QualificationReport) async throws {
        progress("latency at \(flows) flows")
        let through = try await stamped(flows: flows, isDirect: false)
        let past = cables.direct == nil ? nil : try await stamped(flows: flows, isDirect: true)
        report.load = QualificationReport.Load(
            flows: flows, through: through, past: past, ownProcessor: settings.engine.ownProcessor)
    }

    private func stamped(flows: Int, isDirect: Bool) async throws -> TrialResult {
        var plan = plan(flows: flows, isDirect: isDirect)
        plan.isStamped = true
        plan.batch = min(plan.batch, 8)
        plan.seconds = settings.seconds * 2
        for sink in sinks(isDirect: isDirect) { try generator.attach(.measure, to: sink.index) }
        let result = try await trial(plan, isDirect: isDirect)
        for sink in sinks(isDirect: isDirect) { try generator.attach(.count, to: sink.index) }
        return result
    }

    private func sinks(isDirect: Bool) -> [TestInterface] {
        if isDirect { return cables.direct.map { [$0.far] } ?? [] }
        return cables.sinks
    }

    private func plan(flows: Int, isDirect: Bool) -> TrafficPlan {
        let direct = isDirect ? cables.direct : nil
        var plan = TrafficPlan(
            format: settings.format, flows: flows, seconds: settings.seconds,
            destinationMAC: direct?.far.mac ?? cables.ingress.mac,
            sourceMAC: direct?.near.mac ?? cables.generator.mac, source: NodeUnderTest.source,
            destination: NodeUnderTest.firstFlow)
        plan.batch = TestCables.batch(forLegs: settings.legs)
        // The sink measures the jitter of packets that come to the first leg's UDP port.
        if isDirect { plan.udpPort = NodeUnderTest.firstLegUDPPort }
        return plan
    }

    private func trial(_ plan: TrafficPlan, isDirect: Bool) async throws -> TrialResult {
        if !isDirect, let node, await node.installed < plan.flows {
            progress("\(plan.flows) routes")
            try await node.install(flows: plan.flows)
        }
        try generator.transmit(through: (isDirect ? cables.direct?.near : nil)?.index ?? cables.generator.index)
        let result = try await PinnedThread.run(cpu: settings.processor) {
            [generator, settle = settings.engine.settle] in
            try generator.run(plan, settle: settle)
        }
        try await node?.checkEngine()
        return result
    }
}
