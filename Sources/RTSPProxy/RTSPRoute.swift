// Paths that an operator lets players see, and the sources of their streams.

/// One entry of `rtsp: routes:`, or one `crosspoint rtsp route add`.
public struct RTSPRoute: Hashable, Sendable {
    /// The request paths that an entry is for. Paths begin with `/`, have no dot segments, and are percent-decoded once.
    public enum Match: Hashable, Sendable {
        /// This path and no other (`path: /studio1/cam1`).
        case path(String)
        /// This path and everything below it (`prefix: /studio1`); what follows is added to the upstream's path.
        case prefix(String)
        /// Paths that the regular expression matches as a whole (`regex: /cam(\d+)`); `$1`… in the upstream stand for its groups.
        case expression(String)
    }

    /// The source of the streams.
    public enum Source: Hashable, Sendable {
        /// An RTSP server: a camera, or another node (`upstream: rtsp://user:password@camera7.studio/main`).
        case upstream(String)
        /// Whoever publishes there by ANNOUNCE and RECORD (`publish: true`).
        case publisher
    }

    /// The transport by which media comes from an upstream.
    public enum UpstreamTransport: String, Hashable, Sendable, Codable, CaseIterable {
        /// UDP, then interleaved where the upstream refuses UDP or nothing arrives (the default).
        case automatic = "auto"
        case udp
        case multicast
        case interleaved = "tcp"
    }

    /// The users that may do something at a path.
    public enum Permission: Hashable, Sendable {
        /// Whoever may connect.
        case anyone
        /// These users, after authentication.
        case users(Set<String>)
        /// Every user of the users' file.
        case anyUser
    }

    /// Unique on the node: 1 to 63 characters of letters, digits, `-`, `_`, `.`.
    public var name: String
    public var match: Match
    public var source: Source
    /// `transport`
    public var transport: UpstreamTransport
    /// `fingerprint`: the SHA-256 of the certificate of an upstream by rtsps that no authority vouches for, as `openssl x509` prints it; nil:
    /// an authority of `ca-file` does.
    public var fingerprint: String?
    /// `read`: who may play.
    public var read: Permission
    /// `publish-users`: who may publish; nobody else may where `source` is not `.publisher`.
    public var publish: Permission
    /// `allow`: networks that players and publishers may come from, `10.1.0.0/16`; empty for all.
    public var allowedNetworks: [String]
    /// `destinations`: networks that a player may name in `destination=` beside its own address; empty: none.
    public var allowedDestinations: [String]
    /// `on-demand: false` pulls at once and always.
    public var isOnDemand: Bool
    /// `multicast: true` sends every stream to a group of the pool as long as the source is live, and names the groups in the
    /// description: for players that read DESCRIBE and join. Such a route is not on demand.
    public var sendsMulticast: Bool
    /// True if the source is kept whether or not anybody asks.
    public var isAlwaysOpen: Bool { !isOnDemand || sendsMulticast }

    public init(
        name: String, match: Match, source: Source, transport: UpstreamTransport = .automatic,
        fingerprint: String? = nil, read: Permission = .anyone, publish: Permission = .anyUser,
        allowedNetworks: [String] = [],
        allowedDestinations: [String] = [], isOnDemand: Bool = true, sendsMulticast: Bool = false
    ) {
        self.name = name
        self.match = match
        self.source = source
        self.transport = transport
        self.fingerprint = fingerprint
        self.read = read
        self.publish = publish
        self.allowedNetworks = allowedNetworks
        self.allowedDestinations = allowedDestinations
        self.isOnDemand = isOnDemand
        self.sendsMulticast = sendsMulticast
    }
}
