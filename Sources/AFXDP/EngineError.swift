// Reasons for which the AF_XDP engine could not do what it was asked.

/// A refusal of the AF_XDP engine, as one line that names the thing, the value and the remedy.
public struct EngineError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of the refusal.
    public enum Kind: Hashable, Sendable {
        /// The process lacks a privilege.
        case privileges
        /// Memory that may be locked does not suffice.
        case lockedMemory
        /// The interface, its driver or its queue cannot take part.
        case port
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
