// The routes of a call.

import AgentSupport
import Logging
import RTPWire
import Routing

/// Owns a call's routes in the fast path: brings them to what is planned, and removes each once.
@AgentActor
final class MediaRoutes {
    private let context: MediaContext
    /// The beginning of the routes' names: `sip.NAME.`.
    private let prefix: String
    private(set) var streams: [StreamKey: InstalledStream]
    /// The totals of routes that are gone.
    private(set) var totals: [StreamKey: StreamTotals]
    /// Told of the first packet of a route whose source is new, or to be learned.
    var onFirstPacket: (@AgentActor (SessionRouteEvent) -> Void)?

    /// - Parameters:
    ///   - streams: What an earlier daemon left.
    ///   - totals: What its removed routes had carried.
    init(
        context: MediaContext, call: String, streams: [StreamKey: InstalledStream] = [:],
        totals: [StreamKey: StreamTotals] = [:]
    ) {
        self.context = context
        prefix = "sip.\(call)."
        self.streams = streams
        self.totals = totals
    }

    /// The names of all routes.
    var names: [String] { streams.values.flatMap { $0.routes.map(\.name) } }

    /// The sources as they are, by stream.
    var sources: [StreamKey: SourceSpecification] { streams.mapValues(\.current.source) }

    // MARK: To a plan

    /// A step of the way to a plan.
    private struct Addition {
        var key: StreamKey
        var role: Role
        var route: RouteSpecification

        enum Role { case current, other }
    }

    /// Makes the routes as planned: first what is new, then what changes, then what goes. On an error everything is as it was.
    ///
    /// A peer whose source has changed is heard at the old one too, until `settle` says that media come from the new one.
    ///
    /// - Parameter hearsFormer: False where who sent before is not the peer any more: then nothing of him is left at once.
    func apply(_ plan: [StreamKey: PlannedStream], hearsFormer: Bool = true) async throws(RoutingError) {
        let before = streams
        let added = try await add(plan)
        do {
            try await change(plan)
        } catch {
            await revert(to: before, removing: added)
            throw error
        }
        await removeSurplus(plan, hearsFormer: hearsFormer)
    }

    /// Adds the routes that are missing, in one step; returns their names.
    private func add(_ plan: [StreamKey: PlannedStream]) async throws(RoutingError) -> [String] {
        var additions: [Addition] = []
        for (key, planned) in plan.sorted(by: { $0.key < $1.key }) {
            for (source, role) in [(planned.source, Addition.Role.current), (planned.alternative, .other)] {
                guard let source, streams[key]?.routes.contains(where: { $0.source == source }) != true else {
                    continue
                }
                if streams[key]?.routes.contains(where: { Self.excludes($0.source, source) }) == true { continue }
                let route = specification(planned, source, name: nextName(key, after: additions))
                additions.append(Addition(key: key, role: role, route: route))
            }
        }
        guard !additions.isEmpty else { return [] }
        for addition in additions where plan[addition.key]?.learns == true || streams[addition.key] != nil {
            await listen(to: addition.route.name)
        }
        let reports: [RouteReport]
        do {
            reports = try await context.routing.add(sessionRoutes: additions.map(\.route))
        } catch {
            for addition in additions { context.routeEvents.ignore(addition.route.name) }
            throw error
        }
        for (addition, report) in zip(additions, reports) {
            let installed = InstalledRoute(
                name: report.specification.name, source: report.specification.source,
                legs: Dictionary(report.legs.map { ($0.number, $0.specification) }) { first, _ in first },
                isAlternative: addition.role == .other)
            enter(installed, as: addition.role, of: addition.key)
        }
        return additions.map(\.route.name)
    }

    private func listen(to name: String) async {
        await context.routeEvents.listen(to: name) { [weak self] event in
            if event.kind == .firstPacket { self?.onFirstPacket?(event) }
        }
    }

    private func enter(_ route: InstalledRoute, as role: Addition.Role, of key: StreamKey) {
        guard var stream = streams[key] else {
            streams[key] = InstalledStream(current: route)
            return
        }
        switch role {
        case .current:
            stream.others.append(stream.current)
            stream.current = route
        case .other: stream.others.append(route)
        }
        stream.generation += 1
        streams[key] = stream
    }

    private func nextName(_ key: StreamKey, after additions: [Addition]) -> String {
        nextName(key, generation: (streams[key]?.generation ?? 0) + additions.count { $0.key == key })
    }

