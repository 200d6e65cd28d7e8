// The match of a request's path with a route, and the upstream that follows from it.

/// A route's match, made once.
struct RouteMatcher {
    /// The result of a route for a path.
    enum Outcome: Hashable {
        /// It is for others.
        case other
        /// It is for this one, but what the path would put into the upstream's URL may not stand there.
        case refused
        /// The source of the streams; nil where somebody publishes them.
        case found(upstream: String?)
    }

    private let match: RTSPRoute.Match
    private let template: URLTemplate?
    private let upstream: String?
    // A Regex is not Sendable; the matcher stays on the proxy's actor.
    private let expression: Regex<AnyRegexOutput>?

    init(_ route: RTSPRoute) throws(RTSPRouteError) {
        match = route.match
        upstream = if case .upstream(let url) = route.source { url } else { nil }
        template = upstream.map { URLTemplate($0) }
        guard case .expression(let text) = route.match else {
            expression = nil
            return
        }
        do {
            expression = try Regex(text)
        } catch {
            throw RTSPRouteError(.invalid, "rtsp route \(route.name): '\(text)' is no regular expression: \(error)")
        }
    }

    /// The outcome for a path, with its query.
    func match(_ name: PathName) -> Outcome {
        let path = name.path
        switch match {
        case .path(let wanted): return wanted == path ? .found(upstream: upstream) : .other
        case .prefix(let prefix):
            let parent = prefix.hasSuffix("/") ? String(prefix.dropLast()) : prefix
            guard path == parent || path.hasPrefix(parent + "/") else { return .other }
            return .found(upstream: template?.appending(path.dropFirst(parent.count), query: name.query))
        case .expression:
            guard let expression, let found = path.wholeMatch(of: expression) else { return .other }
            guard let template else { return .found(upstream: nil) }
            return template.expanded(found.output.map(\.substring), query: name.query).map { .found(upstream: $0) }
                ?? .refused
        }
    }
}

extension RTSPRoute.Match {
    /// True if requests make the paths that it matches, so that their number has no end.
    var isOpenEnded: Bool { if case .path = self { false } else { true } }
}
