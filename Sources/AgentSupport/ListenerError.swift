// Why an agent does not listen.

/// Why there is no listener: the thing, the value and the remedy in one line.
public struct ListenerError: Error, Hashable, Sendable, CustomStringConvertible {
    public let message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
