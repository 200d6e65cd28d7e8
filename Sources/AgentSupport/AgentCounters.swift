// Counters of an agent, for `/metrics` and `stats`.

public import Sessions

/// One of the counters of an agent: an enumeration of them conforms.
public protocol AgentCounter: Hashable, Sendable {
    /// Without the prefix `crosspoint_`: `rtsp_requests_total`.
    var name: String { get }
    /// For people: one sentence.
    var help: String { get }
}

/// Counters by name and labels; monotonic as long as the daemon runs.
@AgentActor
public final class AgentCounters<Counter: AgentCounter> {
    private struct Key: Hashable {
        var counter: Counter
        var labels: [String: String]
    }

    private var values: [Key: UInt64] = [:]

    public init() {}

    /// Adds to a counter. Labels come from fixed sets, never from a peer's text: their number must stay small.
    public func add(_ amount: UInt64 = 1, to counter: Counter, _ labels: [String: String] = [:]) {
        values[Key(counter: counter, labels: labels), default: 0] += amount
    }

    /// All counters that counted anything, by name and labels.
    public func report() -> [SessionCounter] {
        values
            .map { key, value in
                SessionCounter(
                    name: key.counter.name, help: key.counter.help, labels: key.labels, value: Double(value))
            }
            .sorted {
                ($0.name, "\($0.labels.sorted { $0.key < $1.key })") < (
                    $1.name, "\($1.labels.sorted { $0.key < $1.key })"
                )
            }
    }
}
