// The bound on log lines: what a peer can cause again and again is some lines, and then a number.

import Logging
import Synchronization
import Timing

/// Lets the first lines of each kind through, and counts the rest until a window is over. Pure: time comes in.
///
/// The kind of a line is the place in the sources that wrote it: each place has one text, with different names and addresses in it.
struct LogThrottle {
    /// The length of a window, nanoseconds.
    static let window: UInt64 = 10_000_000_000
    /// The lines of one kind that a window lets through.
    static let burst = 100

    /// The place in the sources that wrote a line.
    struct Kind: Hashable {
        var file: String
        var line: UInt
    }

    private struct Entry {
        var end: Deadline
        var count = 0
        var suppressed = 0
        /// The last line that was left out.
        var last: LogEvent
    }

    private var entries: [Kind: Entry] = [:]
    /// The earliest end of a window in which something was left out.
    private var earliest = Deadline.never

    /// The lines that are to be written: before this one the summaries of windows that are over, then this line, or nothing.
    mutating func take(_ event: LogEvent, at now: UInt64) -> [LogEvent] {
        var lines = summaries(at: now)
        let kind = Kind(file: event.file, line: event.line)
        var entry = entries[kind] ?? Entry(end: Deadline(Self.window, after: now), last: event)
        if entry.end.hasPassed(at: now) { entry = Entry(end: Deadline(Self.window, after: now), last: event) }
        if entry.count < Self.burst {
            entry.count += 1
            lines.append(event)
        } else {
            entry.suppressed += 1
            entry.last = event
            earliest = min(earliest, entry.end)
        }
        entries[kind] = entry
        return lines
    }

    /// The summaries of windows that are over: the last line of each kind of which some were left out, with their number.
    mutating func summaries(at now: UInt64) -> [LogEvent] {
        guard earliest.hasPassed(at: now) else { return [] }
        var lines: [LogEvent] = []
        earliest = .never
        for (kind, entry) in entries where entry.suppressed > 0 {
            guard entry.end.hasPassed(at: now) else {
                earliest = min(earliest, entry.end)
                continue
            }
            var event = entry.last
            let others = entry.suppressed - 1
            if others > 0 { event.message = "\(event.message) (and \(others) more like this within 10 s)" }
            lines.append(event)
            entries[kind] = nil
        }
        return lines
    }
}

/// Bounds the lines of all loggers of the process by kind, before they reach the handler behind it.
struct ThrottledLogHandler: LogHandler {
    /// The lines of the process: loggers are copied, and share their bound.
    final class Shared: Sendable {
        private let throttle = Mutex(LogThrottle())
        private let clock: @Sendable () -> UInt64

        init(clock: @escaping @Sendable () -> UInt64 = { SystemClock.monotonicNanoseconds }) { self.clock = clock }

        func take(_ event: LogEvent) -> [LogEvent] {
            let now = clock()
            return throttle.withLock { $0.take(event, at: now) }
        }

        func summaries() -> [LogEvent] {
            let now = clock()
            return throttle.withLock { $0.summaries(at: now) }
        }

        /// Writes summaries as soon as they are due, also where no line follows, until the task is cancelled.
        func summaries(every interval: Duration, to handler: any LogHandler) -> Task<Void, Never> {
            Task {
                while !Task.isCancelled {
                    try? await Task.sleep(for: interval)
                    for line in summaries() { handler.log(event: line) }
                }
            }
        }
    }

    private var handler: any LogHandler
    private let shared: Shared

    init(handler: any LogHandler, shared: Shared) {
        self.handler = handler
        self.shared = shared
    }

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
        set { handler[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) {
        for line in shared.take(event) { handler.log(event: line) }
    }
}
