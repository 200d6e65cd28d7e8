// Accepting connections when descriptors run out: a pause, and a line.

import Glibc
public import Logging
public import NIOCore
import Synchronization
import Timing

/// Keeps a listener from trying again and again what cannot be: where the process has no descriptors left, `accept` fails and the
/// connection waits, so that the listener would be notified of it at once again, for ever.
public enum AcceptPause {
    /// The time for which a listener accepts nothing after a failure.
    static let pause = TimeAmount.seconds(1)
    /// The time between two log lines of a listener, nanoseconds.
    static let quiet: UInt64 = 10_000_000_000

    /// Adds the pause to a listener's channel, before whatever else it has.
    ///
    /// - Parameter name: the listener in the log: `metrics.listen`, `rtsp listener 8554`.
    public static func add(to channel: any Channel, name: String, logger: Logger) -> EventLoopFuture<Void> {
        channel.eventLoop.submit {
            let silence = Mutex(Deadline(at: 0))
            let handler = AcceptBackoffHandler(shouldForwardIOErrorCaught: false) { error in
                let now = SystemClock.monotonicNanoseconds
                let speaks = silence.withLock { silence in
                    guard silence.hasPassed(at: now) else { return false }
                    silence = Deadline(quiet, after: now)
                    return true
                }
                if speaks { logger.error("\(name): \(text(of: error))") }
                return pause
            }
            try channel.pipeline.syncOperations.addHandler(handler, position: .first)
        }
    }

    private static func text(of error: IOError) -> String {
        let reason = String(cString: strerror(error.errnoCode))
        let remedy =
            [EMFILE, ENFILE].contains(error.errnoCode)
            ? "; connections wait until others are closed; raise LimitNOFILE of the service" : ""
        return "no connection can be accepted: \(reason)\(remedy)"
    }
}
