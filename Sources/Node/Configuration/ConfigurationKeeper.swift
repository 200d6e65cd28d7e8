// The configuration that the daemon runs with, and its reload.

public import Logging
public import Routing

/// Holds the configuration of a running node, applies its routes and reloads it.
public actor ConfigurationKeeper {
    /// The file that is read again on a reload; nil if the node runs without one.
    public nonisolated let path: String?
    /// The configuration as it was last read.
    public private(set) var configuration: NodeConfiguration
    private let control: any RouteControl
    private let logger: Logger
    private var isReloading = false

    public init(configuration: NodeConfiguration, path: String?, control: any RouteControl, logger: Logger) {
        self.configuration = configuration
        self.path = path
        self.control = control
        self.logger = logger
    }

    /// Brings the configured routes into the fast path. A route that cannot be carried is logged, and keeps no other from it.
    public func apply() async -> ReconcileReport {
        let report = await control.reconcile(configuration: configuration.routes)
        for failure in report.failures { logger.error("\(failure)") }
        return report
    }

    /// Reads the file again and makes the configured routes equal to it. Routes that are equal are not touched, and a file with an error
    /// changes nothing.
    public func reload() async throws(RoutingError) -> ReloadReport {
        guard let path else {
            throw RoutingError(
                .unavailable, "the daemon runs without a configuration file; start it with --config FILE")
        }
        guard !isReloading else { throw RoutingError(.conflict, "a reload is under way; try again when it is done") }
        isReloading = true
        defer { isReloading = false }
        let new: NodeConfiguration
        do { new = try ConfigurationFile.load(path) } catch { throw RoutingError(.invalid, error.description) }
        let needRestart = Self.differences(configuration, new)
        configuration.routes = new.routes
        let report = ReloadReport(routes: await apply(), needRestart: needRestart)
        logger.info(
            "configuration reloaded",
            metadata: [
                "file": "\(path)", "added": "\(report.routes.added.count)", "changed": "\(report.routes.changed.count)",
                "removed": "\(report.routes.removed.count)", "unchanged": "\(report.routes.unchanged.count)",
            ])
        if !needRestart.isEmpty {
            logger.warning("changed, but in effect at the next start only: \(needRestart.joined(separator: ", "))")
        }
        return report
    }

    /// The configuration that would bring about what runs now, routes of operators included. Sessions come and go by themselves.
    public func effective() async -> NodeConfiguration {
        var effective = configuration
        effective.routes = await control.routes().filter { $0.owner != .session }.map(\.specification)
        return effective
    }

    /// The keys, apart from the routes, in which two configurations differ.
    private static func differences(_ old: NodeConfiguration, _ new: NodeConfiguration) -> [String] {
        var keys: [String] = []
        if old.node != new.node { keys.append("node") }
        if old.ports != new.ports { keys.append("ports") }
        if old.control != new.control { keys.append("control") }
        if old.metrics != new.metrics { keys.append("metrics") }
        if old.runtimeDirectory != new.runtimeDirectory { keys.append("runtime-directory") }
        if old.bpffs != new.bpffs { keys.append("bpffs") }
        if old.limits != new.limits { keys.append("limits") }
        if old.logLevel != new.logLevel { keys.append("log-level") }
        return keys
    }
}
