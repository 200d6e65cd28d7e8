// The header fields of a message.

/// Header fields in the order in which they came, unknown ones included (RFC 2326 section 12).
///
/// Names are compared without regard to case. A name may stand several times.
public struct RTSPHeaders: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    /// One field: its name as it was written, and its value without the white space around it.
    public struct Field: Hashable, Sendable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public private(set) var fields: [Field]

    public init(_ fields: [Field] = []) { self.fields = fields }

    public init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field($0.0, $0.1) }
    }

    /// The first field of the name; setting it replaces all of the name, nil removes them.
    public subscript(name: String) -> String? {
        get { fields.first { Self.isSame($0.name, name) }?.value }
        set {
            let position = fields.firstIndex { Self.isSame($0.name, name) }
            fields.removeAll { Self.isSame($0.name, name) }
            guard let newValue else { return }
            fields.insert(Field(name, newValue), at: min(position ?? fields.count, fields.count))
        }
    }

    /// The values of all fields of the name, in order.
    public func all(_ name: String) -> [String] { fields.filter { Self.isSame($0.name, name) }.map(\.value) }

    /// Adds a field, whether or not there is one of the name.
    public mutating func append(_ name: String, _ value: String) { fields.append(Field(name, value)) }

    /// The sequence number (section 12.17): digits alone; nil where it is missing or no 32-bit number.
    public var sequence: UInt32? {
        guard let text = self["CSeq"], text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return UInt32(text)
    }

    /// True if two names, of ASCII letters and signs, are the same field's.
    public static func isSame(_ one: String, _ other: String) -> Bool {
        one.utf8.count == other.utf8.count
            && zip(one.utf8, other.utf8).allSatisfy { lower($0) == lower($1) }
    }

    private static func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5a).contains(byte) ? byte | 0x20 : byte }
}
