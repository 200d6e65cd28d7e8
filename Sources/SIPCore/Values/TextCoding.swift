// Values in the journal are written as they stand in messages.

extension SIPURI: Codable {
    public init(from decoder: any Decoder) throws {
        self = try SIPURI(try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension NameAddress: Codable {
    public init(from decoder: any Decoder) throws {
        self = try NameAddress(try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
