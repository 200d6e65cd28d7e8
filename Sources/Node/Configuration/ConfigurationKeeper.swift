// The configuration that the daemon runs with, and its reload.

public import Events
public import Logging
public import RTSPProxy
public import Routing
public import SIPAgent

/// Holds the configuration of a running node, applies its routes and reloads it.
public actor ConfigurationKeeper {
    /// The file that is read again on a reload; nil if the node runs without one.
    public nonisolated let path: String?
    /// The configuration as it was last read.
    public private(set) var configuration: NodeConfiguration
    /// The problem of the file, where the node runs with what it said before; nil where it does not.
    public private(set) var problem: String?
    private let control: any RouteControl
    private let rtspRoutes: (any RTSPRouteControl)?
    private let sip: (any SIPControl)?
    private let events: EventLog
    private let logger: Logger
    private var isReloading = false

    public init(
        configuration: NodeConfiguration, path: String?, problem: String? = nil, control: any RouteControl,
        rtspRoutes: (any RTSPRouteControl)? = nil, sip: (any SIPControl)? = nil,
        events: EventLog = EventLog(), logger: Logger
    ) {
        self.configuration = configuration
        self.path = path
        self.problem = problem
        self.control = control
        self.rtspRoutes = rtspRoutes
        self.sip = sip
        self.events = events
        self.logger = logger
    }

    /// Brings the configured routes into the fast path, at a start. A route that cannot be carried is logged, and keeps no other from it.
    public func apply() async -> ReconcileReport {
        if let problem {
            let text = "degraded: the node runs with the configuration that it had before: \(problem)"
            logger.error("\(text)")
            events.record(.error, .configurationRefused, "", text)
        }
        keep(configuration)
        let report = await EventAuthor.$current.withValue(path.map { "configuration \($0)" }) {
            await control.reconcile(configuration: configuration.routes, .start)
        }
        log(report)
        return report
    }

    /// One line for `systemctl status`.
    var status: String {
        problem.map { "degraded: runs with the configuration that it had before: \($0)" }
            ?? "runs with its configuration"
    }

    /// Keeps a copy of what the node runs with, for a start with a file that is broken by then.
    private func keep(_ running: NodeConfiguration) {
        guard problem == nil, let path else { return }
        do {
            try LastConfiguration(runtimeDirectory: configuration.runtimeDirectory).keep(path, runningAs: running)
        } catch {
            logger.warning("no copy of the configuration is kept: \(error)")
        }
    }

    private func log(_ report: ReconcileReport) {
        for failure in report.failures { logger.error("\(failure)") }
        for change in report.kept { logger.warning("\(change); it stays as it is ('crosspoint config diff')") }
    }

    /// Reads the file again and makes the configured routes equal to it, as a whole or not at all. Routes that are equal are not touched,
    /// and a file with an error changes nothing.
    ///
    /// - Parameters:
    ///   - discardsChanges: Whether changes that were made at run time, and that the file does not have, are undone.
    ///   - isDryRun: Whether only the report is made.
    public func reload(
        discardsChanges: Bool = false, isDryRun: Bool = false
    ) async throws(RoutingError) -> ReloadReport {
        guard let path else {
            throw RoutingError(
                .unavailable, "the daemon runs without a configuration file; start it with --config FILE")
        }
        guard !isReloading else { throw RoutingError(.conflict, "a reload is under way; try again when it is done") }
        isReloading = true
        defer { isReloading = false }
        let new: NodeConfiguration
        do { new = try ConfigurationFile.load(path, checksFiles: true) } catch {
            if !isDryRun { refuse(error.description) }
            throw RoutingError(.invalid, error.description)
        }
        let needRestart = new.differences(from: configuration)
        let routes = await control.reconcile(
            configuration: new.routes, .reload(discardsChanges: discardsChanges, isDryRun: isDryRun))
        var report = ReloadReport(routes: routes, needRestart: needRestart)
        guard !isDryRun else { return report }
        log(routes)
        guard routes.failures.isEmpty else {
            let text =
                "the configuration was not reloaded: \(Self.count(routes.failures)) of \(path); nothing has changed"
            logger.error("\(text)")
            refuse("\(text): \(routes.failures[0])")
            return report
        }
        problem = nil
        keep(new)
        configuration.routes = new.routes
        // Without the section, the routes with which the proxy continues until it is started without are its routes too.
        if let rtspRoutes, let rtsp = new.rtsp {
            configuration.rtsp?.routes = rtsp.routes
            report.rtspRoutes = await reconcile(rtsp.routes, rtspRoutes)
        }
        if let sip, let new = new.sip, let running = configuration.sip {
            report.sip = await reload(new.reloaded(over: running), sip)
        }
        events.record(
            .info, .configurationApplied, "",
            "configuration \(path) reloaded: \(routes.added.count) added, \(routes.changed.count) changed, "
                + "\(routes.removed.count) removed, \(routes.unchanged.count) unchanged, \(routes.kept.count) kept as they run",
            author: EventAuthor.current)
        logger.info(
            "configuration reloaded",
            metadata: [
                "file": "\(path)", "added": "\(report.routes.added.count)", "changed": "\(report.routes.changed.count)",
                "removed": "\(report.routes.removed.count)", "unchanged": "\(report.routes.unchanged.count)",
            ])
        if let routes = report.rtspRoutes {
            logger.info(
                "RTSP routes reloaded",
                metadata: [
                    "added": "\(routes.added.count)", "changed": "\(routes.changed.count)",
                    "removed": "\(routes.removed.count)", "unchanged": "\(routes.unchanged.count)",
                ])
        }
        if !needRestart.isEmpty {
            logger.warning("changed, but in effect at the next start only: \(needRestart.joined(separator: ", "))")
        }
        return report
    }

    private func refuse(_ text: String) {
        events.record(.error, .configurationRefused, "", text, author: EventAuthor.current)
    }

    private static func count(_ problems: [String]) -> String {
        problems.count == 1 ? "1 problem" : "\(problems.count) problems"
    }

    /// The running state that differs from the file, and the parts of the file that wait for a restart.
    public func difference() async throws(RoutingError) -> ConfigurationDifference {
        guard let path else {
            throw RoutingError(
                .unavailable, "the daemon runs without a configuration file; start it with --config FILE")
        }
        let file: NodeConfiguration
        do { file = try ConfigurationFile.load(path) } catch { throw RoutingError(.invalid, error.description) }
        let running = await control.routes().filter { $0.owner != .session }
        return ConfigurationDifference(
            file: path, wanted: file.routes, running: running, needRestart: file.differences(from: configuration))
    }

    /// Has the SIP agent go by another section, and says what came of it.
    private func reload(_ new: SIPConfiguration, _ sip: any SIPControl) async -> ReloadReport.SIPReload {
        do {
            try await sip.reload(new)
        } catch {
            logger.error("sip: the earlier configuration stays: \(error)")
            return .init(rules: configuration.sip?.dialPlan.count ?? 0, failure: "\(error)")
        }
        configuration.sip = new
        logger.info("SIP configuration reloaded", metadata: ["rules": "\(new.dialPlan.count)"])
        return .init(rules: new.dialPlan.count)
    }

    /// The configuration that would bring about what runs now, routes of operators included, with the passwords of upstreams.
    public func effective() async -> NodeConfiguration {
        var effective = configuration
        effective.routes = await control.routes().filter { $0.owner != .session }.map(\.specification)
        if let rtspRoutes { effective.rtsp?.routes = await rtspRoutes.rtspRoutes().map(\.route) }
        return effective
    }

    /// Makes the configured routes of the proxy equal to `routes`, and says what that changed.
    private func reconcile(
        _ routes: [RTSPRoute], _ control: any RTSPRouteControl
    ) async -> ReconcileReport {
        let before = await control.rtspRoutes()
        await control.reconcile(rtspRoutes: routes)
        let old = Dictionary(before.map { ($0.route.name, $0.route) }) { first, _ in first }
        let new = Dictionary(await control.rtspRoutes().map { ($0.route.name, $0.route) }) { first, _ in first }
        var report = ReconcileReport()
        for route in routes {
            if new[route.name] != route {
                report.failures.append(
                    "RTSP route '\(route.name)' of the file is not served: another of that name was added at run time; remove that with "
                        + "'crosspoint rtsp route remove \(route.name)'")
            } else if let old = old[route.name] {
                if old == route { report.unchanged.append(route.name) } else { report.changed.append(route.name) }
            } else {
                report.added.append(route.name)
            }
        }
        report.removed = before.filter(\.isConfigured).map(\.route.name).filter { new[$0] == nil }.sorted()
        for failure in report.failures { logger.error("\(failure)") }
        return report
    }
}
