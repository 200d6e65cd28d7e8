// The owner of the fast path, without a fast path: what it is asked for, in order.

import AgentSupport
import CrosspointShim
import Glibc
import RTPWire
import Routing

@testable import RTSPProxy

@AgentActor final class MockRouting: SessionRouteControl {
    /// What was done, in order: `open rtsp.cam.0.rtp 1`.
    private(set) var events: [String] = []
    private(set) var reports: [String: RouteReport] = [:]
    /// How far flows have come, by route.
    var progresses: [String: FlowProgress] = [:]
    /// The announced first packets of legs: `rtsp.cam.0.rtp 1`.
    private(set) var starts: [String: UInt32?] = [:]
    /// Called when a leg opens, and when one has been removed.
    var onOpen: (@AgentActor () -> Void)?
    var onRemove: (@AgentActor () -> Void)?
    /// Called when a leg's first packet has been chosen, and when a route's progress was asked for.
    var onChosen: (@AgentActor () async -> Void)?
    var onProgress: (@AgentActor (String) async -> Void)?
    /// What `addShutLeg` is refused with.
    var refusal: RoutingError?
    /// What `attachment(towards:)` is refused with.
    var attachmentRefusal: RoutingError?
    /// Why packets of a route do not fit anywhere, by route.
    var misfits: [String: String] = [:]
    /// Whether peers are programs of this node.
    var isPeerLocal = false
    /// The route whose `take` is refused.
    var refusedTake: String?
    private var shut: Set<String> = []
    private var reservations: [String: LoopbackSocket] = [:]
    private var nextLeg: UInt32 = 1

    static let node = NetworkAttachment(
        address: IPAddress(127, 0, 0, 1), port: PortReference(interface: "lo"), isLocal: false)
    static let fastPath = IPAddress(127, 0, 0, 2)

    /// The legs that send, as `route destination`.
    var openLegs: [String] {
        reports.values.flatMap { report in
            report.legs.filter { !shut.contains("\(report.specification.name) \($0.number)") }
                .map { "\(report.specification.name) \($0.specification.address):\($0.specification.udpPort)" }
        }.sorted()
    }

    func attachment(towards peer: IPAddress) async throws(RoutingError) -> NetworkAttachment {
        if let attachmentRefusal { throw attachmentRefusal }
        return isPeerLocal ? NetworkAttachment(address: Self.fastPath, port: .host, isLocal: true) : Self.node
    }
    func attachment(of local: IPAddress) async throws(RoutingError) -> NetworkAttachment { Self.node }
    func hostPort() async throws(RoutingError) -> HostPort {
        HostPort(
            hostIPv4: IPAddress(127, 0, 0, 1), hostIPv6: .unspecified, fastPathIPv4: Self.fastPath,
            fastPathIPv6: .unspecified)
    }

    func add(_ route: RouteSpecification, owner: RouteOwner) async throws(RoutingError) -> RouteReport {
        guard reports[route.name] == nil else { throw RoutingError(.conflict, "route \(route.name) is there") }
        if route.source.joins, !route.source.address.isMulticast {
            do {
                reservations[route.name] = try LoopbackSocket(
                    udpPort: route.source.udpPort, at: route.source.address)
            } catch { throw RoutingError(.unavailable, "UDP port \(route.source.udpPort): \(error)") }
        }
        let report = RouteReport(
            specification: route, owner: owner, engine: "kernel", engineReason: "", membership: "", legs: [])
        reports[route.name] = report
        events.append("add \(route.name)")
        return report
    }

    func remove(route name: String) async throws(RoutingError) {
        guard reports.removeValue(forKey: name) != nil else { throw RoutingError(.notFound, "no route \(name)") }
        reservations[name] = nil
        events.append("remove \(name)")
    }

    func setEngine(_ engine: RouteSpecification.Engine, of name: String) async throws(RoutingError) -> RouteReport {
        guard let report = reports[name] else { throw RoutingError(.notFound, "no route \(name)") }
        return report
    }

    func take(route name: String, source: SourceSpecification) async throws(RoutingError) -> RouteReport {
        guard var report = reports[name] else { throw RoutingError(.notFound, "no route \(name)") }
        if name == refusedTake { throw RoutingError(.failed, "route \(name) keeps its source") }
        report.specification.source = source
        reports[name] = report
        return report
    }

    func addLeg(_ leg: LegSpecification, to name: String, force: Bool) async throws(RoutingError) -> LegReport {
        guard reports[name] != nil else { throw RoutingError(.notFound, "no route \(name)") }
        let report = LegReport(number: nextLeg, specification: leg, state: .active, reason: nil, nextHop: nil)
        nextLeg += 1
        reports[name]?.legs.append(report)
        events.append("leg \(name) \(report.number)")
        return report
    }

    func addShutLeg(_ leg: LegSpecification, to name: String) async throws(RoutingError) -> LegReport {
        if let refusal { throw refusal }
        let report = try await addLeg(leg, to: name, force: true)
        shut.insert("\(name) \(report.number)")
        return report
    }

    func openLeg(_ number: UInt32, of name: String, from sequence: UInt32?) async throws(RoutingError) {
        shut.remove("\(name) \(number)")
        starts["\(name) \(number)"] = sequence
        events.append("open \(name) \(number)")
        onOpen?()
    }

    func openLeg<Start: LegStart>(
        _ number: UInt32, of name: String, at choose: @Sendable (FlowProgress?) -> Start?
    ) async throws(RoutingError) -> Start? {
        guard let start = choose(progresses[name]) else { return nil }
        try await openLeg(number, of: name, from: start.extendedSequence)
        await onChosen?()
        return start
    }

    func removeLeg(_ number: UInt32, from name: String) async throws(RoutingError) {
        guard let index = reports[name]?.legs.firstIndex(where: { $0.number == number }) else {
            throw RoutingError(.notFound, "no leg \(number)")
        }
        reports[name]?.legs.remove(at: index)
        events.append("cut \(name) \(number)")
        onRemove?()
    }

    func setLeg(_ number: UInt32, of name: String, to leg: LegSpecification) async throws(RoutingError) -> LegReport {
        throw RoutingError(.invalid, "sessions do not change legs")
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
    func misfit(of leg: LegSpecification, on name: String) async -> String? { misfits[name] }
    func progress(of name: String) async -> FlowProgress? {
        await onProgress?(name)
        return progresses[name]
    }

    func reservation(of name: String) async throws(RoutingError) -> Int32 {
        guard let socket = reservations[name] else { throw RoutingError(.notFound, "no reservation of \(name)") }
        return dup(socket.descriptor)
    }

    // The proxy's routes reserve their own UDP ports.
    func reserve(_ places: [UDPPlace]) async throws(RoutingError) {}
    func release(_ places: [UDPPlace]) async {}
    func removeSessionRoutes(of prefix: String, except names: Set<String>) async -> [String] { [] }
    func sessionRouteEvents() async -> AsyncStream<SessionRouteEvent> { AsyncStream { $0.finish() } }
}
