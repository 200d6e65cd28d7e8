// Provisional response that a PRACK acknowledges.

/// RAck (RFC 3262 section 7.2).
public struct RAck: Hashable, Sendable, CustomStringConvertible {
    /// The RSeq of the response.
    public var responseSequence: UInt32
    /// The CSeq of the response.
    public var cseq: CSeq

    public init(_ responseSequence: UInt32, _ cseq: CSeq) {
        self.responseSequence = responseSequence
        self.cseq = cseq
    }

    public init(_ text: String) throws(SIPSyntaxError) {
        let parts = text.split(maxSplits: 1, omittingEmptySubsequences: true) { $0 == " " || $0 == "\t" }
        guard parts.count == 2, let number: UInt32 = ASCII.number(parts[0]) else {
            throw SIPSyntaxError("'\(text)' has no number of a response")
        }
        responseSequence = number
        let rest = parts[1].drop { $0 == " " || $0 == "\t" }
        cseq = try CSeq(String(rest))
    }

    public var description: String { "\(responseSequence) \(cseq)" }
}
