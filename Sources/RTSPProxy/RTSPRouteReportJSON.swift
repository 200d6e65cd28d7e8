// Current state of a route of the proxy, as JSON: the route as it was asked for, without its password, and beside it the outcome.

extension RTSPRouteReport: Codable {
    private enum CodingKeys: String, CodingKey { case owner, state, detail, players }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            route: try RTSPRoute(lenientlyFrom: decoder),
            isConfigured: try container.decode(String.self, forKey: .owner) == Self.configuration,
            state: try container.decode(String.self, forKey: .state),
            detail: try container.decodeIfPresent(String.self, forKey: .detail),
            players: try container.decode(Int.self, forKey: .players))
    }

    /// Encodes the keys of the route and those of the report as one object. A report is for people: it never has the password.
    public func encode(to encoder: any Encoder) throws {
        try route.masked.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(owner, forKey: .owner)
        try container.encode(state, forKey: .state)
        try container.encodeIfPresent(detail, forKey: .detail)
        try container.encode(players, forKey: .players)
    }

    private static let configuration = "configuration"

    /// The owner of the route: `configuration` or `operator`, as with routes of the fast path.
    public var owner: String { isConfigured ? Self.configuration : "operator" }
}
