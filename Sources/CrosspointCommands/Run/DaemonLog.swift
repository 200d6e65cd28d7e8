// Destination of the daemon's log lines: a terminal or file with times, or systemd's journal with priorities.

import FileStatus
import Glibc
import Logging

/// Chooses how log lines are written to standard error.
enum DaemonLog {
    /// A handler for standard error: with priorities (sd-daemon(3)) where that is systemd's journal, else with times. The loggers of a
    /// process share the bound on their lines.
    static func handler(label: String, bound: ThrottledLogHandler.Shared) -> any LogHandler {
        ThrottledLogHandler(handler: destination(label: label), shared: bound)
    }

    /// The same without a bound.
    static func destination(label: String) -> any LogHandler {
        let handler: any LogHandler =
            if isJournal(getenv("JOURNAL_STREAM").map { String(cString: $0) }) {
                JournalLogHandler { StandardStream.error.write($0) }
            } else {
                StreamLogHandler.standardError(label: label)
            }
        return VisibleLogHandler(handler: handler)
    }

    /// True where standard error is the stream that systemd names by device and inode (systemd.exec(5)).
    private static func isJournal(_ stream: String?) -> Bool {
        guard let stream, let status = FileStatus(of: STDERR_FILENO) else { return false }
        return stream == "\(status.device):\(status.inode)"
    }
}

/// Passes lines on without what a terminal would obey: peers' texts are in them.
struct VisibleLogHandler: LogHandler {
    private var handler: any LogHandler

    init(handler: any LogHandler) { self.handler = handler }

    var metadata: Logger.Metadata {
        get { handler.metadata }
        set { handler.metadata = newValue }
    }
    var logLevel: Logger.Level {
        get { handler.logLevel }
        set { handler.logLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { handler[metadataKey: key] }
        set { handler[metadataKey: key] = newValue.map { "\(VisibleText.line("\($0)"))" } }
    }

    func log(event: LogEvent) {
        var event = event
        event.message = "\(VisibleText.line("\(event.message)"))"
        event.metadata = event.metadata?.mapValues { "\(VisibleText.line("\($0)"))" }
        handler.log(event: event)
    }
}

/// Writes lines that begin with their syslog priority, `<4>`: the journal has times, names and processes by itself.
struct JournalLogHandler: LogHandler {
    var metadata = Logger.Metadata()
    var logLevel = Logger.Level.info
    let write: @Sendable (String) -> Void

    init(write: @escaping @Sendable (String) -> Void) { self.write = write }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var values = metadata
        values.merge(event.metadata ?? [:]) { _, new in new }
        let priority = Self.priority(of: event.level)
        let fields = values.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        // Each line of a message is an entry of its own for the journal, and needs its priority.
        let lines = "\(event.message)\(fields)".split(whereSeparator: \.isNewline)
        write(lines.map { "<\(priority)>\($0)\n" }.joined())
    }

    /// The syslog priority of a level (RFC 5424 section 6.2.1).
    static func priority(of level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
