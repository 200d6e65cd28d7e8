// The reason for which a name has no address.

/// A name that could not be resolved: which, why, and the remedy in one line.
public struct ResolverError: Error, Hashable, Sendable, CustomStringConvertible {
    public let message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
