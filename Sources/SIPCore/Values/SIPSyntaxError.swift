// Reasons for which a value cannot be read.

/// A value that does not follow the grammar.
public struct SIPSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The problem, in words that fit behind the name of the field.
    public let description: String

    init(_ description: String) { self.description = description }
}
