// Reasons for which a request about routes was refused.

/// A refusal: one line for a person, and a code for programs.
public struct RoutingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of refusal. The control API answers with the HTTP status that goes with it.
    public enum Code: String, Hashable, Sendable, Codable {
        /// The request itself is wrong.
        case invalid
        /// No route or leg of that name.
        case notFound = "not-found"
        /// Another route has the name, the flow, or would be fed by it (loop).
        case conflict
        /// Admission, table or interface limits.
        case capacity
        /// The node lacks something: an interface, native XDP, a privilege.
        case unavailable
        /// The kernel refused what should have worked.
        case failed
    }

    public var code: Code
    /// The problem, its place, and the remedy.
    public var message: String
    /// All that was wrong, a line each, where a batch had several problems; `message` is the first.
    public var details: [String]

    public init(_ code: Code, _ message: String, details: [String] = []) {
        self.code = code
        self.message = message
        self.details = details
    }

    public var description: String { message }
}
