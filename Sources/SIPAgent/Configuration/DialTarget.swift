// Whom a rule of the dial plan calls.

public import SIPCore

/// One entry of `to` in a rule.
public enum DialTarget: Hashable, Sendable {
    /// The devices that are registered under the called name, after rewriting (`registered`). Several of them ring at once, those of higher
    /// preference (`q`) first.
    case registered
    /// A user agent or a proxy (`sip:10.2.0.5;transport=tcp`).
    case nextHop(NextHop)

    /// The place that requests are sent to.
    public struct NextHop: Hashable, Sendable {
        /// Looked up by RFC 3263 unless it is an address. With a user part it is the new Request-URI's user, too.
        public var uri: SIPURI
        /// The identity of the node for the next hop when that asks; nil: a challenge of the next hop fails the call.
        public var credentials: Credentials?

        public init(uri: SIPURI, credentials: Credentials? = nil) {
            self.uri = uri
            self.credentials = credentials
        }
    }

    /// A user of the next hop's realm.
    public struct Credentials: Hashable, Sendable {
        public var user: String
        /// The file that holds the password on its first line, readable for its owner alone. It is read for each challenge.
        public var passwordFile: String

        public init(user: String, passwordFile: String) {
            self.user = user
            self.passwordFile = passwordFile
        }
    }
}
