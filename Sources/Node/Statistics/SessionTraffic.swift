// Traffic of a session, from the counters of the routes and legs that are its.

public import FastPath
public import Sessions

/// Packets of one session, RTP and RTCP.
public struct SessionTraffic: Hashable, Sendable {
    /// Copies that its legs sent or, of a session that feeds routes, packets that came in on them.
    public var packets: UInt64 = 0
    /// Of a session that is sent to: copies that an interface refused, and packets that it was too slow for. Of one that feeds routes:
    /// packets that were missing on arrival (RFC 3550 appendix A.3), negative after more duplicates.
    public var lost: Int64 = 0

    /// The traffic of `session` in a reading; nil if the reading has none of its routes.
    public init?(of session: SessionReport, in snapshot: StatisticsSnapshot) {
        var isKnown = false
        for stream in session.streams {
            lost &+= Int64(clamping: stream.droppedPackets)
            for (route, leg) in [(stream.route, stream.leg), (stream.rtcpRoute ?? "", stream.rtcpLeg)] {
                for flow in snapshot.flows where flow.route == route {
                    if let leg {
                        guard let leg = flow.legs.first(where: { $0.leg == leg }) else { continue }
                        packets &+= leg.packets
                        lost &+= Int64(clamping: leg.refusedPackets)
                    } else if session.kind.feedsRoutes {
                        packets &+= flow.packets
                        lost &+= flow.rtp?.lostPackets ?? 0
                    } else {
                        continue
                    }
                    isKnown = true
                }
            }
        }
        if !isKnown { return nil }
    }
}

extension SessionReport.Kind {
    /// True if media comes from the session's peer only: a route of such a session without a leg is one that it feeds.
    /// The streams of a SIP call say by their legs which way they go.
    var feedsRoutes: Bool {
        switch self {
        case .rtspUpstream, .rtspPublisher, .sipCall: true
        case .rtspPlayer: false
        }
    }
}
