// Encryption of the media of a call.

/// The treatment of SRTP by the node between a caller and a party that is called by a rule of the dial plan.
public enum MediaProtection: String, Hashable, Sendable, Codable, CaseIterable {
    /// Nothing: keys pass from end to end where both hops are TLS, and the media is what the ends agree on (the default).
    case relay
    /// It ends SRTP on both sides, each with keys of its own: who is called is offered what the caller has offered.
    case offered
    /// The called party gets SRTP, whatever the caller has; its hop must be TLS.
    case required
    /// The called party gets plain RTP, whatever the caller has.
    case off

    /// True if the node takes part in keys: SRTP ends at it.
    var endsSRTP: Bool { self != .relay }
}
