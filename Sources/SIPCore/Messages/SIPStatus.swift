// Status of a response.

/// A status code with its phrase (RFC 3261 section 21).
public struct SIPStatus: Hashable, Sendable, CustomStringConvertible {
    /// Three digits, 100 to 699.
    public var code: UInt16
    /// For people; may be empty.
    public var phrase: String

    public init(_ code: UInt16, _ phrase: String) {
        self.code = code
        self.phrase = phrase
    }

    /// As it is written: `486 Busy Here`.
    public var description: String { phrase.isEmpty ? "\(code)" : "\(code) \(phrase)" }

    /// True if the final answer is still to come.
    public var isProvisional: Bool { code < 200 }
    /// True if this is the last response of its transaction (2xx to INVITE excepted, RFC 3261 section 13.2.2.4).
    public var isFinal: Bool { code >= 200 }
    /// True if the request was carried out.
    public var isSuccess: Bool { (200..<300).contains(code) }
    /// True if the answer is elsewhere.
    public var isRedirection: Bool { (300..<400).contains(code) }
    /// True if no other place will answer differently (6xx).
    public var isGlobalFailure: Bool { code >= 600 }

    public static let trying = SIPStatus(100, "Trying")
    public static let ringing = SIPStatus(180, "Ringing")
    public static let sessionProgress = SIPStatus(183, "Session Progress")
    public static let ok = SIPStatus(200, "OK")
    public static let movedTemporarily = SIPStatus(302, "Moved Temporarily")
    public static let badRequest = SIPStatus(400, "Bad Request")
    public static let unauthorized = SIPStatus(401, "Unauthorized")
    public static let forbidden = SIPStatus(403, "Forbidden")
    public static let notFound = SIPStatus(404, "Not Found")
    public static let methodNotAllowed = SIPStatus(405, "Method Not Allowed")
    public static let notAcceptable = SIPStatus(406, "Not Acceptable")
    public static let proxyAuthenticationRequired = SIPStatus(407, "Proxy Authentication Required")
    public static let requestTimeout = SIPStatus(408, "Request Timeout")
    public static let entityTooLarge = SIPStatus(413, "Request Entity Too Large")
    public static let unsupportedMediaType = SIPStatus(415, "Unsupported Media Type")
    public static let unsupportedURIScheme = SIPStatus(416, "Unsupported URI Scheme")
    public static let badExtension = SIPStatus(420, "Bad Extension")
    public static let extensionRequired = SIPStatus(421, "Extension Required")
    public static let sessionIntervalTooSmall = SIPStatus(422, "Session Interval Too Small")
    public static let intervalTooBrief = SIPStatus(423, "Interval Too Brief")
    public static let temporarilyUnavailable = SIPStatus(480, "Temporarily Unavailable")
    public static let transactionDoesNotExist = SIPStatus(481, "Call/Transaction Does Not Exist")
    public static let loopDetected = SIPStatus(482, "Loop Detected")
    public static let tooManyHops = SIPStatus(483, "Too Many Hops")
    public static let addressIncomplete = SIPStatus(484, "Address Incomplete")
    public static let busyHere = SIPStatus(486, "Busy Here")
    public static let requestTerminated = SIPStatus(487, "Request Terminated")
    public static let notAcceptableHere = SIPStatus(488, "Not Acceptable Here")
    public static let requestPending = SIPStatus(491, "Request Pending")
    public static let serverInternalError = SIPStatus(500, "Server Internal Error")
    public static let notImplemented = SIPStatus(501, "Not Implemented")
    public static let badGateway = SIPStatus(502, "Bad Gateway")
    public static let serviceUnavailable = SIPStatus(503, "Service Unavailable")
    public static let serverTimeout = SIPStatus(504, "Server Time-out")
    public static let versionNotSupported = SIPStatus(505, "Version Not Supported")
    public static let messageTooLarge = SIPStatus(513, "Message Too Large")
    public static let decline = SIPStatus(603, "Decline")
}
