// Answer of the control API when it refuses: `{"error": {"code": "conflict", "message": "…"}}`.

public import Routing

/// A refusal as JSON.
public struct ErrorReport: Hashable, Sendable, Codable {
    /// The code and the message.
    public var error: Refusal

    /// The reason for which a request was refused.
    public struct Refusal: Hashable, Sendable, Codable {
        /// The kind of refusal.
        public var code: RoutingError.Code
        /// One line for a person: what was wrong, where, and the remedy.
        public var message: String
        /// All problems of a batch, a line each; absent where there is one.
        public var details: [String]?
    }

    public init(_ error: RoutingError) {
        self.error = Refusal(
            code: error.code, message: error.message, details: error.details.isEmpty ? nil : error.details)
    }

    /// The refusal as an error.
    public var routingError: RoutingError { RoutingError(error.code, error.message, details: error.details ?? []) }
}
