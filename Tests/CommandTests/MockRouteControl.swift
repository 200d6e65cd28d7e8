// A route control without a fast path, for tests of what stands before it.

import RTPWire
import Events
import Routing

actor MockRouteControl: RouteControl {
    private var reports: [String: RouteReport] = [:]
    private var nextLeg: UInt32 = 1
    /// The names of routes that are refused for lack of room.
    private var full: Set<String> = []

    /// The author of the last route that was added.
    private(set) var lastAuthor: String?

    func refuse(_ name: String) { full.insert(name) }

    private func leg(_ specification: LegSpecification) -> LegReport {
        defer { nextLeg += 1 }
        return LegReport(
            number: nextLeg, specification: specification, state: .active, reason: nil,
            nextHop: "\(specification.address) 02:00:00:00:00:01")
    }

    func add(_ route: RouteSpecification, owner: RouteOwner) async throws(RoutingError) -> RouteReport {
        lastAuthor = EventAuthor.current
        guard reports[route.name] == nil else {
            throw RoutingError(.conflict, "route '\(route.name)' is there; choose another name")
        }
        guard !full.contains(route.name) else {
            throw RoutingError(.capacity, "port eth1 has 1Gb/s left, route '\(route.name)' needs 2Gb/s; use --force")
        }
        let report = RouteReport(
            specification: route, owner: owner, engine: "kernel", engineReason: "nothing needs another",
            membership: "joined", legs: route.legs.map(leg))
        reports[route.name] = report
        return report
    }

    func remove(route name: String) async throws(RoutingError) {
        _ = try await route(name)
        reports[name] = nil
    }

    func take(route name: String, source: SourceSpecification) async throws(RoutingError) -> RouteReport {
        var report = try await route(name)
        report.specification.source = source
        reports[name] = report
        return report
    }

    func addLeg(_ leg: LegSpecification, to name: String, force: Bool) async throws(RoutingError) -> LegReport {
        var report = try await route(name)
        let new = self.leg(leg)
        report.legs.append(new)
        report.specification.legs.append(leg)
        reports[name] = report
        return new
    }

    private func index(_ number: UInt32, _ report: RouteReport) throws(RoutingError) -> Int {
        guard let index = report.legs.firstIndex(where: { $0.number == number }) else {
            throw RoutingError(.notFound, "route '\(report.specification.name)' has no leg \(number)")
        }
        return index
    }

    func setEngine(_ engine: RouteSpecification.Engine, of name: String) async throws(RoutingError) -> RouteReport {
        var report = try await route(name)
        report.specification.engine = engine
        report.engine = engine == .afxdp ? "afxdp" : "kernel"
        report.engineReason = "asked for"
        reports[name] = report
        return report
    }

    func removeLeg(_ number: UInt32, from name: String) async throws(RoutingError) {
        var report = try await route(name)
        report.legs.remove(at: try index(number, report))
        report.specification.legs = report.legs.map(\.specification)
        reports[name] = report
    }

    func setLeg(_ number: UInt32, of name: String, to leg: LegSpecification) async throws(RoutingError) -> LegReport {
        var report = try await route(name)
        let index = try index(number, report)
        report.legs[index].specification = leg
        report.specification.legs = report.legs.map(\.specification)
        reports[name] = report
        return report.legs[index]
    }

    func route(_ name: String) async throws(RoutingError) -> RouteReport {
        guard let report = reports[name] else {
            throw RoutingError(.notFound, "there is no route '\(name)'; 'crosspoint route list' lists the routes")
        }
        return report
    }

    func routes() async -> [RouteReport] { reports.values.sorted { $0.specification.name < $1.specification.name } }

    func apply(_ changes: [RouteChange]) async throws(RoutingError) -> [RouteReport] {
        let before = reports
        var changed: [RouteReport] = []
        do throws(RoutingError) {
            for change in changes {
                switch change {
                case .add(let route, let owner, _): changed.append(try await add(route, owner: owner))
                case .replace(let route, let owner, _):
                    let old = try await self.route(route.name)
                    reports[route.name] = nil
                    changed.append(try await add(route, owner: owner ?? old.owner))
                case .setLeg(let number, let name, let leg): _ = try await setLeg(number, of: name, to: leg)
                case .remove(let name): try await remove(route: name)
                }
            }
        } catch {
            reports = before
            throw error
        }
        return changed
    }

    func problems(with changes: [RouteChange]) async throws(RoutingError) {
        let before = reports
        defer { reports = before }
        _ = try await apply(changes)
    }

    func reconcile(configuration routes: [RouteSpecification], _ mode: ReconcileMode) async -> ReconcileReport {
        var result = ReconcileReport()
        let wanted = Set(routes.map(\.name))
        for report in reports.values where report.owner == .configuration && !wanted.contains(report.specification.name)
        {
            reports[report.specification.name] = nil
            result.removed.append(report.specification.name)
        }
        for route in routes {
            if reports[route.name]?.specification == route {
                result.unchanged.append(route.name)
                continue
            }
            let isChange = reports.removeValue(forKey: route.name) != nil
            do {
                _ = try await add(route, owner: .configuration)
                if isChange { result.changed.append(route.name) } else { result.added.append(route.name) }
            } catch { result.failures.append(error.message) }
        }
        return result
    }
}
