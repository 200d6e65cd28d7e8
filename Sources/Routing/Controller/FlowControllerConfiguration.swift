// Applying the configuration file.

import Journal
import Logging

extension FlowController {
    public func reconcile(
        configuration routes: [RouteSpecification], _ mode: ReconcileMode
    ) async -> ReconcileReport {
        var discards = false
        var isDryRun = false
        if case .reload(discardsChanges: let discardsChanges, isDryRun: let dry) = mode {
            (discards, isDryRun) = (discardsChanges, dry)
        }
        let plan = ConfigurationPlan(
            wanted: routes, running: intents(besides: routes), withdrawn: withdrawn, discardsChanges: discards)
        var report = plan.report
        switch mode {
        case .start: await start(plan, &report)
        case .reload: await reload(plan, isDryRun: isDryRun, &report)
        }
        if !isDryRun { report.failures += renewKeys() }
        return report
    }

    /// The intents of now: of routes that are refused, those that the file still has as they are count as there.
    private func intents(besides routes: [RouteSpecification]) -> [String: RouteIntent] {
        var intents = Dictionary(table.values.map { ($0.specification.name, $0.intent) }) { first, _ in first }
        for (name, route) in setAside.refused { intents[name] = route.intent }
        for name in setAside.quarantined.keys {
            let place = routes.first { $0.name == name }
            intents[name] = place.map { RouteIntent(specification: $0, owner: .unknown) }
        }
        return intents
    }

    /// Each route by itself: one that cannot be carried waits, and keeps no other from it.
    private func start(_ plan: ConfigurationPlan, _ report: inout ReconcileReport) async {
        // Together they are one act; only where that cannot be they are tried one by one.
        do throws(RoutingError) {
            try await carryOut(plan.changes, plan)
            return
        } catch {
            if plan.changes.count > 1 { logger.debug("the routes of the file cannot be carried as a whole: \(error)") }
        }
        for change in plan.changes {
            do throws(RoutingError) {
                try await carryOut([change], plan)
            } catch {
                report.failures.append(
                    error.message.hasPrefix("route \(change.route): ") ? "\(error)" : "route \(change.route): \(error)")
                report.added.removeAll { $0 == change.route }
                report.changed.removeAll { $0 == change.route }
                report.removed.removeAll { $0 == change.route }
                if case .add(let route, let owner, let configured) = change {
                    setAside.refused[route.name] = .init(
                        intent: RouteIntent(specification: route, owner: owner, configured: configured), reason: error)
                }
            }
        }
        do throws(RoutingError) { try await carryOut([], plan) } catch { report.failures.append("\(error)") }
    }

    /// All of it, or nothing.
    private func reload(_ plan: ConfigurationPlan, isDryRun: Bool, _ report: inout ReconcileReport) async {
        guard report.failures.isEmpty else { return Self.clear(&report) }
        // What waits is not carried: it is replaced, or goes, without a change of what runs.
        let changes = plan.changes.compactMap { change -> RouteChange? in
            guard setAside.refused[change.route] != nil else { return change }
            switch change {
            case .replace(let route, _, let configured):
                return .add(route, owner: .configuration, configured: configured)
            case .remove: return nil
            default: return change
            }
        }
        let waiting = setAside.refused.filter { name, _ in plan.changes.contains { $0.route == name } }
        for name in waiting.keys { setAside.refused[name] = nil }
        do throws(RoutingError) {
            if isDryRun {
                _ = try self.plan(changes)
                setAside.refused.merge(waiting) { _, waiting in waiting }
            } else {
                try await carryOut(changes, plan)
            }
        } catch {
            setAside.refused.merge(waiting) { _, waiting in waiting }
            report.failures = error.details.isEmpty ? ["\(error)"] : error.details
            Self.clear(&report)
        }
    }

    /// Nothing of it has happened.
    private static func clear(_ report: inout ReconcileReport) {
        (report.added, report.changed, report.removed) = ([], [], [])
    }

    /// Makes changes of the file live, and remembers what the file said.
    private func carryOut(_ changes: [RouteChange], _ plan: ConfigurationPlan) async throws(RoutingError) {
        var records: [JournalChange] = []
        for route in plan.adopted {
            guard var state = table[route.name] else { continue }
            state.intent.owner = .configuration
            state.intent.configured = route
            records.append(try RouteLog.change(state))
        }
        let forgotten = plan.forgotten.filter { withdrawn[$0] != nil }
        records += forgotten.map { JournalChange(WithdrawnRecord.key($0), nil) }
        if changes.isEmpty {
            try journal.append(records)
        } else {
            try await commit(changes, with: records)
        }
        for name in forgotten { withdrawn[name] = nil }
        for route in plan.adopted {
            table[route.name]?.intent.owner = .configuration
            table[route.name]?.intent.configured = route
        }
    }
}
