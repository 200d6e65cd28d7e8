// A request, from either side.

/// A request (RFC 2326 section 6).
public struct RTSPRequest: Hashable, Sendable {
    public var method: RTSPMethod
    /// The request URI as it was written: an absolute URL, or `*`.
    public var uri: String
    /// The version behind `RTSP/`: 1.0 is the only one that is served.
    public var version: RTSPVersion
    public var headers: RTSPHeaders
    public var body: [UInt8]

    public init(
        _ method: RTSPMethod, _ uri: String, headers: RTSPHeaders = [:], body: [UInt8] = [],
        version: RTSPVersion = .v1
    ) {
        self.method = method
        self.uri = uri
        self.headers = headers
        self.body = body
        self.version = version
    }

    /// The sequence number (section 12.17); nil where it is missing or no number.
    public var sequence: UInt32? { headers.sequence }

    /// The bytes that it holds, in round figures.
    var storedBytes: Int {
        headers.fields.reduce(uri.utf8.count + body.count) { $0 + $1.name.utf8.count + $1.value.utf8.count + 64 }
    }
}

/// A protocol version.
public struct RTSPVersion: Hashable, Sendable {
    public var major: UInt16
    public var minor: UInt16

    public init(major: UInt16, minor: UInt16) {
        self.major = major
        self.minor = minor
    }

    public static let v1 = RTSPVersion(major: 1, minor: 0)
}
