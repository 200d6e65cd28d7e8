// Configuration of the SIP agent: the section `sip` of the configuration file.

public import AgentSupport
public import Authentication
public import RTPWire
public import SIPCore

/// The complete configuration of `SIPAgent`.
public struct SIPConfiguration: Hashable, Sendable {
    /// A place that callers, devices and proxies send requests to.
    public struct Listener: Hashable, Sendable {
        /// The address to listen on; nil for every address, IPv4 and IPv6.
        public var address: IPAddress?
        /// UDP, TCP or TLS.
        public var transport: SIPTransport
        /// The UDP or TCP port.
        public var transportPort: UInt16

        public init(address: IPAddress? = nil, transport: SIPTransport, transportPort: UInt16) {
            self.address = address
            self.transport = transport
            self.transportPort = transportPort
        }
    }

    /// The senders whose packets a flow of a call takes.
    public enum SourcePolicy: String, Hashable, Sendable, Codable, CaseIterable {
        /// Those from the address and UDP port that the SDP names (the default).
        case strict
        /// Those of the sender of the first packet, learned once, within ten seconds of the answer, of a negotiated payload type and from
        /// the address that signals (symmetric RTP, RFC 4961): for callers behind a NAT.
        case learn
    }

    /// `listen` and `tls-listen`: UDP and TCP port 5060 by default, and 5061 with TLS where there is a certificate.
    public var listeners: [Listener]
    /// `certificate`: what TLS listeners show, and next hops that ask for one.
    public var certificate: Certificate?
    /// `ca-file`: the authorities that certificates of next hops are checked with, in PEM; nil for the system's.
    public var authorities: String?
    /// `names`: domain names that mean this node in a URI, beside its addresses and the domains of the registrar; lower case.
    public var names: [String]
    /// `realm`
    public var realm: String
    /// `algorithms`: the algorithms that callers and devices are asked to authenticate with, in the order in which they
    /// are offered; RFC 8760 clients take the first that they know. None occurs twice, and one at least is there.
    public var algorithms: [DigestAlgorithm]
    /// `users-file`: the users, as `crosspoint user add` writes them; nil: nobody can authenticate.
    public var usersFile: String?
    /// `allow`: networks whose callers need no authentication.
    public var allowedNetworks: [IPNetwork]
    /// `media-networks`: where media may go to and come from; empty: the networks of `allow`, and the address that a peer signals from.
    public var mediaNetworks: [IPNetwork]
    /// `udp-ports`: where the UDP ports of media are taken from.
    public var udpPorts: ClosedRange<UInt16>
    /// `source`
    public var sourcePolicy: SourcePolicy
    /// `dial-plan`: who is reached by what was called; the first rule that matches counts.
    public var dialPlan: [DialRule]
    /// `registrar`; nil: REGISTER is refused.
    public var registrar: RegistrarConfiguration?
    /// `session-timer`: how often a call must be refreshed (RFC 4028); nil (`off`): a call lasts as long as nobody hangs up.
    public var sessionTimer: SessionTimer.Policy?
    /// `no-media-timeout`: seconds without media, where the negotiated direction lets media be expected, after which a call is hung up; nil
    /// (`off`): never.
    public var noMediaTimeout: Int?
    /// `limits`
    public var limits: SIPLimitsConfiguration

    public init(
        listeners: [Listener] = SIPConfiguration.defaultListeners(hasCertificate: false),
        certificate: Certificate? = nil, authorities: String? = nil, names: [String] = [], realm: String = "crosspoint",
        algorithms: [DigestAlgorithm] = SIPConfiguration.defaultAlgorithms, usersFile: String? = nil,
        allowedNetworks: [IPNetwork] = [], mediaNetworks: [IPNetwork] = [],
        udpPorts: ClosedRange<UInt16> = 30_000...39_999, sourcePolicy: SourcePolicy = .strict,
        dialPlan: [DialRule] = [], registrar: RegistrarConfiguration? = nil,
        sessionTimer: SessionTimer.Policy? = SessionTimer.Policy(), noMediaTimeout: Int? = 300,
        limits: SIPLimitsConfiguration = SIPLimitsConfiguration()
    ) {
        self.listeners = listeners
        self.certificate = certificate
        self.authorities = authorities
        self.names = names
        self.realm = realm
        self.algorithms = algorithms
        self.usersFile = usersFile
        self.allowedNetworks = allowedNetworks
        self.mediaNetworks = mediaNetworks
        self.udpPorts = udpPorts
        self.sourcePolicy = sourcePolicy
        self.dialPlan = dialPlan
        self.registrar = registrar
        self.sessionTimer = sessionTimer
        self.noMediaTimeout = noMediaTimeout
        self.limits = limits
    }

    /// MD5 first: user agents that know nothing else take the first challenge or none, although a later one would suit them (SIPp 3.6 and
    /// libre 1 among them); those of RFC 8760 know both.
    public static let defaultAlgorithms: [DigestAlgorithm] = [.md5, .sha256]

    /// The listeners of a node for which none are configured: the ports of SIP, and of SIP over TLS where it can (RFC
    /// 3261 section 19.1.2).
    public static func defaultListeners(hasCertificate: Bool) -> [Listener] {
        let plain = [
            Listener(transport: .udp, transportPort: 5060), Listener(transport: .tcp, transportPort: 5060),
        ]
        return plain + (hasCertificate ? [Listener(transport: .tls, transportPort: 5061)] : [])
    }
}
