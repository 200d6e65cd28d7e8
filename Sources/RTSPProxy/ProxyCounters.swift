// Counters of the proxy, for `/metrics` and `stats`.

import AgentSupport

typealias ProxyCounters = AgentCounters<ProxyCounter>

/// The counters of the proxy.
enum ProxyCounter: String, AgentCounter, CaseIterable {
    case requests = "rtsp_requests_total"
    case connections = "rtsp_connections_total"
    case refusedConnections = "rtsp_refused_connections_total"
    case droppedPackets = "rtsp_interleaved_dropped_packets_total"
    case droppedFrames = "rtsp_interleaved_dropped_frames_total"
    case upstreamConnections = "rtsp_upstream_connections_total"
    case upstreamFailures = "rtsp_upstream_failures_total"
    case upstreamFallbacks = "rtsp_upstream_fallbacks_total"
    case authenticationFailures = "rtsp_authentication_failures_total"
    case oversizedStreams = "rtsp_oversized_streams_total"
    case oversizedPackets = "rtsp_oversized_packets_total"
    case expiredSessions = "rtsp_expired_sessions_total"

    var name: String { rawValue }

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
        case .oversizedStreams: "Streams of players on UDP whose packets were longer than the MTU on the way."
        case .oversizedPackets:
            "Interleaved packets of sources for players on TCP alone: too long for the host port, and not to be split."
        case .expiredSessions: "Sessions that ended for want of a sign of life."
        }
    }
}
