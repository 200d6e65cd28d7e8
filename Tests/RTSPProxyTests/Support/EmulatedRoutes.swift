// A fast path of sockets on the loopback interface.

import AgentSupport
import Glibc
import RTPWire
import Routing
import SRTPKeys

/// Receives the packets of each route itself, filters their sources, and counts them as the fast path does; forwards nothing.
actor EmulatedRoutes: SessionRouteControl {
    private struct Route {
        var specification: RouteSpecification
        var socket: Int32
        var legs: [LegReport] = []
        var progress = FlowProgress()
        var isFirst = true
    }

    private var table: [String: Route] = [:]
    private var listeners: [AsyncStream<SessionRouteEvent>.Continuation] = []
    /// Sources of all `add` and `take` so far, by route.
    private(set) var sources: [String: [SourceSpecification]] = [:]
    private(set) var keys: [String: [SRTPKey]] = [:]
    /// What the next `attachment(towards:)` says of the peer.
    private var isPeerLocal = false
    private let loopback = IPAddress(127, 0, 0, 1)

    func setPeerLocal() { isPeerLocal = true }

    func setKeys(_ list: [SRTPKey], named name: String) async throws(RoutingError) { keys[name] = list }
    func removeKeys(named names: [String]) async { for name in names { keys[name] = nil } }

    // MARK: Routes

    func add(_ route: RouteSpecification, owner: RouteOwner) async throws(RoutingError) -> RouteReport {
        guard table[route.name] == nil else { throw RoutingError(.conflict, "route \(route.name): exists") }
        table[route.name] = Route(specification: route, socket: try bind(route.source))
        sources[route.name, default: []].append(route.source)
        return report(of: route.name)
    }

    func remove(route name: String) async throws(RoutingError) {
        guard let route = table.removeValue(forKey: name) else { throw missing(name) }
        close(route.socket)
    }

    func setEngine(_ engine: RouteSpecification.Engine, of name: String) async throws(RoutingError) -> RouteReport {
        guard table[name] != nil else { throw missing(name) }
        return report(of: name)
    }

    func take(route name: String, source: SourceSpecification) async throws(RoutingError) -> RouteReport {
        guard let old = table[name] else { throw missing(name) }
        if (old.specification.source.address, old.specification.source.udpPort) != (source.address, source.udpPort) {
            let socket = try bind(source)
            close(old.socket)
            table[name]?.socket = socket
        }
        table[name]?.specification.source = source
        sources[name, default: []].append(source)
        return report(of: name)
    }

    func addLeg(_ leg: LegSpecification, to name: String, force: Bool) async throws(RoutingError) -> LegReport {
        guard let route = table[name] else { throw missing(name) }
        let report = LegReport(
            number: (route.legs.map(\.number).max() ?? 0) + 1, specification: leg, state: .active, reason: nil,
            nextHop: nil)
        table[name]?.legs.append(report)
        return report
    }

    func removeLeg(_ number: UInt32, from name: String) async throws(RoutingError) {
        guard table[name] != nil else { throw missing(name) }
        table[name]?.legs.removeAll { $0.number == number }
    }

    func setLeg(
        _ number: UInt32, of name: String, to leg: LegSpecification
    ) async throws(RoutingError) -> LegReport {
        try await removeLeg(number, from: name)
        return try await addLeg(leg, to: name, force: true)
    }

    func route(_ name: String) async throws(RoutingError) -> RouteReport {
        guard table[name] != nil else { throw missing(name) }
        return report(of: name)
    }

    func routes() async -> [RouteReport] { table.keys.sorted().map { report(of: $0) } }

    func reconcile(configuration routes: [RouteSpecification], _ mode: ReconcileMode) async -> ReconcileReport {
        ReconcileReport()
    }
    func apply(_ changes: [RouteChange]) async throws(RoutingError) -> [RouteReport] {
        throw RoutingError(.unavailable, "no batches here")
    }
    func problems(with changes: [RouteChange]) async throws(RoutingError) {}

    func addShutLeg(_ leg: LegSpecification, to name: String) async throws(RoutingError) -> LegReport {
        try await addLeg(leg, to: name, force: true)
    }

    func openLeg(_ number: UInt32, of name: String, from sequence: UInt32?) async throws(RoutingError) {}

    // The proxy's routes reserve their own UDP ports.
    func reserve(_ places: [UDPPlace]) async throws(RoutingError) {}
    func release(_ places: [UDPPlace]) async {}

    func removeSessionRoutes(of prefix: String, except names: Set<String>) async -> [String] {
        let gone = table.keys.filter { $0.hasPrefix(prefix) && !names.contains($0) }
        for name in gone { try? await remove(route: name) }
        return gone
    }

    // MARK: Where things are

    func attachment(towards peer: IPAddress) async throws(RoutingError) -> NetworkAttachment {
        NetworkAttachment(address: loopback, port: PortReference(interface: "eth0"), isLocal: isPeerLocal)
    }

    func attachment(of local: IPAddress) async throws(RoutingError) -> NetworkAttachment {
        try await attachment(towards: local)
    }

    func hostPort() async throws(RoutingError) -> HostPort {
        HostPort(
            hostIPv4: loopback, hostIPv6: .unspecified, fastPathIPv4: IPAddress(127, 0, 0, 2),
            fastPathIPv6: .unspecified)
    }

    func reservation(of name: String) async throws(RoutingError) -> Int32 {
        guard let route = table[name] else { throw missing(name) }
        return dup(route.socket)
    }

    // MARK: Packets

    func progress(of name: String) async -> FlowProgress? {
        receive(name)
        return table[name]?.progress
    }

    func sessionRouteEvents() async -> AsyncStream<SessionRouteEvent> {
        let (stream, continuation) = AsyncStream.makeStream(of: SessionRouteEvent.self)
        listeners.append(continuation)
        return stream
    }

    private func receive(_ name: String) {
        guard let socket = table[name]?.socket else { return }
        var buffer = [UInt8](repeating: 0, count: 2048)
        while true {
            var sender = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let count = withUnsafeMutablePointer(to: &sender) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT), $0, &length)
                }
            }
            guard count > 0 else { return }
            let source = withUnsafeBytes(of: sender.sin_addr) { IPAddress(bytes: $0)! }
            take(buffer[..<count], from: source, UInt16(bigEndian: sender.sin_port), on: name)
        }
    }

    private func take(_ packet: ArraySlice<UInt8>, from source: IPAddress, _ udpPort: UInt16, on name: String) {
        guard var route = table[name] else { return }
        let filter = route.specification.source
        guard filter.source ?? source == source, filter.sourceUDPPort ?? udpPort == udpPort else {
            tell(.unknownSource, name, source, udpPort)
            return
        }
        if route.isFirst { tell(.firstPacket, name, source, udpPort) }
        route.isFirst = false
        route.progress.packets += 1
        route.progress.bytes += UInt64(packet.count)
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        route.progress.lastArrival = UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
        if route.specification.payload == .rtp, packet.count >= 12 {
            func word(_ offset: Int) -> UInt32 {
                packet.dropFirst(offset).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
            }
            if route.progress.ssrc != word(8) || !route.progress.hasRTP {
                route.progress.expected = 0
                route.progress.received = 0
            }
            // Loopback neither loses nor reorders.
            let sequence = UInt16(truncatingIfNeeded: word(0))
            let highest = route.progress.extendedHighestSequence
            let step = route.progress.received == 0 ? 1 : sequence &- UInt16(truncatingIfNeeded: highest)
            route.progress.extendedHighestSequence =
                route.progress.received == 0 ? UInt64(sequence) : highest + UInt64(step)
            route.progress.expected += UInt64(step)
            route.progress.received += 1
            route.progress.hasRTP = true
            route.progress.ssrc = word(8)
            route.progress.timestamp = word(4)
        }
        table[name] = route
    }

    private func tell(_ kind: SessionRouteEvent.Kind, _ route: String, _ source: IPAddress, _ udpPort: UInt16) {
        for listener in listeners {
            listener.yield(SessionRouteEvent(kind: kind, route: route, source: source, sourceUDPPort: udpPort))
        }
    }

    // MARK: Parts

    private func bind(_ source: SourceSpecification) throws(RoutingError) -> Int32 {
        let socket = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = source.udpPort.bigEndian
        withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: source.address.bytes) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            close(socket)
            throw RoutingError(.unavailable, "UDP port \(source.udpPort): in use")
        }
        return socket
    }

    private func report(of name: String) -> RouteReport {
        RouteReport(
            specification: table[name]!.specification, owner: .session, engine: "kernel", engineReason: "emulated",
            membership: "reserved", legs: table[name]!.legs)
    }

    private func missing(_ name: String) -> RoutingError { RoutingError(.notFound, "route \(name): none") }
}
