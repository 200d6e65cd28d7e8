// The look at all flows, once a second.

import Events
import FileStatus
import FoundationEssentials
import Glibc
import Logging
import Routing
import ServiceLifecycle

/// Reads the counters every second, keeps the states, and reports their edges.
struct StateService: Service {
    let statistics: any StatisticsSource
    let control: any RouteControl
    let book: StateBook
    let events: EventLog
    /// The file whose time of change says when the daemon was last alive.
    let heartbeat: Heartbeat
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                heartbeat.beat()
                await look()
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func look() async {
        do {
            let edges = book.take(try await statistics.snapshot())
            guard !edges.isEmpty else { return }
            let sessions = await control.routesOfSessions()
            // Sessions have events of their own.
            for edge in edges where !sessions.contains(edge.route) {
                let text =
                    "route \(edge.route): \(edge.to.label)\(edge.reason.map { ": \($0)" } ?? ""), was \(edge.from.label)"
                logger.log(level: edge.to.severity.level, "\(text)")
                events.record(edge.to.severity, .flowState, edge.route, text)
            }
        } catch {
            logger.debug("the counters cannot be read: \(error)")
        }
    }
}

extension EventSeverity {
    /// The level that log lines of this severity have.
    fileprivate var level: Logger.Level {
        switch self {
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        }
    }
}

/// A file that a living daemon touches every second, so that others see since when it does not live.
public struct Heartbeat: Sendable {
    private let path: String

    /// The heartbeat of the daemon with the control socket at `socket`.
    public init(besideSocket socket: String) {
        path = URL(filePath: socket).deletingLastPathComponent().appending(path: "heartbeat").path
    }

    /// Touches the file, which is made if need be. A failure does not trouble the daemon.
    func beat() {
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else { return }
        futimens(file, nil)
        close(file)
    }

    /// The time of the last beat, nanoseconds since 1970; nil where there was none.
    public var last: UInt64? { FileStatus(of: path)?.modified }
}
