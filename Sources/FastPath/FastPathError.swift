// Reasons for which the fast path could not do what it was asked.

/// A refusal of the fast path, as one line that names the thing, the value and the remedy.
public struct FastPathError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of the refusal.
    public enum Kind: Hashable, Sendable {
        /// The caller lacks a privilege.
        case privileges
        /// A table is full.
        case full
        /// The interface or its driver cannot take part.
        case port
        /// The pinned state belongs to another version, or is damaged.
        case pinned
        /// The kernel refused for another reason.
        case kernel
    }

    public var kind: Kind
    public var message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    public var description: String { message }
}
