// What a request asks for.

/// A method of SIP.
public enum SIPMethod: Hashable, Sendable {
    case invite
}
