// Reasons for which a node could not be qualified.

/// A refusal, as one line that names the thing, the value and the remedy.
public struct QualificationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of the refusal.
    public enum Kind: Hashable, Sendable {
        /// The request cannot be met.
        case usage
        /// The caller lacks a privilege.
        case privileges
        /// The host refused.
        case failed
    }

    public var kind: Kind
    public var message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    public var description: String { message }
}
