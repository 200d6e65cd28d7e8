// Applying the configuration file.

import Events
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

    /// Each route by itself: one that cannot be carried waits, and keeps no other from it. A leg whose interface is not there yet waits
    /// alone.
    private func start(_ plan: ConfigurationPlan, _ report: inout ReconcileReport) async {
        // Together they are one act; only where that cannot be they are tried one by one.
        do throws(RoutingError) {
            try await carryOut(plan.changes, with: bookkeeping(of: plan), legsMayWait: true)
            return remember(plan)
        } catch {
            if plan.changes.count > 1 { logger.debug("the routes of the file cannot be carried as a whole: \(error)") }
        }
        for change in plan.changes {
            do throws(RoutingError) {
                try await carryOut([change], with: [], legsMayWait: true)
            } catch {
                report.failures.append(
                    error.message.hasPrefix("route \(change.route): ") ? "\(error)" : "route \(change.route): \(error)")
                report.added.removeAll { $0 == change.route }
                report.changed.removeAll { $0 == change.route }
                report.removed.removeAll { $0 == change.route }
                if case .add(let route, let owner, let configured) = change {
                    events.record(.error, .routeRefused, route.name, "route \(route.name): waits: \(error)")
                    setAside.refused[route.name] = .init(
                        intent: RouteIntent(specification: route, owner: owner, configured: configured), reason: error)
                }
            }
        }
        do throws(RoutingError) {
            try journal.append(try bookkeeping(of: plan))
            remember(plan)
        } catch {
            report.failures.append("\(error)")
        }
    }

    /// All of it, or nothing.
    private func reload(_ plan: ConfigurationPlan, isDryRun: Bool, _ report: inout ReconcileReport) async {
        guard report.failures.isEmpty else { return Self.clear(&report) }
        do throws(RoutingError) {
            if isDryRun {
                let waiting = takeRefused(of: plan.changes)
                defer { putBack(waiting) }
                _ = try self.plan(Self.changes(plan.changes, without: waiting))
            } else {
                try await carryOut(plan.changes, with: bookkeeping(of: plan))
                remember(plan)
            }
        } catch {
            report.failures = error.details.isEmpty ? ["\(error)"] : error.details
            Self.clear(&report)
        }
    }

    /// Nothing of it has happened.
    private static func clear(_ report: inout ReconcileReport) {
        (report.added, report.changed, report.removed) = ([], [], [])
    }

    /// Makes changes of the file live, as a whole or not at all. A route that is refused is not carried: it is replaced by a new one, or
    /// goes, together with what it left of an earlier process.
    private func carryOut(
        _ changes: [RouteChange], with bookkeeping: [JournalChange], legsMayWait: Bool = false
    ) async throws(RoutingError) {
        let waiting = takeRefused(of: changes)
        let remains = waiting.filter { $0.value.journalled != nil }
        let records = remains.keys.sorted().flatMap { journal.removal(of: $0) } + bookkeeping
        let wanted = Self.changes(changes, without: waiting)
        let aftermath: CommitAftermath
        do throws(RoutingError) {
            if wanted.isEmpty {
                try journal.append(records)
                aftermath = CommitAftermath()
            } else {
                aftermath = try makeLive(wanted, with: records, legsMayWait: legsMayWait)
            }
        } catch {
            putBack(waiting)
            throw error
        }
        for (name, route) in remains { removeRemains(of: name, route) }
        if !remains.isEmpty { dropWhatNobodyOwns() }
        await finish(aftermath)
    }

    /// Takes the refused routes that changes are about from those that wait.
    private func takeRefused(of changes: [RouteChange]) -> [String: SetAsideRoutes.Refused] {
        var waiting: [String: SetAsideRoutes.Refused] = [:]
        for change in changes { waiting[change.route] = setAside.refused.removeValue(forKey: change.route) }
        return waiting
    }

    private func putBack(_ waiting: [String: SetAsideRoutes.Refused]) {
        setAside.refused.merge(waiting) { _, waiting in waiting }
    }

    /// The changes that are left of these where the routes that wait are not in the table.
    private static func changes(
        _ changes: [RouteChange], without waiting: [String: SetAsideRoutes.Refused]
    ) -> [RouteChange] {
        changes.compactMap { change in
            guard waiting[change.route] != nil else { return change }
            switch change {
            case .replace(let route, _, let configured):
                return .add(route, owner: .configuration, configured: configured)
            case .remove: return nil
            case .add, .setLeg: return change
            }
        }
    }

    /// The records of what the file said: of routes that were equal to it already, and of removals that it no longer concerns.
    private func bookkeeping(of plan: ConfigurationPlan) throws(RoutingError) -> [JournalChange] {
        var records: [JournalChange] = []
        for route in plan.adopted {
            guard var state = table[route.name] else { continue }
            state.intent.owner = .configuration
            state.intent.configured = route
            records.append(try RouteLog.change(state))
        }
        for name in plan.forgotten.sorted() where withdrawn[name] != nil {
            records.append(JournalChange(WithdrawnRecord.key(name), nil))
        }
        return records
    }

    private func remember(_ plan: ConfigurationPlan) {
        for name in plan.forgotten { withdrawn[name] = nil }
        for route in plan.adopted {
            table[route.name]?.intent.owner = .configuration
            table[route.name]?.intent.configured = route
        }
    }
}
