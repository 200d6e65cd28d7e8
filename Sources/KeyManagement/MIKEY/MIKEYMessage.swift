// A message of MIKEY, as RTSP over TLS exchanges keys with it.

/// A message (RFC 3830 section 6) that carries keys as they are: TLS protects it, as RFC 4567 section 8 asks for.
///
/// A message that is read is written again byte for byte, but for reserved bytes. Messages whose keys are encrypted
/// with a pre-shared or a public key, and those of the other exchanges, are unsupported.
public struct MIKEYMessage: Hashable, Sendable {
    /// The most payloads that are read, and the most keys of one.
    public static let maximumPayloads = 32
    /// The longest message that is read, in bytes.
    public static let maximumLength = 16_384

    static let null: UInt8 = 0
    static let hmacSHA1: UInt8 = 1
    static let macLength = 20

    /// The purpose of a message (table 6.1.a).
    public enum DataType: UInt8, Hashable, Sendable {
        /// The keys of who begins.
        case preSharedKey = 0
        /// The answer that proves that they were understood.
        case preSharedKeyVerification = 1
        case error = 6
    }

    /// The way in which crypto sessions are named (section 6.1.1, RFC 4563 section 4).
    enum MapType: UInt8 {
        case srtp = 0
        case empty = 1
    }

    public var dataType: DataType
    /// True if an answer with a verification is asked for.
    public var wantsVerification: Bool
    /// The function that keys are derived with: 0, MIKEY-1.
    public var pseudoRandomFunction: UInt8
    /// The crypto session bundle's number.
    public var bundle: UInt32
    /// At most 255; nil where the map is empty (RFC 4563).
    public var sessions: [MIKEYCryptoSession]?
    public var payloads: [MIKEYPayload]

    public init(
        dataType: DataType = .preSharedKey, wantsVerification: Bool = false, pseudoRandomFunction: UInt8 = 0,
        bundle: UInt32, sessions: [MIKEYCryptoSession]?, payloads: [MIKEYPayload]
    ) {
        self.dataType = dataType
        self.wantsVerification = wantsVerification
        self.pseudoRandomFunction = pseudoRandomFunction
        self.bundle = bundle
        self.sessions = sessions
        self.payloads = payloads
    }

    /// Reads a message; what follows its last payload is a fault.
    public init(_ bytes: [UInt8]) throws(KeyManagementError) {
        guard bytes.count <= Self.maximumLength else {
            throw KeyManagementError(
                .malformed, "MIKEY: the message has \(bytes.count) bytes; at most \(Self.maximumLength) are read")
        }
        var reader = MIKEYReader(bytes[...])
        let version = try reader.byte(of: "the version")
        guard version == 1 else { throw KeyManagementError(.unsupported, "MIKEY: version \(version); 1 is known") }
        let type = try reader.byte(of: "the data type")
        guard let dataType = DataType(rawValue: type) else {
            throw KeyManagementError(
                .unsupported, "MIKEY: the exchange \(type); over TLS, keys come by that for pre-shared keys (0)")
        }
        self.dataType = dataType
        var next = try reader.byte(of: "the first payload's type")
        let function = try reader.byte(of: "the key derivation function")
        wantsVerification = function & 0x80 != 0
        pseudoRandomFunction = function & 0x7f
        bundle = try reader.word(of: "the bundle's number")
        let count = try reader.byte(of: "the number of crypto sessions")
        let map = try reader.byte(of: "the type of the crypto session map")
        switch MapType(rawValue: map) {
        case .srtp:
            var sessions: [MIKEYCryptoSession] = []
            for _ in 0..<count {
                let policy = try reader.byte(of: "a crypto session")
                sessions.append(
                    MIKEYCryptoSession(
                        policy: policy, ssrc: try reader.word(of: "an SSRC"),
                        rolloverCounter: try reader.word(of: "a rollover counter")))
            }
            self.sessions = sessions
        case .empty where count == 0: sessions = nil
        default:
            throw KeyManagementError(
                .unsupported, "MIKEY: a map of crypto sessions of the type \(map); 0, SRTP, is known")
        }
        payloads = []
        while next != MIKEYPayload.Kind.last.rawValue {
            guard let kind = MIKEYPayload.Kind(rawValue: next) else {
                throw KeyManagementError(.unsupported, "MIKEY: a payload of the type \(next), which is not supported")
            }
            guard payloads.count < Self.maximumPayloads else {
                throw KeyManagementError(.malformed, "MIKEY: more than \(Self.maximumPayloads) payloads")
            }
            next = try reader.byte(of: "a payload")
            payloads.append(try MIKEYPayload(kind, reading: &reader))
        }
        guard reader.rest.isEmpty else {
            throw KeyManagementError(.malformed, "MIKEY: \(reader.rest.count) bytes follow the last payload")
        }
    }

    /// Reads a message in base64, as it is written in SDP and in headers.
    public init(base64 text: some StringProtocol) throws(KeyManagementError) {
        guard text.utf8.count <= 4 * Self.maximumLength / 3 + 4, let bytes = Base64.bytes(of: text) else {
            throw KeyManagementError(.malformed, "MIKEY: the message is not base64, or too long")
        }
        try self.init(bytes)
    }

    /// The message. It holds the keys: never log it.
    public var bytes: [UInt8] {
        precondition((sessions?.count ?? 0) <= 255, "at most 255 crypto sessions")
        func type(after index: Int) -> UInt8 {
            index + 1 < payloads.count ? payloads[index + 1].kind.rawValue : MIKEYPayload.Kind.last.rawValue
        }
        var bytes = [
            1, dataType.rawValue, type(after: -1), pseudoRandomFunction & 0x7f | (wantsVerification ? 0x80 : 0),
        ]
        bytes.append(word: bundle)
        bytes += [UInt8(sessions?.count ?? 0), sessions == nil ? MapType.empty.rawValue : MapType.srtp.rawValue]
        for session in sessions ?? [] {
            bytes.append(session.policy)
            bytes.append(word: session.ssrc)
            bytes.append(word: session.rolloverCounter)
        }
        for (index, payload) in payloads.enumerated() {
            bytes.append(type(after: index))
            bytes += payload.bytes
        }
        return bytes
    }

    /// The message in base64. It holds the keys: never log it.
    public var base64: String { Base64.text(of: bytes) }
}
