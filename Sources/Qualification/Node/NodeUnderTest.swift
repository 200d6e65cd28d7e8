// The node that is qualified: the daemon's own parts, with routes for the generator's flows.

import AFXDP
import FastPath
import Logging
public import Netlink
public import RTPWire
public import Routing

/// A flow controller on the cables of a trial, and the routes that carry the trial's flows.
public actor NodeUnderTest {
    private let controller: FlowController
    private let pins: PinDirectory
    private let running: Task<Void, Never>
    private let cables: TestCables
    private let legs: Int
    private let engine: Engine
    private let accounting: RouteSpecification.Accounting
    private let clockRate: UInt32
    /// Routes that are installed: those of flows 0 and following.
    public private(set) var installed = 0

    /// Addresses of trials are those that RFC 2544 sets aside for measuring.
    public static let source = IPAddress(198, 19, 255, 2)
    static let legSource = IPAddress(198, 19, 255, 1)
    /// The first flow's destination; its last sixteen bits are zero.
    public static let firstFlow = IPAddress(198, 18, 0, 0)

    public init(
        cables: TestCables, network: NetlinkHostNetwork, flows: Int, legs: Int, engine: Engine,
        accounting: RouteSpecification.Accounting, clockRate: UInt32
    ) async throws {
        self.cables = cables
        self.legs = legs
        self.engine = engine
        self.accounting = accounting
        self.clockRate = clockRate
        var logger = Logger(label: "bench")
        logger.logLevel = .critical
        pins = PinDirectory(path: "\(PrivateNamespaces.bpffs)/bench")
        let fastPath = try FastPath(
            pins: pins, name: "bench",
            limits: FastPath.Limits(flows: flows, legs: flows * legs))
        controller = try FlowController(
            fastPath: fastPath, network: network, store: NoDescriptorStore(),
            journal: RouteJournal(directory: "\(PrivateNamespaces.scratch)/routes"), logger: logger,
            engine: EngineSettings(workers: 1))
        let problems = await controller.attachConfiguredPorts(
            Set([cables.ingress.name] + cables.egress.map(\.name)).sorted())
        if let problem = problems.first { throw QualificationError(.failed, problem) }
        running = Task { [controller] in try? await controller.run() }
    }

    deinit { running.cancel() }

    /// Takes the node away: its programs leave the interfaces to others.
    public func close() async {
        for flow in 0..<installed { try? await controller.remove(route: "bench-\(flow)") }
        installed = 0
        running.cancel()
        await running.value
        pins.removeAll()
    }

    /// Installs routes until there are so many.
    public func install(flows: Int) async throws {
        while installed < flows {
            let report = try await controller.add(try route(installed), owner: .operator)
            if let leg = report.legs.first(where: { $0.state != .active }) {
                throw QualificationError(
                    .failed, "leg \(leg.specification): \(leg.state.rawValue)\(leg.reason.map { ": \($0)" } ?? "")")
            }
            guard report.engine == engine.rawValue else {
                throw QualificationError(
                    .failed, "engine \(engine.rawValue): the node uses \(report.engine): \(report.engineReason)")
            }
            installed += 1
        }
    }

    /// Throws where the flows are not with the engine that was asked for any more: figures would be another one's.
    func checkEngine() async throws {
        guard installed > 0 else { return }
        let report = try await controller.route("bench-0")
        guard report.engine == engine.rawValue else {
            throw QualificationError(
                .failed, "engine \(engine.rawValue): the node went to \(report.engine): \(report.engineReason)")
        }
    }

    /// The route of a flow: its legs are spread over the egress ports.
    private func route(_ flow: Int) throws -> RouteSpecification {
        let (high, low) = (UInt8(flow >> 8), UInt8(flow & 0xff))
        let source = SourceSpecification(
            address: IPAddress(198, 18, high, low), udpPort: 5004,
            port: PortReference(interface: cables.ingress.name), joins: false)
        let legs = (0..<legs).map { number in
            let port = number % cables.egress.count
            return LegSpecification(
                address: IPAddress(198, 19, high, low), udpPort: Self.firstLegUDPPort + UInt16(number),
                port: PortReference(interface: cables.egress[port].name), source: .set(Self.legSource),
                mac: cables.sinks[port].mac)
        }
        return engine.applied(
            to: RouteSpecification(
                name: "bench-\(flow)", source: source, legs: legs, accounting: accounting, clockRate: clockRate))
    }

    /// The UDP port of the first leg, whose packets jitter is measured for.
    public static let firstLegUDPPort: UInt16 = 20_000
}

/// No sockets outlive a trial: it joins no group and reserves no UDP port.
private struct NoDescriptorStore: DescriptorStore {
    func recover() throws(RoutingError) -> [String: OwnedDescriptor] { [:] }
    func store(_ name: String, _ descriptor: OwnedDescriptor) throws(RoutingError) {}
    func remove(_ name: String) throws(RoutingError) {}
    func finish() throws(RoutingError) {}
}
