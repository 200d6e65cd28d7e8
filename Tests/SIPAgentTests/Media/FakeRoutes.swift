// The owner of the fast path, without a fast path: what it has been asked for.

import RTPWire
import Routing
import SRTPKeys

@testable import SIPAgent

/// Keeps routes and reservations as `FlowController` does, on a node with a network for each side of a call.
actor FakeRoutes: SessionRouteControl {
    private(set) var table: [String: RouteReport] = [:]
    /// The keys that routes may name.
    private(set) var keys: [String: [SRTPKey]] = [:]
    /// How often each UDP port is reserved.
    private(set) var reservations: [UDPPlace: Int] = [:]
    /// What was done, in order: `add sip.c.0.caller.rtp`, `remove …`, `take …`, `leg …`, `cut …`, `set …`,
    /// `key …`, `forget …`.
    private(set) var events: [String] = []
    private var progresses: [String: FlowProgress] = [:]
    private var listeners: [AsyncStream<SessionRouteEvent>.Continuation] = []
    /// UDP ports that another program holds.
    private var held: Set<UInt16> = []
    /// What adding routes is refused with.
    private var refusal: RoutingError?
    /// The address that no leg may get: its `setLeg` and `addLeg` fail.
    private var refusedDestination: IPAddress?

    static let callerNode = IPAddress(10, 1, 0, 1)
    static let calleeNode = IPAddress(10, 2, 0, 1)
    static let calleeNodeIPv6 = IPAddress("2001:db8:2::1")!

    func hold(_ udpPorts: Set<UInt16>) { held = udpPorts }
    func refuse(_ error: RoutingError?) { refusal = error }
    func refuseLegs(to address: IPAddress?) { refusedDestination = address }
    func forgetEvents() { events = [] }
    func setProgress(_ progress: FlowProgress?, of name: String) { progresses[name] = progress }

    /// The first packet of a route.
    func tell(firstPacketOf name: String, from source: IPAddress, udpPort: UInt16) {
        let event = SessionRouteEvent(kind: .firstPacket, route: name, source: source, sourceUDPPort: udpPort)
        listeners.forEach { $0.yield(event) }
    }

    /// `10.1.0.5:4000>10.1.0.1:20000 -> 10.2.0.1:20000>10.2.0.5:6000`, one line for each leg, by route.
    var summary: [String: [String]] {
        table.mapValues { report in
            let source = report.specification.source
            let from = "\(source.source.map { "\($0)" } ?? "*"):\(source.sourceUDPPort.map { "\($0)" } ?? "*")"
            let head = "\(from)>\(source.address):\(source.udpPort)@\(source.port)"
            return report.legs.map { leg in
                let specification = leg.specification
                guard case .set(let local) = specification.source else { return "\(head) -> ?" }
                let packets = specification.packets == .all ? "" : " \(specification.packets)"
                return "\(head) -> \(local):\(specification.sourceUDPPort ?? 0)>\(specification.address):"
                    + "\(specification.udpPort)@\(specification.port)\(packets)"
            }
        }
    }

    /// Whether nothing is there any more.
    var isEmpty: Bool { table.isEmpty && reservations.isEmpty && keys.isEmpty }

    /// The packets a route is for: `*>10.1.0.1:20000@eth0`.
    func source(_ name: String) -> String? {
        table[name].map { report in
            let source = report.specification.source
            let from = "\(source.source.map { "\($0)" } ?? "*"):\(source.sourceUDPPort.map { "\($0)" } ?? "*")"
            return "\(from)>\(source.address):\(source.udpPort)@\(source.port)"
        }
    }

    // MARK: RouteControl

    func add(_ route: RouteSpecification, owner: RouteOwner) async throws(RoutingError) -> RouteReport {
        if let refusal { throw refusal }
        guard table[route.name] == nil else { throw RoutingError(.conflict, "route \(route.name) is there") }
        for (name, other) in table where Self.clash(other.specification.source, route.source) {
            throw RoutingError(.conflict, "route \(route.name): its packets are those of \(name)")
        }
        do { try route.validate() } catch { throw RoutingError(.invalid, "\(error)") }
        for leg in route.legs { try check(leg) }
        try check(route.source)
        let legs = route.legs.enumerated().map {
            LegReport(
                number: UInt32($0.offset + 1), specification: $0.element, state: .active, reason: nil, nextHop: nil)
        }
        let report = RouteReport(
            specification: route, owner: owner, engine: "kernel", engineReason: "", membership: "", legs: legs)
        table[route.name] = report
        progresses[route.name] = FlowProgress()
        events.append("add \(route.name)")
        return report
    }

    /// What `RouteChecks.clash` refuses.
    private static func clash(_ a: SourceSpecification, _ b: SourceSpecification) -> Bool {
        guard a.address == b.address, a.udpPort == b.udpPort, a.port == b.port else { return false }
        if a.source == nil || b.source == nil { return true }
        guard a.source == b.source else { return false }
        return a.sourceUDPPort == b.sourceUDPPort || a.sourceUDPPort == nil || b.sourceUDPPort == nil
    }

    private func check(_ leg: LegSpecification) throws(RoutingError) {
        if leg.address == refusedDestination { throw RoutingError(.failed, "leg \(leg.address): refused") }
        if let name = leg.srtp?.key, keys[name] == nil { throw RoutingError(.notFound, "leg: no key \(name)") }
    }

    private func check(_ source: SourceSpecification) throws(RoutingError) {
        if let name = source.srtp?.key, keys[name] == nil { throw RoutingError(.notFound, "source: no key \(name)") }
    }

    func remove(route name: String) async throws(RoutingError) {
        guard table.removeValue(forKey: name) != nil else { throw RoutingError(.notFound, "no route \(name)") }
        progresses[name] = nil
        events.append("remove \(name)")
    }

    func setEngine(_ engine: RouteSpecification.Engine, of name: String) async throws(RoutingError) -> RouteReport {
        guard let report = table[name] else { throw RoutingError(.notFound, "no route \(name)") }
        return report
    }

    func take(route name: String, source: SourceSpecification) async throws(RoutingError) -> RouteReport {
        guard var report = table[name] else { throw RoutingError(.notFound, "no route \(name)") }
        for (other, state) in table where other != name && Self.clash(state.specification.source, source) {
            throw RoutingError(.conflict, "route \(name): its packets are those of \(other)")
        }
        try check(source)
        report.specification.source = source
        table[name] = report
        events.append("take \(name)")
        return report
    }

    func addLeg(_ leg: LegSpecification, to name: String, force: Bool) async throws(RoutingError) -> LegReport {
        guard var report = table[name] else { throw RoutingError(.notFound, "no route \(name)") }
        try check(leg)
        let added = LegReport(
            number: (report.legs.map(\.number).max() ?? 0) + 1, specification: leg, state: .active, reason: nil,
            nextHop: nil)
        report.legs.append(added)
        table[name] = report
        events.append("leg \(name)")
        return added
    }

    func removeLeg(_ number: UInt32, from name: String) async throws(RoutingError) {
        guard let index = table[name]?.legs.firstIndex(where: { $0.number == number }) else {
            throw RoutingError(.notFound, "no leg \(number) of \(name)")
        }
        table[name]?.legs.remove(at: index)
        events.append("cut \(name)")
    }

    func setLeg(_ number: UInt32, of name: String, to leg: LegSpecification) async throws(RoutingError) -> LegReport {
        guard let index = table[name]?.legs.firstIndex(where: { $0.number == number }) else {
            throw RoutingError(.notFound, "no leg \(number) of \(name)")
        }
        try check(leg)
        let report = LegReport(number: number, specification: leg, state: .active, reason: nil, nextHop: nil)
        table[name]?.legs[index] = report
        events.append("set \(name)")
        return report
    }

    func route(_ name: String) async throws(RoutingError) -> RouteReport {
        guard let report = table[name] else { throw RoutingError(.notFound, "no route \(name)") }
        return report
    }

    func routes() async -> [RouteReport] { table.values.sorted { $0.specification.name < $1.specification.name } }
    func reconcile(configuration routes: [RouteSpecification], _ mode: ReconcileMode) async -> ReconcileReport {
        ReconcileReport()
    }
    func apply(_ changes: [RouteChange]) async throws(RoutingError) -> [RouteReport] {
        throw RoutingError(.unavailable, "no batches here")
    }
    func problems(with changes: [RouteChange]) async throws(RoutingError) {}

    // MARK: SessionRouteControl

    func attachment(towards peer: IPAddress) async throws(RoutingError) -> NetworkAttachment {
        func facing(_ interface: String, _ address: IPAddress) -> NetworkAttachment {
            NetworkAttachment(address: address, port: PortReference(interface: interface), isLocal: false)
        }
        if [Self.callerNode, Self.calleeNode, Self.calleeNodeIPv6].contains(peer) {
            return NetworkAttachment(address: peer, port: PortReference(interface: "host"), isLocal: true)
        }
        if peer.family == .ipv6 { return facing("eth1", Self.calleeNodeIPv6) }
        switch peer.bytes[1] {
        case 1: return facing("eth0", Self.callerNode)
        case 2: return facing("eth1", Self.calleeNode)
        case 3: return facing("eth2", IPAddress(10, 3, 0, 1))
        default: throw RoutingError(.unavailable, "\(peer): no way there")
        }
    }

    func attachment(of local: IPAddress) async throws(RoutingError) -> NetworkAttachment {
        throw RoutingError(.notFound, "calls do not ask for \(local)")
    }

    func hostPort() async throws(RoutingError) -> HostPort { throw RoutingError(.unavailable, "there is none") }

    func reserve(_ places: [UDPPlace]) async throws(RoutingError) {
        if let place = places.first(where: { held.contains($0.udpPort) }) {
            throw RoutingError(.conflict, "UDP port \(place.udpPort) is held by another program")
        }
        for place in places { reservations[place, default: 0] += 1 }
    }

    func release(_ places: [UDPPlace]) async {
        for place in places {
            let uses = reservations[place, default: 0] - 1
            reservations[place] = uses == 0 ? nil : uses
        }
    }

    func addShutLeg(_ leg: LegSpecification, to name: String) async throws(RoutingError) -> LegReport {
        throw RoutingError(.invalid, "calls have no shut legs")
    }

    func openLeg(_ number: UInt32, of name: String, from sequence: UInt32?) async throws(RoutingError) {
        throw RoutingError(.invalid, "calls have no shut legs")
    }

    func setKeys(_ list: [SRTPKey], named name: String) async throws(RoutingError) {
        guard keys[name] != list else { return }
        keys[name] = list
        events.append("key \(name)")
    }

    func removeKeys(named names: [String]) async {
        for name in names where keys.removeValue(forKey: name) != nil { events.append("forget \(name)") }
    }

    func progress(of name: String) async -> FlowProgress? { progresses[name] }

    func reservation(of name: String) async throws(RoutingError) -> Int32 {
        throw RoutingError(.invalid, "calls read no sockets")
    }

    func removeSessionRoutes(of prefix: String, except names: Set<String>) async -> [String] {
        let gone = table.keys.filter { $0.hasPrefix(prefix) && !names.contains($0) }
        for name in gone { table[name] = nil }
        return gone.sorted()
    }

    func sessionRouteEvents() async -> AsyncStream<SessionRouteEvent> {
        let (stream, continuation) = AsyncStream.makeStream(of: SessionRouteEvent.self)
        listeners.append(continuation)
        return stream
    }
}
