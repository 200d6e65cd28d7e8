// Parameters of header values and of URIs.

/// Parameters in the order in which they came (`generic-param` and `uri-parameter`, RFC 3261 section 25.1).
public struct SIPParameters: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    /// One parameter: name and value as they were written, the value nil without a `=`.
    public struct Parameter: Hashable, Sendable {
        public var name: String
        public var value: String?
    }

    public private(set) var all: [Parameter] = []

    public init() {}

    public init(dictionaryLiteral elements: (String, String?)...) {
        all = elements.map { Parameter(name: $0.0, value: $0.1) }
    }

    /// The value of a parameter without its quotes; empty for one without `=`. Nil removes it.
    public subscript(name: String) -> String? {
        get { first(name).map { ValueList.unquoted($0.value ?? "") } }
        set {
            let position = all.firstIndex { ASCII.isSame($0.name, name) }
            all.removeAll { ASCII.isSame($0.name, name) }
            guard let newValue else { return }
            let parameter = Parameter(name: name, value: newValue)
            all.insert(parameter, at: min(position ?? all.count, all.count))
        }
    }

    /// True if a parameter is present, with a value or without.
    public func contains(_ name: String) -> Bool { first(name) != nil }

    /// Sets a parameter that has no value.
    public mutating func setFlag(_ name: String) {
        if !contains(name) { all.append(Parameter(name: name, value: nil)) }
    }

    private func first(_ name: String) -> Parameter? { all.first { ASCII.isSame($0.name, name) } }

    /// Reads `;name=value…` of a header value, as far as semicolons follow.
    init(_ cursor: inout Cursor) throws(SIPSyntaxError) {
        while cursor.take(";") {
            let name = try cursor.takeToken("the name of a parameter")
            guard cursor.take("=") else {
                all.append(Parameter(name: name, value: nil))
                continue
            }
            let value =
                cursor.next == UInt8(ascii: "\"")
                ? try cursor.takeQuoted() : cursor.take(while: ASCII.isBareValue)
            if value.isEmpty { throw SIPSyntaxError("parameter \(name) has no value behind =") }
            all.append(Parameter(name: name, value: value))
        }
    }

    /// Reads `name=value;…` of a URI: no white space, no quotes, escapes kept.
    init(uriText: some StringProtocol) throws(SIPSyntaxError) {
        for part in uriText.utf8.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false) {
            let text = String(decoding: part, as: UTF8.self)
            guard !text.isEmpty, text.utf8.allSatisfy(Self.isURIByte), ASCII.hasValidEscapes(text) else {
                throw SIPSyntaxError("'\(text)' is no parameter of a URI")
            }
            let pair = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            all.append(Parameter(name: String(pair[0]), value: pair.count == 2 ? String(pair[1]) : nil))
        }
    }

    private static let uriSigns = ByteSet("[]/:&+$=,@")
    private static func isURIByte(_ byte: UInt8) -> Bool { ASCII.isUnreserved(byte) || uriSigns.contains(byte) }
}

extension SIPParameters: CustomStringConvertible {
    /// With the semicolons before each.
    public var description: String {
        all.map { parameter in parameter.value.map { ";\(parameter.name)=\($0)" } ?? ";\(parameter.name)" }.joined()
    }
}
