// Sessions that end when nobody refreshes them.

/// A negotiated session interval (RFC 4028).
public struct SessionTimer: Hashable, Sendable, Codable {
    /// The side that refreshes, as the transaction sees it that negotiated the timer.
    public enum Refresher: String, Hashable, Sendable, Codable {
        case uac, uas
    }

    /// The session interval in seconds.
    public var interval: UInt32
    /// True if this node refreshes.
    public var isRefresher: Bool

    /// When to refresh after the last refresh (section 10).
    public var refreshAfter: Duration { .seconds(interval / 2) }
    /// When to end the session with a BYE, unless it was refreshed: a little before the interval ends (section 10).
    public var expireAfter: Duration { .seconds(interval - min(32, interval / 3)) }

    /// The longest interval that a peer can ask for, in seconds: a day. What is longer would keep a call for ever whose peer has gone.
    public static let longest: UInt32 = 86_400

    /// The values that this node asks for.
    public struct Policy: Hashable, Sendable {
        /// The interval that is asked for, in seconds.
        public var interval: UInt32
        /// The least that is accepted, 90 s or more.
        public var minimum: UInt32

        public init(interval: UInt32 = 1800, minimum: UInt32 = 90) {
            self.interval = max(interval, minimum)
            self.minimum = minimum
        }
    }

    /// A Session-Expires value.
    public static func parse(_ value: String) -> (interval: UInt32, refresher: Refresher?)? {
        var cursor = Cursor(value)
        guard let interval: UInt32 = ASCII.number(cursor.take(while: ASCII.isDigit)),
            let parameters = try? SIPParameters(&cursor)
        else { return nil }
        return (interval, parameters["refresher"].flatMap { Refresher(rawValue: $0.lowercased()) })
    }

    // MARK: Server

    /// Judges an INVITE or UPDATE (section 9).
    ///
    /// - Returns: the timer and the fields of the 2xx that tell of it. Nobody else wants one where the timer is nil.
    /// - Throws: a 422 where the interval is too small.
    public static func answer(
        _ request: SIPRequest, policy: Policy
    ) throws(SIPRefusal) -> (timer: SessionTimer, headers: SIPHeaders) {
        let isSupported =
            request.headers.contains("timer", in: "Supported") || request.headers.contains("timer", in: "Require")
        let wanted = request.headers["Session-Expires"].flatMap { parse($0) }
        if let wanted, wanted.interval < policy.minimum, isSupported {
            throw SIPRefusal(.sessionIntervalTooSmall, headers: ["Min-SE": String(policy.minimum)])
        }
        let floor = max(min(request.headers.number("Min-SE") ?? policy.minimum, longest), policy.minimum)
        let interval = max(min(wanted?.interval ?? policy.interval, policy.interval), floor)
        // A client that does not know timers cannot refresh (table 2).
        let refresher = isSupported ? wanted?.refresher ?? .uac : .uas
        var headers: SIPHeaders = ["Session-Expires": "\(interval);refresher=\(refresher.rawValue)"]
        if isSupported, refresher == .uac { headers.append("Require", "timer") }
        return (SessionTimer(interval: interval, isRefresher: refresher == .uas), headers)
    }

    // MARK: Client

    /// The fields of an INVITE or UPDATE that ask for a timer (section 7.1), beside `timer` in Supported.
    ///
    /// - Parameters:
    ///   - minimum: the largest Min-SE that a 422 has asked for in this call; nil before the first.
    ///   - refresher: who refreshes, for a refresh of a running timer.
    public static func request(policy: Policy, minimum: UInt32? = nil, refresher: Refresher? = nil) -> SIPHeaders {
        let interval = max(policy.interval, minimum ?? 0)
        let role = refresher.map { ";refresher=\($0.rawValue)" } ?? ""
        var headers: SIPHeaders = ["Session-Expires": "\(interval)\(role)"]
        if minimum != nil || policy.minimum > 90 { headers["Min-SE"] = String(max(minimum ?? 0, policy.minimum)) }
        return headers
    }

    /// The Min-SE of a 422, with which the request is to be repeated; nil where it cannot be used.
    public static func minimum(of response: SIPResponse) -> UInt32? {
        response.status.code == 422 ? response.headers.number("Min-SE").map { min($0, longest) } : nil
    }

    /// The timer that the 2xx to this node's request has set (section 7.2); nil where the session does not expire.
    public init?(accepted response: SIPResponse) {
        guard let value = response.headers["Session-Expires"].flatMap({ Self.parse($0) }), value.interval > 0 else {
            return nil
        }
        // Less than the least that RFC 4028 allows would make this node refresh all the time.
        interval = min(max(value.interval, 90), Self.longest)
        isRefresher = value.refresher != .uas
    }

    init(interval: UInt32, isRefresher: Bool) {
        self.interval = interval
        self.isRefresher = isRefresher
    }
}
