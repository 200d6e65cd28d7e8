// Reasons for which a request is not carried out.

/// A final answer that needs nothing but the request.
public struct SIPRefusal: Error, Hashable, Sendable {
    public var status: SIPStatus
    public var headers: SIPHeaders

    public init(_ status: SIPStatus, headers: SIPHeaders = [:]) {
        self.status = status
        self.headers = headers
    }

    /// The answer to `request`; `tag` goes into To.
    public func response(to request: SIPRequest, tag: String) -> SIPResponse {
        SIPResponse(status, to: request, tag: tag, headers: headers)
    }
}
