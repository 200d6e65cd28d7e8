// The result of a diagnosis: the links of the chain, each with what was found, and the one cause.

/// A diagnosis of one route.
public struct Diagnosis: Hashable, Sendable, Codable {
    /// The route's name.
    public var route: String
    /// True if nothing is wrong as far as this node can see.
    public var isHealthy: Bool
    /// The cause of the trouble; nil for a healthy route.
    public var cause: Cause?
    /// One sentence for the cause, or that the route is healthy.
    public var conclusion: String
    /// One sentence for the remedy; nil where there is nothing to do.
    public var remedy: String?
    /// The links of the chain, in the order of the packets.
    public var findings: [Finding]
}

/// What was found at one link of the chain.
public struct Finding: Hashable, Sendable, Codable {
    /// The links of the chain from the daemon to the receivers.
    public enum Link: String, Hashable, Sendable, Codable, CaseIterable {
        case daemon, route, port, membership, querier, packets, source, payload, rate, engine, key, loss, leg, receivers
    }

    /// The verdict on a link.
    public enum Verdict: String, Hashable, Sendable, Codable {
        /// As it should be.
        case right = "ok"
        /// Not known, or worth a look; not the cause.
        case note
        /// Wrong.
        case fault
    }

    public var link: Link
    public var verdict: Verdict
    public var text: String
    /// The cause that a fault amounts to, with its remedy.
    public var cause: Cause?
    public var remedy: String?
}

/// The causes for which a route does not do what it should.
public enum Cause: String, Hashable, Sendable, Codable, CaseIterable {
    case daemonDead = "daemon-dead"
    case routeUnknown = "route-unknown"
    case routeRefused = "route-refused"
    case routeQuarantined = "route-quarantined"
    case interfaceMissing = "interface-missing"
    case portDown = "port-down"
    case membershipFailed = "membership-failed"
    case notJoined = "not-joined"
    case noQuerier = "no-querier"
    case noPackets = "no-packets"
    case otherPort = "sender-at-other-port"
    case wrongVLAN = "wrong-vlan"
    case strippedVLAN = "vlan-stripped"
    case wrongUDPPort = "wrong-udp-port"
    case wrongGroup = "wrong-group"
    case expired = "ttl-expired"
    case fragments
    case options = "ip-options"
    case wrongSource = "wrong-source"
    case damaged = "damaged-packets"
    case wrongHardwareAddress = "wrong-mac"
    case martianSource = "martian-source"
    case ownPackets = "own-packets"
    case notRTP = "not-rtp"
    case twoSenders = "two-senders"
    case payloadType = "payload-type"
    case rateDiffers = "rate-differs"
    case noWorker = "no-worker"
    case wrongKey = "wrong-key"
    case loss
    case noLegs = "no-legs"
    case legUnresolved = "leg-unresolved"
    case legLinkDown = "leg-link-down"
    case legUnroutable = "leg-unroutable"
    case legShut = "leg-shut"
    case legTooLong = "leg-mtu"
    case legRefused = "leg-refused"
    case legTTL = "leg-ttl"
    case linkFull = "link-full"
    case legSilent = "leg-silent"
}
