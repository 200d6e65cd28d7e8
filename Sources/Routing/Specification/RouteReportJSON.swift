// A route and a leg as they stand, as JSON: what was asked for, and beside it what became of it.

extension RouteReport: Codable {
    private enum CodingKeys: String, CodingKey {
        case owner, engine, engineReason, engineAskedFor, membership, legs, problem, differsFromFile, revision, author
        case standing = "state"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        var specification = try RouteSpecification(lenientlyFrom: decoder)
        specification.engine =
            try container.decodeIfPresent(RouteSpecification.Engine.self, forKey: .engineAskedFor) ?? .auto
        self.init(
            specification: specification,
            owner: try container.decode(RouteOwner.self, forKey: .owner),
            engine: try container.decode(String.self, forKey: .engine),
            engineReason: try container.decode(String.self, forKey: .engineReason),
            membership: try container.decode(String.self, forKey: .membership),
            legs: try container.decode([LegReport].self, forKey: .legs),
            standing: try container.decodeIfPresent(RouteStanding.self, forKey: .standing) ?? .live,
            problem: try container.decodeIfPresent(String.self, forKey: .problem),
            differsFromFile: try container.decodeIfPresent(Bool.self, forKey: .differsFromFile) ?? false,
            revision: try container.decodeIfPresent(UInt64.self, forKey: .revision) ?? 0,
            author: try container.decodeIfPresent(String.self, forKey: .author))
    }

    /// Encodes the keys of the specification, and those of the report, as one object.
    public func encode(to encoder: any Encoder) throws {
        try specification.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(owner, forKey: .owner)
        try container.encode(engine, forKey: .engine)
        try container.encode(specification.engine, forKey: .engineAskedFor)
        try container.encode(engineReason, forKey: .engineReason)
        try container.encode(membership, forKey: .membership)
        try container.encode(legs, forKey: .legs)
        try container.encode(standing, forKey: .standing)
        try container.encodeIfPresent(problem, forKey: .problem)
        try container.encode(differsFromFile, forKey: .differsFromFile)
        try container.encode(revision, forKey: .revision)
        try container.encodeIfPresent(author, forKey: .author)
    }
}

extension LegReport: Codable {
    private enum CodingKeys: String, CodingKey {
        case number, state, reason, nextHop
        case specification = "to"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            number: try container.decode(UInt32.self, forKey: .number),
            specification: try container.decode(LegSpecification.self, forKey: .specification),
            state: try container.decode(State.self, forKey: .state),
            reason: try container.decodeIfPresent(String.self, forKey: .reason),
            nextHop: try container.decodeIfPresent(String.self, forKey: .nextHop))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(number, forKey: .number)
        try container.encode(specification, forKey: .specification)
        try container.encode(state, forKey: .state)
        try container.encodeIfPresent(reason, forKey: .reason)
        try container.encodeIfPresent(nextHop, forKey: .nextHop)
    }
}
