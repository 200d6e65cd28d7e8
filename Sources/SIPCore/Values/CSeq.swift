// The order of requests.

/// CSeq (RFC 3261 section 20.16).
public struct CSeq: Hashable, Sendable, CustomStringConvertible {
    public var sequence: UInt32
    public var method: SIPMethod

    public init(_ sequence: UInt32, _ method: SIPMethod) {
        self.sequence = sequence
        self.method = method
    }

    public init(_ text: String) throws(SIPSyntaxError) {
        var cursor = Cursor(text)
        let digits = cursor.take(while: ASCII.isDigit)
        guard let sequence: UInt32 = ASCII.number(digits) else { throw SIPSyntaxError("'\(text)' has no number") }
        cursor.skipSpace()
        self.sequence = sequence
        method = SIPMethod(try cursor.takeToken("the method"))
        cursor.skipSpace()
        if !cursor.isAtEnd { throw SIPSyntaxError("'\(cursor.rest)' follows the method") }
    }

    public var description: String { "\(sequence) \(method.name)" }
}
