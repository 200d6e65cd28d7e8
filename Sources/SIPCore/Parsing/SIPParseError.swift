// Reasons for which a message cannot be used, and the answers to it.

/// A malformed message.
public struct SIPParseError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The status to answer with; its phrase says what is wrong (RFC 3261 section 21.4.1).
    public var status: SIPStatus
    /// The problem, for the log.
    public var description: String
    /// The parts that the answer is made of; nil where the message must be dropped: responses, ACK, and requests whose
    /// sender cannot be made out.
    public var reply: SIPErrorReply?

    init(_ status: SIPStatus, _ description: String, reply: SIPErrorReply? = nil) {
        self.status = status
        self.description = description
        self.reply = reply
    }
}
