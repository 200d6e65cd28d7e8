// Changes of the running routes by the configuration file, and the routes that it leaves alone.

/// The file's routes against the running ones: three versions of each, the file's, the running one, and what the file said when it was
/// applied last. Pure.
struct ConfigurationPlan {
    /// The changes that make the running routes what the file says.
    private(set) var changes: [RouteChange] = []
    private(set) var report = ReconcileReport()
    /// Routes that are as the file has them: that is to be remembered.
    private(set) var adopted: [RouteSpecification] = []
    /// Routes that were removed at run time and come back, or are in the file no more.
    private(set) var forgotten: Set<String> = []

    /// - Parameters:
    ///   - wanted: the routes of the file.
    ///   - running: every route that is carried or waits.
    ///   - withdrawn: the file's routes that were removed at run time, as the file had them.
    ///   - discardsChanges: whether changes of run time are undone.
    init(
        wanted: [RouteSpecification], running: [String: RouteIntent], withdrawn: [String: RouteSpecification],
        discardsChanges: Bool
    ) {
        let names = Set(wanted.map(\.name))
        // Removed routes go first and make room for new ones.
        for (name, intent) in running.sorted(by: { $0.key < $1.key })
        where intent.owner == .configuration && !names.contains(name) {
            if intent.configured != nil, !intent.isChangedLive || discardsChanges {
                changes.append(.remove(name))
                report.removed.append(name)
            } else {
                report.kept.append("route \(name): is not in the file, and was changed at run time")
            }
        }
        for name in withdrawn.keys where !names.contains(name) { forgotten.insert(name) }
        for route in wanted {
            if let intent = running[route.name] {
                take(route, over: intent, discardsChanges: discardsChanges)
            } else if withdrawn[route.name] != nil, !discardsChanges {
                report.kept.append("route \(route.name): is in the file, and was removed at run time")
            } else {
                changes.append(.add(route, owner: .configuration, configured: route))
                report.added.append(route.name)
                forgotten.insert(route.name)
            }
        }
    }

    private mutating func take(_ route: RouteSpecification, over intent: RouteIntent, discardsChanges: Bool) {
        let name = route.name
        switch intent.owner {
        case .session:
            report.failures.append(
                "route \(name): a session has a route of that name; choose another name, or end the session with "
                    + "'crosspoint session close'")
            return
        case .unknown:
            report.failures.append(
                "route \(name): a flow of that name goes on that nobody owns; remove it with 'crosspoint route remove \(name)'"
            )
            return
        case .configuration, .operator: break
        }
        if intent.specification.isSame(as: route) {
            report.unchanged.append(name)
            if intent.owner != .configuration || intent.configured != route { adopted.append(route) }
            return
        }
        let isUntouched = intent.owner == .configuration && intent.configured != nil && !intent.isChangedLive
        guard isUntouched || discardsChanges else {
            let what = intent.owner == .operator ? "was added at run time, and differs" : "was changed at run time"
            let difference = intent.specification.difference(from: route)
            report.kept.append("route \(name): \(what)\(difference.isEmpty ? "" : ": ")\(difference)")
            return
        }
        changes.append(.replace(route, owner: .configuration, configured: route))
        report.changed.append(name)
    }
}

extension RouteSpecification {
    /// The differences of this route from another of its name, in a few words.
    public func difference(from file: RouteSpecification) -> String {
        var parts: [String] = []
        if source != file.source { parts.append("from \(source) instead of \(file.source)") }
        let more = Set(legs).subtracting(file.legs).map(\.description).sorted()
        let fewer = Set(file.legs).subtracting(legs).map(\.description).sorted()
        if !more.isEmpty { parts.append("also to \(more.joined(separator: " and "))") }
        if !fewer.isEmpty { parts.append("not to \(fewer.joined(separator: " and "))") }
        func note<Value: Equatable>(_ key: String, _ value: (RouteSpecification) -> Value, _ text: (Value) -> String) {
            let (own, other) = (value(self), value(file))
            if own != other { parts.append("\(key) \(text(own)) instead of \(text(other))") }
        }
        note("payload", \.payload, \.rawValue)
        note("accounting", \.accounting, \.rawValue)
        note("clock", \.clockRate) { $0.map { "\($0)" } ?? "recognised" }
        note("rate", \.wireRate) { $0.map { BitRate(bitsPerSecond: $0).description } ?? "not given" }
        note("engine", \.engine, \.rawValue)
        note("delivery", \.delivery, \.rawValue)
        note("force", \.isForced) { "\($0)" }
        return parts.joined(separator: "; ")
    }
}
