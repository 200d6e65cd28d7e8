// The body of a request that gives a route another source: `{"from": "239.1.1.11:5004@eth0"}`.

public import Routing

/// A source that is asked for.
public struct TakeRequest: Hashable, Sendable, Codable {
    /// The source.
    public var from: SourceSpecification

    /// The time in seconds in which the source has to be seen; nil for the usual time.
    public var timeout: Double?
    /// True to take the source at once, seen or not.
    public var force: Bool

    public init(from: SourceSpecification, timeout: Double? = nil, force: Bool = false) {
        self.from = from
        self.timeout = timeout
        self.force = force
    }

    private enum CodingKeys: String, CodingKey, CaseIterable { case from, timeout, force }

    public init(from decoder: any Decoder) throws {
        try StrictKeys.check(decoder, known: CodingKeys.allCases.map(\.rawValue))
        let container = try decoder.container(keyedBy: CodingKeys.self)
        from = try container.decode(SourceSpecification.self, forKey: .from)
        timeout = try container.decodeIfPresent(Double.self, forKey: .timeout)
        force = try container.decodeIfPresent(Bool.self, forKey: .force) ?? false
    }

    /// The wait that is asked for; nil for none.
    ///
    /// - Throws: `RoutingError` of code `invalid` where the timeout is out of range.
    public func wait() throws(RoutingError) -> SourceWait? {
        if force { return nil }
        guard let timeout else { return try SourceWait() }
        guard timeout.isFinite, abs(timeout) < 1e6 else {
            throw RoutingError(.invalid, "timeout: is not a number of seconds")
        }
        return try SourceWait(timeout: .milliseconds(Int64(timeout * 1000)))
    }
}
