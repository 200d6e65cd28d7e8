// The header fields of a message.

/// Header fields in the order in which they came, unknown ones included (RFC 3261 section 7.3).
///
/// Names are compared without regard to case and held in their long form. A name may stand several times.
/// Via, From, To, Call-ID, CSeq and Content-Length are not among them: requests and responses hold them as values.
public struct SIPHeaders: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    /// One field: its name, and its value unfolded and without the white space around it.
    public struct Field: Hashable, Sendable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = SIPHeaderName.expanded(name)
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
        get { fields.first { SIPHeaderName.isSame($0.name, name) }?.value }
        set {
            let position = fields.firstIndex { SIPHeaderName.isSame($0.name, name) }
            fields.removeAll { SIPHeaderName.isSame($0.name, name) }
            guard let newValue else { return }
            fields.insert(Field(name, newValue), at: min(position ?? fields.count, fields.count))
        }
    }

    /// The values of all fields of the name, in order, each as it was written.
    public func all(_ name: String) -> [String] {
        fields.filter { SIPHeaderName.isSame($0.name, name) }.map(\.value)
    }

    /// The values of a field whose grammar is a comma-separated list: one field with commas and several fields are the
    /// same (RFC 3261 section 7.3.1). Commas in quotes and angle brackets do not separate; empty items are left out.
    public func list(_ name: String) -> [String] {
        all(name).flatMap { ValueList.items(of: $0) }.filter { !$0.isEmpty }
    }

    /// True if a list field names `token`, in any case.
    public func contains(_ token: String, in name: String) -> Bool {
        list(name).contains { ASCII.isSame($0, token) }
    }

    /// Adds a field, whether or not there is one of the name.
    public mutating func append(_ name: String, _ value: String) { fields.append(Field(name, value)) }

    /// Replaces all fields of the name by one for each value.
    public mutating func set(_ name: String, _ values: [String]) {
        self[name] = nil
        for value in values { append(name, value) }
    }
}
