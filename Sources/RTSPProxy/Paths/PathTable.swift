// Which path a request is for.

import AgentSupport
import Logging
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
    /// Paths of prefixes and expressions: whoever may connect can make them, so that their number is bounded.
    private static let maximumPaths = 4096

    init(context: ProxyContext, makeSource: @escaping SourceFactory) {
        self.context = context
        self.makeSource = makeSource
    }

    /// The path for a request's normalised path, or nil: 404.
    func path(for requested: String) throws(MediaSourceError) -> Path? {
        if let known = paths[requested] { return known }
        for entry in entries {
            guard let upstream = entry.matcher.match(requested, source: entry.route.source) else { continue }
            discardIdlePaths()
            guard paths.count < Self.maximumPaths else {
                throw MediaSourceError(
                    .serviceUnavailable, "\(paths.count) paths are in use, as many as this node takes")
            }
            let path = Path(
                route: entry.route, path: requested, routeName: routeName(entry.route, requested), context: context
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

    /// Idle paths are made again when they are asked for.
    private func discardIdlePaths() {
        guard paths.count >= Self.maximumPaths else { return }
        paths = paths.filter { $0.value.users > 0 || $0.value.report.state != "idle" }
    }

    /// A name of letters, digits, `-`, `_` and `.`, short enough for what is added to it.
    private func routeName(_ route: RTSPRoute, _ path: String) -> String {
        if case .path = route.match, route.name.utf8.count <= 40 { return "rtsp.\(route.name)" }
        // FNV-1a: tells the paths of one route apart, and is the same after a restart.
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
            guard case .path(let requested) = entry.route.match, let path = try? path(for: requested) else { continue }
            path.keepOpen()
        }
    }

    /// Makes the configuration's routes equal to `routes`; the paths of those that stay as they are go on.
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
            paths[requested] = nil
            await path.close()
        }
    }
}
