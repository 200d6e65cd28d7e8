// The moment from which an agent listens.

/// Told by an agent, once, and waited for by one who wants to know.
public struct ListeningMark: Sendable {
    private let events: AsyncStream<Never>
    private let source: AsyncStream<Never>.Continuation

    public init() { (events, source) = AsyncStream.makeStream() }

    /// From now on everybody may connect.
    public func set() { source.finish() }

    /// Returns when the mark is set, or the waiting task is cancelled.
    public func wait() async { for await _ in events {} }
}