    private func nextName(_ key: StreamKey, generation: Int) -> String {
        let name = "\(prefix)\(key.index).\(key.side.rawValue).\(key.isRTCP ? "rtcp" : "rtp")"
        return generation == 0 ? name : "\(name)-\(generation)"
    }

    private func specification(
        _ planned: PlannedStream, _ source: SourceSpecification, name: String
    ) -> RouteSpecification {
        RouteSpecification(
            name: name, source: source, legs: planned.legs, payload: planned.payload, clockRate: planned.clockRate)
    }

    /// True if two sources cannot be routes side by side: packets of one would be those of the other.
    private static func excludes(_ a: SourceSpecification, _ b: SourceSpecification) -> Bool {
        guard isSamePlace(a, b) else { return false }
        if a.source == nil || b.source == nil { return true }
        guard a.source == b.source else { return false }
        return a.sourceUDPPort == nil || b.sourceUDPPort == nil || a.sourceUDPPort == b.sourceUDPPort
    }

    private static func isSamePlace(_ a: SourceSpecification, _ b: SourceSpecification) -> Bool {
        a.address == b.address && a.udpPort == b.udpPort && a.port == b.port
    }

    /// Gives the routes that stay their source and their legs.
    private func change(_ plan: [StreamKey: PlannedStream]) async throws(RoutingError) {
        for (key, planned) in plan.sorted(by: { $0.key < $1.key }) {
            try await promote(planned.source, of: key)
            guard let stream = streams[key] else { continue }
            for route in stream.routes { try await setLegs(planned.legs, of: route.name, key) }
        }
    }

    /// Makes the route of a source the current one; where none could be added beside the others, the current one takes the source.
    private func promote(_ source: SourceSpecification, of key: StreamKey) async throws(RoutingError) {
        guard var stream = streams[key], stream.current.source != source else { return }
        if let index = stream.others.firstIndex(where: { $0.source == source }) {
            var route = stream.others.remove(at: index)
            route.isAlternative = false
            stream.others.append(stream.current)
            stream.current = route
            streams[key] = stream
            return
        }
        // The others would take its packets too, or it theirs.
        let excluded = stream.others.filter { Self.excludes($0.source, source) }.map(\.name)
        if !excluded.isEmpty { await removeRoutes(excluded) }
        _ = try await context.routing.take(route: stream.current.name, source: source)
        streams[key]?.current.source = source
    }

    private func setLegs(
        _ wanted: [LegSpecification], of name: String, _ key: StreamKey
    ) async throws(RoutingError) {
        guard let route = streams[key]?.routes.first(where: { $0.name == name }) else { return }
        let numbers = route.legs.keys.sorted()
        var missing = wanted.filter { leg in !route.legs.values.contains(leg) }
        var free = numbers.filter { number in route.legs[number].map { !wanted.contains($0) } ?? false }
        while let leg = missing.first, let number = free.first {
            _ = try await context.routing.setLeg(number, of: name, to: leg)
            update(name, key) { $0.legs[number] = leg }
            missing.removeFirst()
            free.removeFirst()
        }
        for leg in missing {
            let report = try await context.routing.addLeg(leg, to: name, force: false)
            update(name, key) { $0.legs[report.number] = leg }
        }
    }

    private func update(_ name: String, _ key: StreamKey, _ body: (inout InstalledRoute) -> Void) {
        if streams[key]?.current.name == name {
            streams[key]?.current.mutate(body)
        } else if let index = streams[key]?.others.firstIndex(where: { $0.name == name }) {
            streams[key]?.others[index].mutate(body)
        }
    }

    /// Takes out what the plan has not: streams, routes at places that were left, and legs.
    private func removeSurplus(_ plan: [StreamKey: PlannedStream], hearsFormer: Bool) async {
        var routes: [String] = []
        var legs: [(name: String, number: UInt32, key: StreamKey)] = []
        for (key, stream) in streams {
            guard let planned = plan[key] else {
                routes += stream.routes.map(\.name)
                continue
            }
            routes += stream.others.filter { other in
                other.isAlternative
                    ? other.source != planned.alternative
                    : !hearsFormer || !Self.isSamePlace(other.source, planned.source)
            }.map(\.name)
            for route in stream.routes where !routes.contains(route.name) {
                for (number, leg) in route.legs where !planned.legs.contains(leg) {
                    legs.append((route.name, number, key))
                }
            }
        }
        // All wait for the same grace period.
        let gone = routes
        async let removal: Void = gone.isEmpty ? () : removeRoutes(gone)
        let removals = legs.map { leg in
            Task { @AgentActor in await removeLeg(leg.number, of: leg.name, leg.key) }
        }
        for removal in removals { await removal.value }
        await removal
    }

