// Why a message cannot be used, and what to answer.

/// A malformed message.
public struct SIPParseError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What to answer with; its phrase says what is wrong (RFC 3261 section 21.4.1).
    public var status: SIPStatus
    /// What is wrong, for the log.
    public var description: String
    /// What the answer is made of; nil where the message must be dropped: responses, ACK, and requests whose sender
    /// cannot be made out.
    public var reply: SIPErrorReply?

    init(_ status: SIPStatus, _ description: String, reply: SIPErrorReply? = nil) {
        self.status = status
        self.description = description
        self.reply = reply
    }
}
