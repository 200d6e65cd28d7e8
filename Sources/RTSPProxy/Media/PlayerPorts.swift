// The pairs of UDP ports that players share.

import AgentSupport
import Logging
import NIOCore
import RTPWire
import Routing

/// One pair of UDP ports at each address of the node that players connect to: RTP is sent from the even one, RTCP from the odd
/// one, where players' receiver reports end. Players are distinguished by their own address and UDP port.
@AgentActor
final class PlayerPorts {
    private struct Entry {
        var udpPort: UInt16
        /// Receives reports.
        var rtcp: DatagramSocket
        /// True if a route keeps RTP's UDP port too: not at the host port, where it is nobody else's.
        var hasRTPRoute: Bool
    }

    private let routing: any SessionRouteControl
    private let ports: UDPPortAllocator
    private let logger: Logger
    private var entries: [IPAddress: Entry] = [:]
    private var unusedBefore: Set<IPAddress> = []
    private var waiting: [IPAddress: [CheckedContinuation<Void, Never>]] = [:]
    /// The listeners for reports, by the address that these come from.
    private var listeners: [SocketAddress: @AgentActor (ByteBuffer) -> Void] = [:]

    init(routing: any SessionRouteControl, ports: UDPPortAllocator, logger: Logger) {
        self.routing = routing
        self.ports = ports
        self.logger = logger
    }

    /// The names of the routes that keep the pairs: a restarted daemon continues with them.
    var routeNames: Set<String> {
        Set(entries.keys.flatMap { [Self.name($0, "rtp"), Self.name($0, "rtcp")] })
    }

    /// The even UDP port of the pair at `local`, reserved when it is first asked for.
    func pair(at local: NetworkAttachment) async throws(RoutingError) -> UInt16 {
        // Reserving takes several steps: whoever comes meanwhile waits for the first.
        while waiting[local.address] != nil {
            await withCheckedContinuation { waiting[local.address, default: []].append($0) }
        }
        if let entry = entries[local.address] { return entry.udpPort }
        waiting[local.address] = []
        defer { waiting.removeValue(forKey: local.address)?.forEach { $0.resume() } }
        let entry = try await reserve(local)
        entries[local.address] = entry
        return entry.udpPort
    }

    /// Gives up the pairs that nobody has used since the last call but one. Called once a second with what is in use.
    func keep(only used: Set<IPAddress>) async {
        let unused = Set(entries.keys).subtracting(used)
        let released = unused.intersection(unusedBefore)
        unusedBefore = unused.subtracting(released)
        for address in released {
            guard let entry = entries.removeValue(forKey: address) else { continue }
            entry.rtcp.close()
            if entry.hasRTPRoute { try? await routing.remove(route: Self.name(address, "rtp")) }
            try? await routing.remove(route: Self.name(address, "rtcp"))
            ports.giveBack(entry.udpPort, at: address)
        }
    }

    /// Calls `listener` with each RTCP packet that comes from the address and UDP port: a player's sign of life.
    func listen(to address: IPAddress, udpPort: UInt16, _ listener: @escaping @AgentActor (ByteBuffer) -> Void) {
        listeners[address.socketAddress(udpPort)] = listener
    }

    func stopListening(to address: IPAddress, udpPort: UInt16) {
        listeners[address.socketAddress(udpPort)] = nil
    }

    private static func name(_ address: IPAddress, _ what: String) -> String {
        "rtsp.players.\(address.description.replacing(":", with: "-")).\(what)"
    }

    private static let attempts = 64

