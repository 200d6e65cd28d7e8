// Names and addresses of parties: From, To, Contact, Route and their like.

/// A URI with a display name and parameters (RFC 3261 section 20.10).
public struct NameAddress: Hashable, Sendable, CustomStringConvertible {
    /// The display name, without quotes and escapes; nil where there is none.
    public var displayName: String?
    public var uri: SIPURI
    /// The parameters of the field, not of the URI.
    public var parameters: SIPParameters

    public init(_ uri: SIPURI, displayName: String? = nil, parameters: SIPParameters = [:]) {
        self.displayName = displayName
        self.uri = uri
        self.parameters = parameters
    }

    /// Reads one value.
    public init(_ text: some StringProtocol) throws(SIPSyntaxError) {
        var cursor = Cursor(text)
        try self.init(&cursor)
        cursor.skipSpace()
        if !cursor.isAtEnd { throw SIPSyntaxError("'\(cursor.rest)' follows an address") }
    }

    /// Reads values that are separated by commas.
    public static func list(_ text: some StringProtocol) throws(SIPSyntaxError) -> [NameAddress] {
        var cursor = Cursor(text)
        var addresses = [try NameAddress(&cursor)]
        while cursor.take(",") { addresses.append(try NameAddress(&cursor)) }
        cursor.skipSpace()
        if !cursor.isAtEnd { throw SIPSyntaxError("'\(cursor.rest)' follows an address") }
        return addresses
    }

    private init(_ cursor: inout Cursor) throws(SIPSyntaxError) {
        cursor.skipSpace()
        if cursor.next == UInt8(ascii: "\"") {
            displayName = ValueList.unquoted(try cursor.takeQuoted())
            cursor.skipSpace()
            guard cursor.next == UInt8(ascii: "<") else { throw SIPSyntaxError("no < follows the display name") }
        } else if cursor.bracketFollows, cursor.next != UInt8(ascii: "<") {
            let name = cursor.take(while: { $0 != UInt8(ascii: "<") })
            displayName = ValueList.trimmed(Array(name.utf8))
        }
        if cursor.next == UInt8(ascii: "<") {
            uri = try SIPURI(try cursor.takeBracketed())
        } else {
            // Without brackets semicolons belong to the field, and commas and question marks may not stand at all
            // (RFC 3261 section 20).
            uri = try SIPURI(cursor.take(while: { $0 > 0x20 && $0 != 0x3b && $0 != 0x2c }))
            let needsBrackets = uri.headers != nil || uri.user?.utf8.contains(UInt8(ascii: "?")) == true
            if needsBrackets { throw SIPSyntaxError("a URI with ? stands without angle brackets") }
        }
        parameters = try SIPParameters(&cursor)
    }

    /// The `tag` of From and To.
    public var tag: String? {
        get { parameters["tag"] }
        set { parameters["tag"] = newValue }
    }

    /// Always with angle brackets, so that parameters cannot be taken for the URI's.
    public var description: String {
        let name = displayName.map { ValueList.quoted($0) + " " } ?? ""
        return "\(name)<\(uri)>\(parameters)"
    }
}
