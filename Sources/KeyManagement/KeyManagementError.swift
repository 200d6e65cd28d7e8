// Reasons for which keys cannot be used.

/// The problem of a key, or of its carrier. The text never contains key material.
public struct KeyManagementError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: Hashable, Sendable {
        /// It does not follow its grammar, or ends too early.
        case malformed
        /// It is right, but not for this node: a suite, a method or a payload that is not known here.
        case unsupported
        /// It would leave packets in clear or without authentication.
        case insecure
        /// Key or salt are not as long as their suite wants.
        case keyLength
        /// An answer does not belong to its offer.
        case notOffered
        /// A required key is missing.
        case missing
    }

    public let reason: Reason
    /// One line.
    public let description: String

    public init(_ reason: Reason, _ description: String) {
        self.reason = reason
        self.description = description
    }
}
