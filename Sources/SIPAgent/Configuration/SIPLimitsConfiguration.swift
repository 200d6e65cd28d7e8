// How much peers may make the SIP agent hold and do.

/// `sip: limits:`.
public struct SIPLimitsConfiguration: Hashable, Sendable {
    /// `calls`: calls at a time, ringing ones included.
    public var calls: Int
    /// `calls-per-source`: calls at a time that come from one source, an IPv4 address or an IPv6 network of 64 bits.
    public var callsPerSource: Int
    /// `requests-per-second`: requests outside of calls that one address may send on average; 0: any number.
    public var requestsPerSecond: Int
    /// `burst`: requests that one address may send at once, after a silence.
    public var burst: Int
    /// `registrations`: names that devices are registered under.
    public var registrations: Int
    /// `connections`: TCP and TLS connections at a time.
    public var connections: Int
    /// `connections-per-source`: of one source.
    public var connectionsPerSource: Int

    /// The flows that a call of one medium takes: RTP and RTCP, both ways, each on a UDP port of its own.
    public static let flowsPerCall = 4

    public init(
        calls: Int = 2048, callsPerSource: Int = 128, requestsPerSecond: Int = 50, burst: Int = 200,
        registrations: Int = 10_000, connections: Int = 4096, connectionsPerSource: Int = 256
    ) {
        self.calls = calls
        self.callsPerSource = callsPerSource
        self.requestsPerSecond = requestsPerSecond
        self.burst = burst
        self.registrations = registrations
        self.connections = connections
        self.connectionsPerSource = connectionsPerSource
    }

    /// Why a flow table of this size does not hold the calls that are allowed, with the remedy; nil where it does.
    public func shortage(flows: Int) -> String? {
        guard calls > flows / Self.flowsPerCall else { return nil }
        return
            "sip.limits.calls: \(calls) calls take \(calls * Self.flowsPerCall) flows, \(Self.flowsPerCall) each and more with video, but "
            + "limits.flows is \(flows); raise limits.flows, or allow \(flows / Self.flowsPerCall) calls"
    }
}
