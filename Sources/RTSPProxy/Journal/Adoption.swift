// Going on after a restart of the daemon.

import AgentSupport
import Logging
import RTPWire
import RTSPCore
import Routing
import SDP

/// Takes up the sessions and upstreams of the journal, and takes out of the fast path what none of them owns.
@AgentActor
final class Adoption {
    private let context: ProxyContext
    private let journal: ProxyJournal
    private var upstreams: [String: UpstreamRecord] = [:]

    init(context: ProxyContext, journal: ProxyJournal) {
        self.context = context
        self.journal = journal
    }

    /// The record of a path's upstream, once.
    func upstream(of path: Path) -> UpstreamRecord? { upstreams.removeValue(forKey: path.path) }

    /// To be called once, before anybody can connect.
    func run(server: RTSPServer, paths: PathTable) async {
        let (sessions, records) = journal.read()
        var pathsInUse: [String: Path] = [:]
        for record in records {
            // A path whose route has gone, or goes by another name now, cannot be gone on with.
            guard let path = try? paths.path(named: record.path), path.routeName == record.routeName,
                case .upstream = path.route.source
            else {
                journal.remove(path: record.routeName)
                continue
            }
            upstreams[record.path] = record.upstream
            pathsInUse[record.path] = path
        }
        var owned: [String: Set<UInt32>] = [:]
        var adopted = 0
        // Publishers come before those who play their streams.
        for record in sessions where record.publisher != nil {
            guard let publisher = await adoptPublisher(record, server: server, paths: paths) else {
                journal.remove(session: record.name)
                continue
            }
            pathsInUse[record.core.path] = publisher.path
            adopted += 1
            for (route, leg) in publisher.legs { owned[route, default: []].insert(leg) }
        }
        for record in sessions where record.publisher == nil {
            guard let path = pathsInUse[record.core.path], !record.deliveries.isEmpty else {
                journal.remove(session: record.name)
                continue
            }
            path.adopt(record.deliveries.map(\.stream))
            await server.adopt(record, path: path)
            adopted += 1
            for delivery in record.deliveries { note(delivery, in: &owned) }
        }
        await removeWhatNobodyOwns(owned, paths: Array(pathsInUse.values))
        for path in pathsInUse.values { path.takeUp() }
        if !sessions.isEmpty {
            context.logger.info("rtsp: took over \(adopted) of \(sessions.count) sessions")
        }
    }

    /// Goes on with a publisher on UDP; nil where its path, its address or its UDP ports are not what they were.
    private func adoptPublisher(
        _ record: SessionRecord, server: RTSPServer, paths: PathTable
    ) async -> (path: Path, legs: [(route: String, leg: UInt32)])? {
        guard let known = record.publisher, let path = try? paths.path(named: record.core.path),
            case .publisher = path.route.source, let base = RTSPURL(known.base),
            let description = try? SessionDescription(parsing: known.description)
        else { return nil }
        let publisher = PublisherSource(
            context: context, path: path, description: description, base: base, peer: known.peer)
        do {
            for (index, stream) in record.core.streams {
                guard case .udp(let peer, let rtp, let rtcp) = stream.transport, index < publisher.streamCount else {
                    throw RoutingError(.invalid, "stream \(index) is none of UDP")
                }
                try await publisher.readopt(index, from: peer, rtpUDPPort: rtp, rtcpUDPPort: rtcp)
            }
            try path.publish(publisher, publisher.presentation)
        } catch {
            context.logger.warning("rtsp session \(record.name): its publisher is not taken over: \(error)")
            await publisher.close()
            return nil
        }
        server.adopt(record, publisher: publisher, path: path)
        return (path, publisher.ownLegs)
    }

    private func note(_ delivery: SessionRecord.Delivery, in owned: inout [String: Set<UInt32>]) {
        let legs: (UInt32?, UInt32?) =
            switch delivery.way {
            case .udp(_, _, _, let rtp, let rtcp): (rtp, rtcp)
            case .multicast(let rtp, let rtcp): (rtp, rtcp)
            }
        if let leg = legs.0 { owned[delivery.stream.rtpRoute, default: []].insert(leg) }
        if let leg = legs.1 { owned[delivery.stream.rtcpRoute, default: []].insert(leg) }
    }

    /// Legs of players on TCP, of the daemon itself, and of sessions that could not be taken over; and routes without a path.
    private func removeWhatNobodyOwns(_ owned: [String: Set<UInt32>], paths: [Path]) async {
        let mine = await context.routing.routes().filter {
            $0.owner == .session && $0.specification.name.hasPrefix("rtsp.")
        }
        let kept = mine.filter { route in
            context.playerPorts.routeNames.contains(route.specification.name)
                || paths.contains { route.specification.name.hasPrefix($0.routeName + ".") }
        }
        let names = Set(kept.map(\.specification.name))
        let removed = await context.routing.removeSessionRoutes(of: "rtsp.", except: names)
        if !removed.isEmpty {
            context.logger.info("rtsp: routes that nobody owns were removed: \(removed.joined(separator: ", "))")
        }
        for route in kept {
            let name = route.specification.name
            keepGroups(of: route, paths)
            for leg in route.legs where owned[name]?.contains(leg.number) != true {
                try? await context.routing.removeLeg(leg.number, from: name)
            }
        }
    }

    /// Receivers that only joined must find the streams in the groups that they have joined.
    private func keepGroups(of route: RouteReport, _ paths: [Path]) {
        let name = route.specification.name
        guard paths.contains(where: { $0.route.sendsMulticast && name.hasPrefix($0.routeName + ".") }),
            name.hasSuffix(".rtp")
        else { return }
        for leg in route.legs { context.groups.claim(leg.specification.address, for: name) }
    }
}
