// Refusals of requests.

/// A refusal: what the peer is answered, and what the log says.
public struct RTSPRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    public var response: RTSPResponse
    /// The reason, for operators.
    public var reason: String

    public init(_ status: RTSPStatus, _ reason: String, headers: RTSPHeaders = [:]) {
        response = RTSPResponse(status, headers: headers)
        self.reason = reason
    }

    /// One that says which methods would do (RFC 2326 sections 11.3.1, 11.3.6 and 12.4).
    public init(_ status: RTSPStatus, _ reason: String, allow methods: [RTSPMethod]) {
        self.init(status, reason, headers: ["Allow": MethodList(methods).description])
    }

    public var description: String { "\(response.status.code) \(response.status.phrase): \(reason)" }
}
