// What the proxy counts, for `/metrics` and `stats`.

import Sessions

/// Counters by name and labels; monotonic as long as the daemon runs.
@RTSPActor
final class ProxyCounters {
    private struct Key: Hashable {
        var counter: ProxyCounter
        var labels: [String: String]
    }

    private var values: [Key: UInt64] = [:]

    init() {}

    /// Adds to a counter. Labels come from fixed sets, never from a peer's text: their number must stay small.
    func add(_ amount: UInt64 = 1, to counter: ProxyCounter, _ labels: [String: String] = [:]) {
        values[Key(counter: counter, labels: labels), default: 0] += amount
    }

    /// All counters that counted anything, by name and labels.
    func report() -> [SessionCounter] {
        values
            .map { key, value in
                SessionCounter(
                    name: key.counter.rawValue, help: key.counter.help, labels: key.labels, value: Double(value))
            }
            .sorted {
                ($0.name, "\($0.labels.sorted { $0.key < $1.key })") < (
                    $1.name, "\($1.labels.sorted { $0.key < $1.key })"
                )
            }
    }
}

/// The counters of the proxy.
enum ProxyCounter: String, Hashable, Sendable, CaseIterable {
    case requests = "rtsp_requests_total"
    case connections = "rtsp_connections_total"
    case refusedConnections = "rtsp_refused_connections_total"
    case droppedPackets = "rtsp_interleaved_dropped_packets_total"
    case droppedFrames = "rtsp_interleaved_dropped_frames_total"
    case upstreamConnections = "rtsp_upstream_connections_total"
    case upstreamFailures = "rtsp_upstream_failures_total"
    case upstreamFallbacks = "rtsp_upstream_fallbacks_total"
    case authenticationFailures = "rtsp_authentication_failures_total"
    case expiredSessions = "rtsp_expired_sessions_total"

    var help: String {
        switch self {
        case .requests: "Requests answered, by method and status."
        case .connections: "Connections accepted."
        case .refusedConnections: "Connections refused, by reason."
        case .droppedPackets: "Packets that players on TCP were too slow for."
        case .droppedFrames: "Whole frames (packets of one RTP timestamp) that players on TCP were too slow for."
        case .upstreamConnections: "Connections made to upstreams."
        case .upstreamFailures: "Upstreams that could not be opened or were lost, by status."
        case .upstreamFallbacks: "Upstreams that were asked for interleaved media after UDP had failed."
        case .authenticationFailures: "Requests with wrong or missing credentials."
        case .expiredSessions: "Sessions that ended for want of a sign of life."
        }
    }
}