    private func removeLeg(_ number: UInt32, of name: String, _ key: StreamKey) async {
        update(name, key) { $0.legs[number] = nil }
        do throws(RoutingError) {
            try await context.routing.removeLeg(number, from: name)
        } catch {
            if error.code != .notFound { context.logger.warning("route \(name) leg \(number): \(error)") }
        }
    }

    /// Removes routes, and notes what they have carried.
    private func removeRoutes(_ names: [String]) async {
        let gone = Set(names)
        var keys: [String: StreamKey] = [:]
        for (key, stream) in streams {
            for route in stream.routes where gone.contains(route.name) {
                context.routeEvents.ignore(route.name)
                keys[route.name] = key
            }
            var rest = stream.routes.filter { !gone.contains($0.name) }
            if rest.isEmpty {
                streams[key] = nil
            } else if rest.count < stream.routes.count {
                streams[key]?.current = rest.removeFirst()
                streams[key]?.others = rest
            }
        }
        for (name, progress) in await context.routing.remove(sessionRoutes: names) {
            if let key = keys[name] { totals[key, default: StreamTotals()].add(progress) }
        }
    }

    private func revert(to before: [StreamKey: InstalledStream], removing added: [String]) async {
        if !added.isEmpty { await removeRoutes(added) }
        for (key, stream) in before {
            for old in stream.routes {
                do throws(RoutingError) {
                    if let now = streams[key]?.routes.first(where: { $0.name == old.name }), now.source != old.source {
                        _ = try await context.routing.take(route: old.name, source: old.source)
                        update(old.name, key) { $0.source = old.source }
                    }
                    try await setLegs(Array(old.legs.values), of: old.name, key)
                    for number in streams[key]?.routes.first(where: { $0.name == old.name })?.legs.keys.sorted() ?? []
                    where old.legs[number] == nil {
                        await removeLeg(number, of: old.name, key)
                    }
                } catch {
                    context.logger.error("route \(old.name): could not be given back what it had: \(error)")
                }
            }
        }
    }

    // MARK: Sources that have moved

    /// Media come on the named route: the other routes of its stream go. Returns whether there were any.
    func settle(_ name: String) async -> Bool {
        guard let key = key(of: name), var stream = streams[key], !stream.others.isEmpty else { return false }
        if let index = stream.others.firstIndex(where: { $0.name == name }) {
            var route = stream.others.remove(at: index)
            route.isAlternative = false
            stream.others.append(stream.current)
            stream.current = route
            streams[key] = stream
        }
        await removeRoutes(stream.others.map(\.name))
        return true
    }

    /// Has the route that a source is to be learned on tell of its next packet as of a first one.
    func rearm(_ name: String, of planned: PlannedStream) async throws(RoutingError) {
        guard let key = key(of: name), let stream = streams[key],
            let old = stream.routes.first(where: { $0.name == name })
        else { return }
        await removeRoutes([name])
        let new = nextName(key, generation: stream.generation)
        await listen(to: new)
        let reports = try await context.routing.add(
            sessionRoutes: [specification(planned, old.source, name: new)])
        guard let report = reports.first else { return }
        let installed = InstalledRoute(
            name: new, source: old.source,
            legs: Dictionary(report.legs.map { ($0.number, $0.specification) }) { first, _ in first },
            isAlternative: old.isAlternative)
        if streams[key] == nil {
            streams[key] = InstalledStream(current: installed, generation: stream.generation + 1)
        } else {
            enter(installed, as: old.isAlternative ? .other : .current, of: key)
        }
    }

    /// The stream that a route carries.
    func key(of name: String) -> StreamKey? {
        streams.first { $0.value.routes.contains { $0.name == name } }?.key
    }

    /// Removes everything.
    func removeAll() async {
        let all = names
        if !all.isEmpty { await removeRoutes(all) }
    }

    /// Takes note of a route that does not exist any more, since somebody else has removed it.
    func forget(_ names: Set<String>) {
        for (key, stream) in streams {
            var rest = stream.routes.filter { !names.contains($0.name) }
            if rest.isEmpty {
                streams[key] = nil
            } else {
                streams[key]?.current = rest.removeFirst()
                streams[key]?.others = rest
            }
        }
    }
}

extension InstalledRoute {
    fileprivate mutating func mutate(_ body: (inout InstalledRoute) -> Void) { body(&self) }
}
