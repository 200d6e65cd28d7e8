// `crosspoint run`.

import ArgumentParser
import Glibc
import Logging
import Node

/// Runs the daemon.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run the daemon of this node, in the foreground.",
        discussion: """
            Brings the routes of the configuration file into the fast path, then serves the control socket and the metrics, \
            follows neighbours, routes and links, and logs to standard error.

            Stopping the daemon leaves the fast path running: routes go on forwarding, 'crosspoint stats' goes on counting, and \
            the next daemon takes them over without losing a packet. To stop forwarding, remove the routes first, or run 'crosspoint unload' afterwards.

            A file that was broken since the daemon ran last does not keep it from starting: until it is mended and reloaded the \
            node runs with what the file said before, and says so. At a boot the file has to be right.

            SIGNALS
              SIGTERM, SIGINT  stop; routes continue in the fast path
              SIGHUP           read the configuration file again; routes that did not change are not touched, and a file
                               with an error changes nothing

            EXAMPLES
              crosspoint run
              crosspoint run --config ./crosspoint.yaml

            \(ExitStatus.help)
            """)

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The configuration file. (default: \(NodeConfiguration.defaultPath) if it is there)", valueName: "file"))
    var config: String?

    func run() async throws {
        let start: ConfigurationChoice.Start
        do { start = try ConfigurationChoice.start(config) } catch {
            // A service manager would try again at once, and for ever: its short pause is for crashes.
            if getenv("NOTIFY_SOCKET") != nil { try await Task.sleep(for: .seconds(5)) }
            throw error
        }
        let (configuration, file) = (start.configuration, start.file)
        // Files that the daemon makes are for itself and its group, whatever the shell's mask was.
        umask(0o027)
        let bound = ThrottledLogHandler.Shared()
        var logger = Logger(label: "crosspoint") { DaemonLog.handler(label: $0, bound: bound) }
        logger.logLevel = configuration.logLevel
        let summaries = bound.summaries(every: .seconds(1), to: DaemonLog.destination(label: "crosspoint"))
        defer { summaries.cancel() }
        let lock = try InstanceLock(directory: configuration.runtimeDirectory)
        let pins = try InstanceLock.pins(configuration.bpffs)
        let socket = try ControlSocket(path: configuration.control.socket, group: configuration.control.group)
        let parts = try await FastPathAssembly.make(configuration: configuration, logger: logger)
        let service = NodeService(
            configuration: configuration, configurationFile: file, problem: start.problem?.description, socket: socket,
            control: parts.control,
            statistics: parts.statistics, information: parts.information, sessions: parts.sessions,
            rtspRoutes: parts.rtspRoutes, sip: parts.sip, events: parts.events, scanner: parts.scanner,
            services: parts.services,
            logger: logger)
        try await service.run()
        withExtendedLifetime((lock, pins)) {}
    }
}
