// Limits of the state and work that peers may cause in the SIP agent.

/// `sip: limits:`. A source is an IPv4 address or the /64 of an IPv6 address; what one may have is a few per cent of all by default, so that
/// no device keeps the others out.
public struct SIPLimitsConfiguration: Hashable, Sendable {
    /// `calls`: calls at a time, ringing ones included.
    public var calls: Int
    /// `calls-per-source`: calls at a time that come from one source; also how many messages of it are on their way, and, with
    /// the transactions that a call has, how many of its requests are remembered.
    public var callsPerSource: Int
    /// `requests-per-second`: requests outside of calls that one address may send on average; 0: any number.
    public var requestsPerSecond: Int
    /// `burst`: requests that one address may send at once, after a silence.
    public var burst: Int
    /// `registrations`: names that devices are registered under.
    public var registrations: Int
    /// `registrations-per-source`: names that one source has registered.
    public var registrationsPerSource: Int
    /// `connections`: TCP and TLS connections at a time.
    public var connections: Int
    /// `connections-per-source`: those that one source has made.
    public var connectionsPerSource: Int

    /// The flows that a call of one medium takes: RTP and RTCP, both ways, each on a UDP port of its own.
    public static let flowsPerCall = 4

    public init(
        calls: Int = 2048, callsPerSource: Int = 64, requestsPerSecond: Int = 50, burst: Int = 200,
        registrations: Int = 10_000, registrationsPerSource: Int = 256, connections: Int = 4096,
        connectionsPerSource: Int = 128
    ) {
        self.calls = calls
        self.callsPerSource = callsPerSource
        self.requestsPerSecond = requestsPerSecond
        self.burst = burst
        self.registrations = registrations
        self.registrationsPerSource = registrationsPerSource
        self.connections = connections
        self.connectionsPerSource = connectionsPerSource
    }

    /// The reason for which a flow table of this size does not hold the calls that are allowed, with the remedy; nil where it does.
    public func shortage(flows: Int) -> String? {
        guard calls > flows / Self.flowsPerCall else { return nil }
        return
            "sip.limits.calls: \(calls) calls take \(calls * Self.flowsPerCall) flows, \(Self.flowsPerCall) each and more with video, but "
            + "limits.flows is \(flows); raise limits.flows, or allow \(flows / Self.flowsPerCall) calls"
    }
}
