// The clock of the agent.

import AgentSupport
import NIOCore
import Timing

/// Runs what is due, every ten milliseconds as long as anything waits.
@AgentActor
final class SIPTimers {
    typealias Operation = @AgentActor @Sendable () -> Void

    private var queue = TimerQueue<Operation>()
    private var isTicking = false
    private var isStopped = false
    /// Run before the timers of each tick.
    var onTick: Operation = {}

    private static let tick = TimeAmount.milliseconds(10)

    init() {}

    var count: Int { queue.count }

    /// Runs `operation` after the time. It cannot be taken back: it must know itself whether it still means anything.
    func schedule(after time: Duration, _ operation: @escaping Operation) {
        queue.insert(operation, at: MonotonicClock.now.addingSaturating(time.saturatedNanoseconds))
        startTicking()
    }

    private func startTicking() {
        guard !isTicking, !isStopped else { return }
        isTicking = true
        AgentActor.loop.scheduleTask(in: Self.tick) { AgentActor.assumeIsolated { self.run() } }
    }

    private func run() {
        isTicking = false
        guard !isStopped else { return }
        onTick()
        let now = MonotonicClock.now
        while let operation = queue.pop(now: now) { operation() }
        if !queue.isEmpty { startTicking() }
    }

    /// Nothing is run any more.
    func stop() {
        isStopped = true
        onTick = {}
        queue = TimerQueue()
    }
}
