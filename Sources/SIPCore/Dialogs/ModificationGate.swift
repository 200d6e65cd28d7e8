// Decision on the side that may change a session, when both try.

/// Keeps re-INVITEs and UPDATEs of both sides apart (RFC 3261 section 14, RFC 3311 section 5).
public struct ModificationGate: Hashable, Sendable {
    /// An INVITE of this node has no final response yet.
    public private(set) var isInviting = false
    /// An INVITE of the peer has no final response yet.
    public private(set) var isInvited = false
    /// An offer of this node, in whatever message, has no answer yet.
    public private(set) var hasOffered = false
    /// An offer of the peer has no answer yet.
    public private(set) var wasOffered = false

    public init() {}

    /// True if this node may send a re-INVITE now (section 14.1).
    public var mayInvite: Bool { !isInviting && !isInvited && !hasOffered && !wasOffered }
    /// True if this node may send an UPDATE with an offer now (RFC 3311 section 5.1).
    public var mayOfferUpdate: Bool { !hasOffered && !wasOffered }

    /// A re-INVITE of the peer came: nil where it may be carried out.
    ///
    /// - Parameter retryAfter: a random number of seconds, 0 to 10.
    public mutating func receiveInvite(hasOffer: Bool, retryAfter: Int) -> SIPRefusal? {
        if isInvited { return Self.busy(retryAfter) }
        if isInviting || hasOffered { return SIPRefusal(.requestPending) }
        if wasOffered { return Self.busy(retryAfter) }
        isInvited = true
        wasOffered = hasOffer
        return nil
    }

    /// An UPDATE of the peer came: nil where it may be carried out.
    public mutating func receiveUpdate(hasOffer: Bool, retryAfter: Int) -> SIPRefusal? {
        guard hasOffer else { return nil }
        if hasOffered { return SIPRefusal(.requestPending) }
        if wasOffered { return Self.busy(retryAfter) }
        wasOffered = true
        return nil
    }

    private static func busy(_ retryAfter: Int) -> SIPRefusal {
        SIPRefusal(.serverInternalError, headers: ["Retry-After": String(min(max(retryAfter, 0), 10))])
    }

    public mutating func sentInvite() { isInviting = true }
    public mutating func sentOffer() { hasOffered = true }
    /// An offer came in something else than an INVITE or UPDATE: a 2xx, a reliable provisional response, a PRACK.
    public mutating func receivedOffer() { wasOffered = true }
    /// The answer to an offer has been sent or received, or the offer has failed.
    public mutating func settled() {
        hasOffered = false
        wasOffered = false
    }
    /// This node's INVITE has its final response.
    public mutating func invitingEnded() { isInviting = false }
    /// The peer's INVITE has its final response.
    public mutating func invitedEnded() { isInvited = false }

    /// The time to wait after a 491 before trying again (section 14.1), in steps of 10 ms: 2.1 to 4 s for the side that
    /// chose the Call-ID, up to 2 s for the other.
    public static func backoff(
        ownsCallID: Bool, using generator: inout some RandomNumberGenerator
    ) -> Duration {
        .milliseconds(10 * Int.random(in: ownsCallID ? 210...400 : 0...200, using: &generator))
    }
}
