// Report on an RTSP session or a SIP call for an operator.

/// The current state of one session: what `crosspoint session list|show` prints and `GET /v1/sessions` returns.
public struct SessionReport: Hashable, Sendable, Codable {
    /// The protocol that negotiated the session.
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// An RTSP player.
        case rtspPlayer = "rtsp-player"
        /// An RTSP publisher (ANNOUNCE and RECORD).
        case rtspPublisher = "rtsp-publisher"
        /// The node as a client of a camera or another node.
        case rtspUpstream = "rtsp-upstream"
        /// A SIP call.
        case sipCall = "sip-call"
    }

    /// One stream of a session, as it is carried.
    public struct Stream: Hashable, Sendable, Codable {
        /// The number of the stream: that of the media description, from 0.
        public var index: Int
        /// `video`, `audio`, `application`: the media of the SDP.
        public var media: String
        /// The way in which it is carried: `udp`, `multicast`, `interleaved`.
        public var transport: String
        /// The place that packets go to or come from, as far as it is known: `10.2.0.5:5004`, `channel 0`.
        public var address: String
        /// The route that carries RTP, and the number of the leg that is this session's; nil leg for a session that feeds it.
        public var route: String
        public var leg: UInt32?
        /// The route that carries RTCP; nil where there is none.
        public var rtcpRoute: String?
        public var rtcpLeg: UInt32?
        /// The engine that carries it, and why: `kernel`, `every UDP player is a leg`.
        public var engine: String
        public var engineReason: String
        /// Packets that the session itself lost since it is too slow (interleaved); 0 where the fast path carries it.
        public var droppedPackets: UInt64
        /// Of a call: whose packets they are, `caller` or `callee`, and where they are sent; nil where they are sent nowhere, as on hold.
        public var from: String?
        public var to: String?
        /// Of a call: whether media come as they were negotiated: `ok`, `one-way`, `no media`.
        public var state: String?
        /// Of a call: what has come.
        public var reception: Reception?

        public init(
            index: Int, media: String, transport: String, address: String, route: String, leg: UInt32? = nil,
            rtcpRoute: String? = nil, rtcpLeg: UInt32? = nil, engine: String, engineReason: String,
            droppedPackets: UInt64 = 0
        ) {
            self.index = index
            self.media = media
            self.transport = transport
            self.address = address
            self.route = route
            self.leg = leg
            self.rtcpRoute = rtcpRoute
            self.rtcpLeg = rtcpLeg
            self.engine = engine
            self.engineReason = engineReason
            self.droppedPackets = droppedPackets
        }
    }

    /// The reception of a stream.
    public struct Reception: Hashable, Sendable, Codable {
        /// Packets, and bytes from Ethernet header to payload.
        public var packets: UInt64
        public var bytes: UInt64
        /// Packets that were expected and did not come; negative where duplicates came (RFC 3550 appendix A.3).
        public var lostPackets: Int64
        /// Interarrival jitter in seconds (RFC 3550 appendix A.8).
        public var jitter: Double
        /// The age of the last packet in seconds; nil before the first.
        public var lastArrival: Double?

        public init(packets: UInt64, bytes: UInt64, lostPackets: Int64, jitter: Double, lastArrival: Double?) {
            self.packets = packets
            self.bytes = bytes
            self.lostPackets = lostPackets
            self.jitter = jitter
            self.lastArrival = lastArrival
        }
    }

    /// The name by which an operator refers to the session: not the protocol's own identifier, which is a secret.
    public var name: String
    public var kind: Kind
    /// `ready`, `playing`, `recording`, `connecting`, `waiting`, …: the state machine's state.
    public var state: String
    /// The path (RTSP) or the called address (SIP).
    public var target: String
    /// The peer's address and TCP or UDP port.
    public var peer: String
    /// The identity that the peer gives itself: the user, or nil.
    public var user: String?
    /// The peer's program, as it says in User-Agent or Server.
    public var agent: String?
    /// When it began, RFC 3339.
    public var startedAt: String
    /// Seconds until it ends by itself unless the peer shows life; nil when nothing runs out.
    public var expiresIn: Double?
    public var streams: [Stream]
    /// Notes for an operator: a fallback that was taken, a refusal, with the reason.
    public var notes: [String]

    public init(
        name: String, kind: Kind, state: String, target: String, peer: String, user: String? = nil,
        agent: String? = nil, startedAt: String, expiresIn: Double? = nil, streams: [Stream] = [], notes: [String] = []
    ) {
        self.name = name
        self.kind = kind
        self.state = state
        self.target = target
        self.peer = peer
        self.user = user
        self.agent = agent
        self.startedAt = startedAt
        self.expiresIn = expiresIn
        self.streams = streams
        self.notes = notes
    }
}
