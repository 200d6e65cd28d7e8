// The owner of the fast path, without a fast path: what it is asked for.

import AgentSupport
import RTPWire
import Routing

@AgentActor final class LoopbackRoutes: SessionRouteControl {
    private(set) var reports: [String: RouteReport] = [:]
    private(set) var removed: [String] = []
    private var nextLeg: UInt32 = 1
    /// Whether another program has all UDP ports.
    var hasNoUDPPorts = false
    /// Whether no more flows fit into the fast path.
    var isFull = false

    static let node = NetworkAttachment(
        address: IPAddress(10, 9, 255, 254), port: PortReference(interface: "eth0"), isLocal: false)

    nonisolated init() {}

    /// Where media goes, as `address:UDP port`.
    var destinations: Set<String> {
        Set(reports.values.flatMap { $0.legs.map { "\($0.specification.address):\($0.specification.udpPort)" } })
    }

    func attachment(towards peer: IPAddress) async throws(RoutingError) -> NetworkAttachment { Self.node }
    func attachment(of local: IPAddress) async throws(RoutingError) -> NetworkAttachment { Self.node }
    func hostPort() async throws(RoutingError) -> HostPort {
        throw RoutingError(.unavailable, "no host port")
    }

    func add(_ route: RouteSpecification, owner: RouteOwner) async throws(RoutingError) -> RouteReport {
        if isFull { throw RoutingError(.capacity, "flow table: all flows are in use") }
        guard reports[route.name] == nil else { throw RoutingError(.conflict, "route \(route.name) is there") }
        var legs: [LegReport] = []
        for leg in route.legs {
            legs.append(LegReport(number: nextLeg, specification: leg, state: .active, reason: nil, nextHop: nil))
            nextLeg += 1
        }
        let report = RouteReport(
            specification: route, owner: owner, engine: "kernel", engineReason: "", membership: "", legs: legs)
        reports[route.name] = report
        return report
    }

    func remove(route name: String) async throws(RoutingError) {
        guard reports.removeValue(forKey: name) != nil else { throw RoutingError(.notFound, "no route \(name)") }
        removed.append(name)
    }

    func setEngine(_ engine: RouteSpecification.Engine, of name: String) async throws(RoutingError) -> RouteReport {
        guard let report = reports[name] else { throw RoutingError(.notFound, "no route \(name)") }
        return report
    }

    func take(route name: String, source: SourceSpecification) async throws(RoutingError) -> RouteReport {
        guard var report = reports[name] else { throw RoutingError(.notFound, "no route \(name)") }
        report.specification.source = source
        reports[name] = report
        return report
    }

    func addLeg(_ leg: LegSpecification, to name: String, force: Bool) async throws(RoutingError) -> LegReport {
        guard reports[name] != nil else { throw RoutingError(.notFound, "no route \(name)") }
        let report = LegReport(number: nextLeg, specification: leg, state: .active, reason: nil, nextHop: nil)
        nextLeg += 1
        reports[name]?.legs.append(report)
        return report
    }

    func addShutLeg(_ leg: LegSpecification, to name: String) async throws(RoutingError) -> LegReport {
        try await addLeg(leg, to: name, force: true)
    }

    func openLeg(_ number: UInt32, of name: String, from sequence: UInt32?) async throws(RoutingError) {}

    func removeLeg(_ number: UInt32, from name: String) async throws(RoutingError) {
        guard let index = reports[name]?.legs.firstIndex(where: { $0.number == number }) else {
            throw RoutingError(.notFound, "no leg \(number)")
        }
        reports[name]?.legs.remove(at: index)
    }

    func setLeg(_ number: UInt32, of name: String, to leg: LegSpecification) async throws(RoutingError) -> LegReport {
        guard let index = reports[name]?.legs.firstIndex(where: { $0.number == number }) else {
            throw RoutingError(.notFound, "no leg \(number)")
        }
        let report = LegReport(number: number, specification: leg, state: .active, reason: nil, nextHop: nil)
        reports[name]?.legs[index] = report
        return report
    }

    func route(_ name: String) async throws(RoutingError) -> RouteReport {
        guard let report = reports[name] else { throw RoutingError(.notFound, "no route \(name)") }
        return report
    }

    func routes() async -> [RouteReport] { reports.values.sorted { $0.specification.name < $1.specification.name } }
    func reconcile(configuration routes: [RouteSpecification], _ mode: ReconcileMode) async -> ReconcileReport {
        ReconcileReport()
    }
    func apply(_ changes: [RouteChange]) async throws(RoutingError) -> [RouteReport] {
        throw RoutingError(.unavailable, "no batches here")
    }
    func problems(with changes: [RouteChange]) async throws(RoutingError) {}
    func progress(of name: String) async -> FlowProgress? { reports[name] == nil ? nil : FlowProgress() }
    func reservation(of name: String) async throws(RoutingError) -> Int32 {
        throw RoutingError(.notFound, "no reservation of \(name)")
    }
    func reserve(_ places: [UDPPlace]) async throws(RoutingError) {
        if hasNoUDPPorts { throw RoutingError(.conflict, "another program has them") }
    }
    func release(_ places: [UDPPlace]) async {}
    func removeSessionRoutes(of prefix: String, except names: Set<String>) async -> [String] {
        let gone = reports.keys.filter { $0.hasPrefix(prefix) && !names.contains($0) }
        for name in gone { reports[name] = nil }
        removed += gone
        return gone.sorted()
    }
    func sessionRouteEvents() async -> AsyncStream<SessionRouteEvent> { AsyncStream { $0.finish() } }
}
