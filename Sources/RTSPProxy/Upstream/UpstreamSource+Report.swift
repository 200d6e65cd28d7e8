// Reports on an upstream for operators.

import RTSPCore
import Sessions

extension UpstreamSource {
    func report() -> [String] {
        let ways = streams.compactMap { stream in
            stream.granted.map { "stream \(stream.index) \(stream.media) by \($0.transport.rawValue)" }
        }
        return ["\(session?.url ?? url)" + (session?.serverAgent.map { " (\($0))" } ?? "")] + ways + notes
    }

    /// The place of the session: host and TCP port of the URL that redirects led to.
    var peer: String {
        let url = session?.url ?? url
        return "\(url.host):\(url.effectiveTCPPort)"
    }

    /// The upstream's program.
    var agent: String? { session?.serverAgent }

    /// The streams that are set up.
    var streamReports: [SessionReport.Stream] {
        streams.compactMap { stream -> SessionReport.Stream? in
            guard let granted = stream.granted else { return nil }
            let isInterleaved = granted.transport == .interleaved
            return SessionReport.Stream(
                index: stream.index, media: stream.media, transport: granted.transport.rawValue,
                address: stream.source, route: stream.incoming.rtpRoute, rtcpRoute: stream.incoming.rtcpRoute,
                engine: isInterleaved ? "daemon" : "kernel",
                engineReason: isInterleaved
                    ? "interleaved media is injected at the host port" : "an upstream on UDP is a flow")
        }
    }
}