    private func reserve(_ local: NetworkAttachment) async throws(RoutingError) -> Entry {
        if local.isLocal { return try await reserveAtHostPort(local) }
        let names = (rtp: Self.name(local.address, "rtp"), rtcp: Self.name(local.address, "rtcp"))
        if let known = try? await routing.route(names.rtp), known.specification.source.port == local.port {
            let udpPort = known.specification.source.udpPort
            ports.claim(udpPort, at: local.address)
            try await add(names.rtcp, local, udpPort + 1, delivery: .host)
            return Entry(udpPort: udpPort, rtcp: try await socket(of: names.rtcp), hasRTPRoute: true)
        }
        var refusal = RoutingError(.unavailable, "rtsp udp-ports: no free pair at \(local.address); widen the range")
        for _ in 0..<Self.attempts {
            guard let udpPort = ports.take(at: local.address) else { throw refusal }
            do throws(RoutingError) {
                // A packet that players send to the RTP port opens their firewalls and means nothing: it ends in the fast path.
                try await add(names.rtp, local, udpPort, delivery: .legs)
                do throws(RoutingError) {
                    try await add(names.rtcp, local, udpPort + 1, delivery: .host)
                } catch {
                    try? await routing.remove(route: names.rtp)
                    throw error
                }
                return Entry(udpPort: udpPort, rtcp: try await socket(of: names.rtcp), hasRTPRoute: true)
            } catch {
                refusal = error
                guard error.code == .unavailable || error.code == .conflict else { throw error }
            }
        }
        throw refusal
    }

    /// Players on this node send their reports to the fast path's end of the host port, which nobody but the fast path has: nothing is
    /// to be reserved there, and a leg brings them to the daemon. It leaves their UDP port as it is, by which they are
    /// distinguished.
    private func reserveAtHostPort(_ local: NetworkAttachment) async throws(RoutingError) -> Entry {
        let name = Self.name(local.address, "rtcp")
        let known = try? await routing.route(name)
        let udpPort: UInt16
        if let known {
            udpPort = known.specification.source.udpPort - 1
            ports.claim(udpPort, at: local.address)
        } else {
            guard let free = ports.take(at: local.address) else {
                throw RoutingError(.unavailable, "rtsp udp-ports: no free pair at the host port; widen the range")
            }
            udpPort = free
        }
        let host = try await routing.hostPort().address(like: local.address)
        let socket: DatagramSocket
        do {
            socket = try await DatagramSocket(address: host) { [weak self] packet, from in
                self?.listeners[from]?(packet)
            }
        } catch {
            throw RoutingError(.failed, "route \(name): no UDP socket at the host port: \(ErrorText.of(error))")
        }
        if let known {
            // They lead to a socket of an earlier daemon.
            for leg in known.legs { try? await routing.removeLeg(leg.number, from: name) }
        } else {
            let route = RouteSpecification(
                name: name,
                source: SourceSpecification(
                    address: local.address, udpPort: udpPort + 1, port: local.port, source: host, joins: false),
                payload: .raw, accounting: .counters, isForced: true)
            _ = try await routing.add(route, owner: .session)
        }
        let leg = LegSpecification(address: host, udpPort: socket.udpPort, port: local.port)
        _ = try await routing.addLeg(leg, to: name, force: true)
        return Entry(udpPort: udpPort, rtcp: socket, hasRTPRoute: false)
    }

    private func add(
        _ name: String, _ local: NetworkAttachment, _ udpPort: UInt16, delivery: RouteSpecification.Delivery
    ) async throws(RoutingError) {
        if (try? await routing.route(name)) != nil { return }
        let route = RouteSpecification(
            name: name, source: SourceSpecification(address: local.address, udpPort: udpPort, port: local.port),
            payload: .raw, accounting: .counters, isForced: true, delivery: delivery)
        _ = try await routing.add(route, owner: .session)
    }

    private func socket(of route: String) async throws(RoutingError) -> DatagramSocket {
        let descriptor = try await routing.reservation(of: route)
        do {
            return try await DatagramSocket(
                descriptor: descriptor,
                receive: { [weak self] packet, from in self?.listeners[from]?(packet) })
        } catch {
            throw RoutingError(.failed, "route \(route): its socket cannot be read: \(ErrorText.of(error))")
        }
    }
}
