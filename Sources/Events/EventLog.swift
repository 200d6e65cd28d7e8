// The events of a node: the last ones in memory, and whoever follows them.

import Synchronization
public import Timing

/// The latest events, with streams for those who follow.
///
/// Memory is bounded, whatever happens: the log keeps `capacity` events, repeats of one kind and subject are left out beyond a burst
/// (`EventThrottle`), and a follower that does not keep up loses the oldest of its events.
public final class EventLog: Sendable {
    /// The number of events that a node keeps.
    public static let capacity = 4096
    /// The events that a slow follower may be behind.
    private static let backlog = 1024

    private struct State {
        var events: [NodeEvent] = []
        /// The place of the oldest event once the log is full.
        var oldest = 0
        var lastNumber: UInt64
        var throttle = EventThrottle()
        var followers: [Int: AsyncStream<NodeEvent>.Continuation] = [:]
        var nextFollower = 0

        mutating func append(_ event: NodeEvent, capacity: Int) {
            if events.count < capacity {
                events.append(event)
            } else {
                events[oldest] = event
                oldest = (oldest + 1) % capacity
            }
        }
    }

    private let state: Mutex<State>
    private let capacity: Int
    private let clock: @Sendable () -> (unix: UInt64, monotonic: UInt64)

    /// - Parameters:
    ///   - capacity: the number of events that are kept.
    ///   - clock: the time, nanoseconds since 1970 and on a clock that never steps.
    public init(
        capacity: Int = EventLog.capacity,
        clock: @escaping @Sendable () -> (unix: UInt64, monotonic: UInt64) = {
            (SystemClock.unixNanoseconds, SystemClock.monotonicNanoseconds)
        }
    ) {
        self.capacity = max(capacity, 1)
        self.clock = clock
        state = Mutex(State(lastNumber: clock().unix / 1000))
    }

    /// Records an event, unless too many of its kind came; its number and time are set here.
    public func record(
        _ severity: EventSeverity, _ kind: EventKind, _ subject: String, _ message: String, author: String? = nil,
        revision: UInt64? = nil
    ) {
        let event = NodeEvent(
            severity: severity, kind: kind, subject: subject, message: message, author: author, revision: revision)
        let now = clock()
        state.withLock { state in
            for event in state.throttle.take(event, at: now.monotonic) { publish(event, at: now.unix, &state) }
        }
    }

    /// Publishes the summaries of what was left out, once their time is over. To be called every second or so.
    public func tick() {
        let now = clock()
        state.withLock { state in
            for event in state.throttle.summaries(at: now.monotonic) { publish(event, at: now.unix, &state) }
        }
    }

    private func publish(_ event: NodeEvent, at time: UInt64, _ state: inout State) {
        var event = event
        state.lastNumber += 1
        event.id = state.lastNumber
        event.unixNanoseconds = time
        state.append(event, capacity: capacity)
        for follower in state.followers.values { follower.yield(event) }
    }

    /// The events that are kept, oldest first, from after the number `id` on.
    public func events(after id: UInt64 = 0) -> [NodeEvent] { state.withLock { Self.events(of: $0, after: id) } }

    private static func events(of state: State, after id: UInt64) -> [NodeEvent] {
        (state.events[state.oldest...] + state.events[..<state.oldest]).filter { $0.id > id }
    }

    /// The events that are kept from after a number on, and a stream of those that follow them without a gap.
    public func follow(after id: UInt64 = 0) -> (past: [NodeEvent], events: AsyncStream<NodeEvent>) {
        let (stream, continuation) = AsyncStream.makeStream(
            of: NodeEvent.self, bufferingPolicy: .bufferingNewest(Self.backlog))
        let past = state.withLock { state in
            let number = state.nextFollower
            state.nextFollower += 1
            state.followers[number] = continuation
            continuation.onTermination = { [weak self] _ in
                self?.state.withLock { $0.followers[number] = nil }
            }
            return Self.events(of: state, after: id)
        }
        return (past, stream)
    }

    /// The number of streams that are followed.
    public var followers: Int { state.withLock { $0.followers.count } }

    /// Ends all streams: the node stops.
    public func finish() {
        let followers = state.withLock { Array($0.followers.values) }
        for follower in followers { follower.finish() }
    }
}
