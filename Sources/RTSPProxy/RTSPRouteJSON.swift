// A route of the proxy as JSON: `{"name": "cam1", "path": "/cam1", "upstream": "rtsp://…", …}`, with the keys of the configuration file.

public import Routing

extension RTSPRoute: Codable {
    /// The keys of a route, in the configuration file as in JSON.
    public enum CodingKeys: String, CodingKey, CaseIterable, Sendable {
        case name, path, prefix
        case expression = "regex"
        case upstream, publish, transport, fingerprint, read
        case publishUsers = "publish-users"
        case allow, destinations
        case onDemand = "on-demand"
        case multicast
    }

    /// Decodes and validates a route. Unknown keys are refused, and the error names the nearest known one.
    public init(from decoder: any Decoder) throws {
        try StrictKeys.check(decoder, known: CodingKeys.allCases.map(\.rawValue))
        try self.init(lenientlyFrom: decoder)
        try validate()
    }

    /// The same for a route that is among other keys, or whose password is masked.
    init(lenientlyFrom decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let name = try container.decode(String.self, forKey: .name)
        let matches: [Match] = [
            try container.decodeIfPresent(String.self, forKey: .path).map(Match.path),
            try container.decodeIfPresent(String.self, forKey: .prefix).map(Match.prefix),
            try container.decodeIfPresent(String.self, forKey: .expression).map(Match.expression),
        ].compactMap(\.self)
        let upstream = try container.decodeIfPresent(String.self, forKey: .upstream)
        let isPublisher = try container.decodeIfPresent(Bool.self, forKey: .publish) ?? false
        self.init(
            name: name, match: try Self.only(matches, of: name),
            source: try Self.source(upstream: upstream, isPublisher: isPublisher, of: name))
        for key in [CodingKeys.transport, .fingerprint, .publishUsers, .onDemand] where container.contains(key) {
            try checkUse(of: key)
        }
        if let text = try container.decodeIfPresent(String.self, forKey: .transport) {
            transport = try UpstreamTransport(text, setting: CodingKeys.transport.rawValue)
        }
        if let text = try container.decodeIfPresent(String.self, forKey: .fingerprint) {
            fingerprint = try Self.fingerprint(text)
        }
        read = try Self.permission(container, .read) ?? read
        publish = try Self.permission(container, .publishUsers) ?? publish
        allowedNetworks = try container.decodeIfPresent([String].self, forKey: .allow) ?? []
        allowedDestinations = try container.decodeIfPresent([String].self, forKey: .destinations) ?? []
        isOnDemand = try container.decodeIfPresent(Bool.self, forKey: .onDemand) ?? true
        sendsMulticast = try container.decodeIfPresent(Bool.self, forKey: .multicast) ?? false
    }

    /// The one match that a route has.
    public static func only(_ matches: [Match], of name: String) throws(SpecificationError) -> Match {
        guard let match = matches.first, matches.count == 1 else {
            throw SpecificationError(
                .setting("rtsp route"), name, matches.isEmpty ? "says no path" : "says more than one of its paths",
                remedy: "give exactly one of path, prefix and regex")
        }
        return match
    }

    /// The one source that a route has.
    public static func source(
        upstream: String?, isPublisher: Bool, of name: String
    ) throws(SpecificationError) -> Source {
        switch (upstream, isPublisher) {
        case (let upstream?, false): return .upstream(upstream)
        case (nil, true): return .publisher
        default:
            throw SpecificationError(
                .setting("rtsp route"), name, upstream == nil ? "has no source" : "has an upstream and is published to",
                remedy: "give exactly one of upstream and publish: true")
        }
    }

    /// Throws if `key` means nothing for this route's source.
    public func checkUse(of key: CodingKeys) throws(SpecificationError) {
        let isForPublisher = key == .publishUsers
        guard (source == .publisher) != isForPublisher else { return }
        throw SpecificationError(
            .setting("rtsp route"), name,
            "has \(key.rawValue), which goes with \(isForPublisher ? "publish: true" : "an upstream") only",
            remedy: "leave it out")
    }

    /// Encodes the route with its password; `masked` has none.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        switch match {
        case .path(let text): try container.encode(text, forKey: .path)
        case .prefix(let text): try container.encode(text, forKey: .prefix)
        case .expression(let text): try container.encode(text, forKey: .expression)
        }
        switch source {
        case .upstream(let text):
            try container.encode(text, forKey: .upstream)
            try container.encode(transport, forKey: .transport)
            try container.encodeIfPresent(fingerprint, forKey: .fingerprint)
            try container.encode(isOnDemand, forKey: .onDemand)
        case .publisher:
            try container.encode(true, forKey: .publish)
            try Self.encode(publish, into: &container, .publishUsers)
        }
        try Self.encode(read, into: &container, .read)
        try container.encode(allowedNetworks, forKey: .allow)
        try container.encode(allowedDestinations, forKey: .destinations)
        try container.encode(sendsMulticast, forKey: .multicast)
    }

    private static func permission(
        _ container: KeyedDecodingContainer<CodingKeys>, _ key: CodingKeys
    ) throws -> Permission? {
        guard container.contains(key) else { return nil }
        if let users = try? container.decode([String].self, forKey: key) {
            return try Permission(words: users, setting: key.rawValue)
        }
        let word = try container.decode(String.self, forKey: key)
        guard ["anyone", "any-user"].contains(word) else {
            throw SpecificationError(
                .setting(key.rawValue), word, "is unknown", remedy: "use anyone, any-user or a list of users")
        }
        return try Permission(words: [word], setting: key.rawValue)
    }

    private static func encode(
        _ permission: Permission, into container: inout KeyedEncodingContainer<CodingKeys>, _ key: CodingKeys
    ) throws {
        switch permission {
        case .anyone: try container.encode("anyone", forKey: key)
        case .anyUser: try container.encode("any-user", forKey: key)
        case .users(let users): try container.encode(users.sorted(), forKey: key)
        }
    }
}
