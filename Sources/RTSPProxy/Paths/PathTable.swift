// The paths that requests are for.

import AgentSupport
import Logging
import RTPWire
import RTSPCore
import Sessions

/// The routes in the order in which they are tried, and the paths that players asked for.
@AgentActor
final class PathTable {
    private struct Entry {
        var route: RTSPRoute
        var isConfigured: Bool
        var matcher: RouteMatcher
    }

    /// Makes the source for a route with an upstream.
    typealias SourceFactory =
        @AgentActor (_ path: Path, _ upstream: String) throws(MediaSourceError) -> any MediaSource

    private let context: ProxyContext
    private let makeSource: SourceFactory
    private var entries: [Entry] = []
    private var paths: [String: Path] = [:]
    /// Paths of prefixes and expressions, by whoever asked for them first: each can have a connection to an upstream and flows, and
    /// whoever may connect can make them.
    private var made: ShareTable
    private var madeOfRoute: [String: Int] = [:]

    init(context: ProxyContext, makeSource: @escaping SourceFactory) {
        self.context = context
        made = ShareTable(
            limit: context.configuration.maximumPaths, share: context.configuration.maximumPathsPerAddress)
        self.makeSource = makeSource
    }

    /// The path for the text of a `PathName`, as a record has it.
    func path(named text: String) throws(MediaSourceError) -> Path? { try path(for: PathName(text: text)) }

    /// The path for a request, or nil: 404. A route with a path of its own is that path, whatever the query; one of a prefix or an expression
    /// passes the query on.
    ///
    /// - Parameter peer: The address that asks; nil for the node itself, which no limit of a source binds.
    func path(for name: PathName, from peer: IPAddress? = nil) throws(MediaSourceError) -> Path? {
        if let known = paths[name.text] { return known }
        for entry in entries {
            let upstream: String?
            let requested = (entry.route.match.isOpenEnded ? name : name.withoutQuery).text
            if let known = paths[requested], known.route.name == entry.route.name { return known }
            switch entry.matcher.match(name) {
            case .other: continue
            case .refused: return nil
            case .found(let url): upstream = url
            }
            // A peer that may not come there makes nothing.
            if let peer, !entry.route.allows(peer) {
                throw MediaSourceError(.forbidden, "route \(entry.route.name) does not allow this address")
            }
            let owner = try takePlace(for: entry.route, peer)
            let path = Path(
                route: entry.route, path: requested, routeName: routeName(entry.route, requested), owner: owner,
                context: context
            ) { [makeSource] path throws(MediaSourceError) in
                guard let upstream else {
                    throw MediaSourceError(.notFound, "path \(requested): nobody publishes there")
                }
                return try makeSource(path, upstream)
            }
            paths[requested] = path
            return path
        }
        return nil
    }

    /// A place for a path that a request makes, and who holds it; nil for one that the configuration names.
    private func takePlace(for route: RTSPRoute, _ peer: IPAddress?) throws(MediaSourceError) -> SourceKey? {
        guard route.match.isOpenEnded else { return nil }
        let source = SourceKey(peer ?? .unspecified)
        let isExempt = peer.map { context.shares.isTrusted($0) } ?? true
        guard take(for: source, isExempt: isExempt, route) != nil else { return source }
        discardIdlePaths()
        guard let refusal = take(for: source, isExempt: isExempt, route) else { return source }
        throw refusal.error
    }

    /// The reason for which a request makes no further path.
    private enum Refusal: Hashable {
        case source(SourceKey, Int), route(String, Int), total(Int)

        var error: MediaSourceError {
            switch self {
            case .source(let source, let count):
                MediaSourceError(
                    .notEnoughBandwidth, "\(source) uses \(count) paths or more (max-paths-per-address)")
            case .route(let name, let count):
                MediaSourceError(
                    .notEnoughBandwidth, "\(count) paths of route \(name) are in use (max-paths-per-route)")
            case .total(let count):
                MediaSourceError(.notEnoughBandwidth, "\(count) paths are in use (max-paths)")
            }
        }
    }

    private func take(for source: SourceKey, isExempt: Bool, _ route: RTSPRoute) -> Refusal? {
        let ofRoute = madeOfRoute[route.name, default: 0]
        guard ofRoute < context.configuration.maximumPathsPerRoute else { return .route(route.name, ofRoute) }
        switch made.take(for: source, isExempt: isExempt) {
        case .source: return .source(source, made.held(by: source))
        case .total: return .total(made.total)
        case nil:
            madeOfRoute[route.name] = ofRoute + 1
            return nil
        }
    }

    /// The time for which a path that nobody uses keeps its place: that of an upstream that cannot be opened is not
    /// called again at once.
    private static let idleLife: UInt64 = 2_000_000_000

    /// Idle paths are made again when they are asked for.
    private func discardIdlePaths() {
        let now = MonotonicClock.now
        for (requested, path) in paths where path.owner != nil && path.isIdle(for: Self.idleLife, at: now) {
            discard(requested)
        }
    }

