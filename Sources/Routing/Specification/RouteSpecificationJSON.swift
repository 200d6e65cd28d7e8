// A route as JSON: `{"name": "cam1", "from": "…", "to": ["…"], "payload": "rtp", …}`, with the keys of the configuration file.

extension RouteSpecification: Codable {
    /// The keys of a route, in the configuration file as in JSON.
    public enum CodingKeys: String, CodingKey, CaseIterable, Sendable {
        /// The route's name.
        case name
        /// The source.
        case source = "from"
        /// The legs.
        case legs = "to"
        /// The kind of packets that the packets are taken for.
        case payload
        /// The extent of the accounting.
        case accounting
        /// The RTP clock rate in Hz.
        case clockRate = "clock"
        /// The rate on the wire, a text such as `2.66Gb/s` or a number of bits per second.
        case wireRate = "rate"
        /// True if admission is skipped.
        case isForced = "force"
        /// The destination of the packets.
        case delivery
        /// The engine that sends the packets on.
        case engine
    }

    /// Decodes and validates a route. Unknown keys are refused, and the error names the nearest known one.
    public init(from decoder: any Decoder) throws {
        try StrictKeys.check(decoder, known: CodingKeys.allCases.map(\.rawValue))
        try self.init(lenientlyFrom: decoder)
        engine = try Self.word(try decoder.container(keyedBy: CodingKeys.self), .engine) ?? .auto
        try validate()
    }

    /// The same for a route that is among other keys, or that the node itself has made; its engine is the caller's to
    /// read, since a report has another meaning for the key.
    init(lenientlyFrom decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            name: try container.decode(String.self, forKey: .name),
            source: try container.decode(SourceSpecification.self, forKey: .source),
            legs: try container.decodeIfPresent([LegSpecification].self, forKey: .legs) ?? [],
            payload: try Self.word(container, .payload) ?? .rtp,
            accounting: try Self.word(container, .accounting) ?? .full,
            clockRate: try container.decodeIfPresent(UInt32.self, forKey: .clockRate),
            wireRate: try container.decodeIfPresent(BitRate.self, forKey: .wireRate)?.bitsPerSecond,
            isForced: try container.decodeIfPresent(Bool.self, forKey: .isForced) ?? false,
            delivery: try Self.word(container, .delivery) ?? .legs)
    }

    private static func word<Word: RawRepresentable & CaseIterable>(
        _ container: KeyedDecodingContainer<CodingKeys>, _ key: CodingKeys
    ) throws -> Word? where Word.RawValue == String {
        guard let text = try container.decodeIfPresent(String.self, forKey: key) else { return nil }
        return try Word(text, setting: key.rawValue)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(source, forKey: .source)
        try container.encode(legs, forKey: .legs)
        try container.encode(payload, forKey: .payload)
        try container.encode(accounting, forKey: .accounting)
        try container.encodeIfPresent(clockRate, forKey: .clockRate)
        try container.encodeIfPresent(wireRate.map(BitRate.init(bitsPerSecond:)), forKey: .wireRate)
        try container.encode(isForced, forKey: .isForced)
        if engine != .auto { try container.encode(engine, forKey: .engine) }
        if delivery != .legs { try container.encode(delivery, forKey: .delivery) }
    }
}

extension RawRepresentable where Self: CaseIterable, RawValue == String {
    /// The case that `text` names, as the value of the setting `key`.
    package init(_ text: String, setting key: String) throws(SpecificationError) {
        guard let value = Self(rawValue: text) else {
            throw SpecificationError(
                .setting(key), text, "is unknown",
                remedy: "use \(Self.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self = value
    }
}
