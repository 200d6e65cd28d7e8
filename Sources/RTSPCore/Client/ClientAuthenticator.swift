// Answers to a server's challenges.

/// Credentials for one host, and the challenges that it has given (RFC 2326 section 11; RFC 7616). Held apart from the session so
/// that the session needs neither a hash function nor randomness.
public protocol ClientAuthenticator: Sendable {
    /// Takes the WWW-Authenticate values of a 401. Returns whether the request is worth repeating: a challenge can be answered, and
    /// the credentials were not refused already.
    mutating func take(challenges: [String]) -> Bool
    /// The server answered with something else than a challenge.
    mutating func accepted()
    /// The value of Authorization for a request; nil before the first challenge.
    mutating func authorization(method: String, uri: String, body: [UInt8]) -> String?
}
