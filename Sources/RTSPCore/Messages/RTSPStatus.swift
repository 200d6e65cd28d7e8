// Status of a response.

/// A status code with its phrase (RFC 2326 section 7.1.1).
public struct RTSPStatus: Hashable, Sendable {
    /// Three digits.
    public var code: UInt16
    /// For people.
    public var phrase: String

    public init(_ code: UInt16, _ phrase: String) {
        self.code = code
        self.phrase = phrase
    }

    /// True if the request was understood and carried out.
    public var isSuccess: Bool { (200..<300).contains(code) }
    /// True if the answer is elsewhere.
    public var isRedirection: Bool { (300..<400).contains(code) && code != 304 }

    public static let ok = RTSPStatus(200, "OK")
    public static let movedPermanently = RTSPStatus(301, "Moved Permanently")
    public static let movedTemporarily = RTSPStatus(302, "Moved Temporarily")
    public static let notModified = RTSPStatus(304, "Not Modified")
    public static let badRequest = RTSPStatus(400, "Bad Request")
    public static let unauthorized = RTSPStatus(401, "Unauthorized")
    public static let forbidden = RTSPStatus(403, "Forbidden")
    public static let notFound = RTSPStatus(404, "Not Found")
    public static let methodNotAllowed = RTSPStatus(405, "Method Not Allowed")
    public static let notAcceptable = RTSPStatus(406, "Not Acceptable")
    public static let requestTimeout = RTSPStatus(408, "Request Time-out")
    public static let entityTooLarge = RTSPStatus(413, "Request Entity Too Large")
    public static let unsupportedMediaType = RTSPStatus(415, "Unsupported Media Type")
    public static let parameterNotUnderstood = RTSPStatus(451, "Parameter Not Understood")
    public static let notEnoughBandwidth = RTSPStatus(453, "Not Enough Bandwidth")
    public static let sessionNotFound = RTSPStatus(454, "Session Not Found")
    public static let methodNotValidInThisState = RTSPStatus(455, "Method Not Valid in This State")
    public static let invalidRange = RTSPStatus(457, "Invalid Range")
    public static let parameterIsReadOnly = RTSPStatus(458, "Parameter Is Read-Only")
    public static let aggregateNotAllowed = RTSPStatus(459, "Aggregate Operation Not Allowed")
    public static let onlyAggregateAllowed = RTSPStatus(460, "Only Aggregate Operation Allowed")
    public static let unsupportedTransport = RTSPStatus(461, "Unsupported Transport")
    public static let destinationUnreachable = RTSPStatus(462, "Destination Unreachable")
    public static let internalError = RTSPStatus(500, "Internal Server Error")
    public static let notImplemented = RTSPStatus(501, "Not Implemented")
    public static let badGateway = RTSPStatus(502, "Bad Gateway")
    public static let serviceUnavailable = RTSPStatus(503, "Service Unavailable")
    public static let gatewayTimeout = RTSPStatus(504, "Gateway Time-out")
    public static let versionNotSupported = RTSPStatus(505, "RTSP Version Not Supported")
    public static let optionNotSupported = RTSPStatus(551, "Option Not Supported")
}