    /// Forgets a path that a request made, if nobody uses it.
    func discard(unused name: PathName) {
        let requested = name.text
        guard let path = paths[requested], path.owner != nil, path.isIdle(for: 0, at: MonotonicClock.now) else {
            return
        }
        discard(requested)
    }

    private func discard(_ requested: String) {
        guard let path = paths.removeValue(forKey: requested), let owner = path.owner else { return }
        made.giveBack(from: owner)
        let rest = madeOfRoute[path.route.name, default: 1] - 1
        madeOfRoute[path.route.name] = rest == 0 ? nil : rest
    }

    /// A name of letters, digits, `-`, `_` and `.`, short enough for what is added to it.
    private func routeName(_ route: RTSPRoute, _ path: String) -> String {
        if case .path = route.match, route.name.utf8.count <= 40 { return "rtsp.\(route.name)" }
        // FNV-1a: distinguishes the paths of one route, and is the same after a restart.
        let hash = path.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return "rtsp.\(route.name.prefix(30)).\(String(hash, radix: 16))"
    }

    // MARK: Routes

    var routes: [(route: RTSPRoute, isConfigured: Bool)] { entries.map { ($0.route, $0.isConfigured) } }

    /// The paths of a route that anybody asked for.
    func paths(of route: String) -> [Path] { paths.values.filter { $0.route.name == route } }

    func add(_ route: RTSPRoute, isConfigured: Bool) throws(RTSPRouteError) {
        if entries.contains(where: { $0.route.name == route.name }) {
            throw RTSPRouteError(
                .conflict, "rtsp route \(route.name): exists already; remove it, or choose another name")
        }
        if let other = entries.first(where: { $0.route.match == route.match }) {
            throw RTSPRouteError(
                .conflict,
                "rtsp route \(route.name): route \(other.route.name) has its path, and would hide one of them; remove that, or "
                    + "choose another path")
        }
        if route.sendsMulticast, context.configuration.multicast == nil {
            throw RTSPRouteError(
                .invalid,
                "rtsp route \(route.name): is sent to groups, but rtsp.multicast names none; give it a pool of groups")
        }
        let matcher = try RouteMatcher(route)
        let entry = Entry(route: route, isConfigured: isConfigured, matcher: matcher)
        // The configuration's come first.
        let position = isConfigured ? entries.prefix { $0.isConfigured }.count : entries.count
        entries.insert(entry, at: position)
    }

    /// Opens the sources that are kept whether anybody asks or not.
    func openAlways() {
        for entry in entries where entry.route.isAlwaysOpen {
            guard case .path(let requested) = entry.route.match, let path = try? path(for: PathName(path: requested))
            else {
                continue
            }
            path.keepOpen()
        }
    }

    /// Makes the configuration's routes equal to `routes`; the paths of those that stay as they are continue.
    func reconcile(_ routes: [RTSPRoute]) async {
        let wanted = Dictionary(routes.map { ($0.name, $0) }) { first, _ in first }
        for entry in entries where entry.isConfigured && wanted[entry.route.name] != entry.route {
            try? await remove(entry.route.name)
        }
        // One that was added at run time and has been saved since is the configuration's from now on.
        for index in entries.indices where wanted[entries[index].route.name] == entries[index].route {
            entries[index].isConfigured = true
        }
        for route in routes where !entries.contains(where: { $0.route.name == route.name }) {
            do throws(RTSPRouteError) { try add(route, isConfigured: true) } catch { context.logger.error("\(error)") }
        }
        // They are tried in the order of the file.
        let order = Dictionary(routes.enumerated().map { ($1.name, $0) }) { first, _ in first }
        let configured = entries.filter(\.isConfigured).sorted {
            order[$0.route.name, default: 0] < order[$1.route.name, default: 0]
        }
        entries = configured + entries.filter { !$0.isConfigured }
    }

    // MARK: Upstreams as sessions

    /// The node's own sessions at upstreams.
    func upstreamReports() -> [SessionReport] { paths.values.compactMap(\.upstreamReport) }

    /// Ends the session at an upstream, and with it those of its players. False: there is none of the name.
    func close(upstream name: String) async -> Bool {
        guard let path = paths.values.first(where: { $0.upstreamReport?.name == name }) else { return false }
        await path.reset(MediaSourceError(.serviceUnavailable, "an operator closed the upstream's session"))
        return true
    }

    func remove(_ name: String) async throws(RTSPRouteError) {
        guard let index = entries.firstIndex(where: { $0.route.name == name }) else {
            throw RTSPRouteError(.notFound, "rtsp route \(name): no such route; 'crosspoint rtsp route list' shows all")
        }
        entries.remove(at: index)
        for (requested, path) in paths where path.route.name == name {
            discard(requested)
            await path.close()
        }
    }
}
