// Reasons for which an agent does not listen.

/// The reason for which a listener does not exist: the thing, the value and the remedy in one line.
public struct ListenerError: Error, Hashable, Sendable, CustomStringConvertible {
    public let message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
