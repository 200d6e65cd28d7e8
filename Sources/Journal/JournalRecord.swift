// One record of a journal: a kind, a name and a JSON value, understood or not.

/// The subject of a record.
public struct JournalKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The kind of thing, such as `route`; without blanks and line ends.
    public var kind: String
    /// Its name among those of its kind, such as `cam1`; without blanks and line ends.
    public var name: String

    public init(_ kind: String, _ name: String) {
        self.kind = kind
        self.name = name
    }

    public static func < (one: JournalKey, other: JournalKey) -> Bool {
        (one.kind, one.name) < (other.kind, other.name)
    }

    public var description: String { "\(kind) \(name)" }
}

/// The value of a key: JSON text on one line, in a form that has a version.
public struct JournalValue: Hashable, Sendable {
    /// The version of the value's form; a reader leaves newer ones alone.
    public var version: Int
    /// JSON (RFC 8259) without line ends.
    public var json: [UInt8]

    public init(version: Int, json: [UInt8]) {
        self.version = version
        self.json = json
    }
}

/// One change of a journal: a key has a value from now on, or none.
public struct JournalChange: Hashable, Sendable {
    public var key: JournalKey
    /// The value; nil where the key is removed.
    public var value: JournalValue?

    public init(_ key: JournalKey, _ value: JournalValue?) {
        self.key = key
        self.value = value
    }
}
