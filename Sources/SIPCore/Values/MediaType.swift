// Type of a body.

/// The type of a body (RFC 3261 section 20.15). Types are compared without regard to case and parameters.
public struct MediaType: Hashable, Sendable, CustomStringConvertible {
    /// Lower case.
    public var type: String
    /// Lower case.
    public var subtype: String
    public var parameters: SIPParameters

    public init(_ text: String) throws(SIPSyntaxError) {
        var cursor = Cursor(text)
        cursor.skipSpace()
        type = try cursor.takeToken("the type").lowercased()
        guard cursor.take("/") else { throw SIPSyntaxError("'\(text)' has no subtype") }
        subtype = try cursor.takeToken("the subtype").lowercased()
        parameters = try SIPParameters(&cursor)
        cursor.skipSpace()
        if !cursor.isAtEnd { throw SIPSyntaxError("'\(cursor.rest)' follows the type") }
    }

    /// Without parameters.
    public var name: String { "\(type)/\(subtype)" }
    public var description: String { name + parameters.description }
    /// True if this is a session description.
    public var isSDP: Bool { name == "application/sdp" }
}
