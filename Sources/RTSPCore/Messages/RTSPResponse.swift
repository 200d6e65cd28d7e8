// A response, from either side.

/// A response (RFC 2326 section 7).
public struct RTSPResponse: Hashable, Sendable {
    public var status: RTSPStatus
    public var headers: RTSPHeaders
    public var body: [UInt8]

    public init(_ status: RTSPStatus, headers: RTSPHeaders = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The sequence number of the request that it answers (RFC 2326 section 12.17).
    public var sequence: UInt32? { headers.sequence }
}
