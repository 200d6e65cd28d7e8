// Decision of the dial plan on one call.

import SIPCore

/// The rule that a call goes by, and whom it calls.
struct DialDecision: Hashable, Sendable {
    /// Somebody to call.
    enum Target: Hashable, Sendable {
        /// The devices that are registered under this address-of-record.
        case registered(SIPURI)
        /// Another user agent or proxy.
        case nextHop(NextHop)
    }

    /// A call to another user agent or proxy.
    struct NextHop: Hashable, Sendable {
        /// The new Request-URI, and the new To.
        var requestURI: SIPURI
        /// The URI that the request is sent to, to be looked up by RFC 3263; the Request-URI itself unless the rule
        /// rewrites the host.
        var destination: SIPURI
        var credentials: DialTarget.Credentials?
    }

    /// The rule's name.
    var rule: String
    var permission: DialRule.Permission
    var targets: [Target]
    var forking: DialRule.Forking
    /// Seconds after which a target that has not answered is given up.
    var ringTime: Int
    /// The party that encrypts the media.
    var protection: MediaProtection
}
