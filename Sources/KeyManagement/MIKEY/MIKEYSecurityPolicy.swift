// Encryption and authentication of streams.

public import SRTPKeys

/// A security policy for SRTP (RFC 3830 section 6.10).
public struct MIKEYSecurityPolicy: Hashable, Sendable {
    /// The protocol SRTP (section 6.10).
    static let srtp: UInt8 = 0

    /// The types of parameters (section 6.10.1, RFC 7714 section 14.2).
    enum ParameterType: UInt8 {
        case encryptionAlgorithm = 0
        case encryptionKeyLength = 1
        case authenticationAlgorithm = 2
        case authenticationKeyLength = 3
        case saltLength = 4
        case pseudoRandomFunction = 5
        case keyDerivationRate = 6
        case encryptsRTP = 7
        case encryptsRTCP = 8
        case fecOrder = 9
        case authenticatesRTP = 10
        case authenticationTagLength = 11
        case prefixLength = 12
        case aeadTagLength = 20
    }

    /// One parameter as it is written.
    public struct Parameter: Hashable, Sendable {
        public var type: UInt8
        /// At most 255 bytes.
        public var value: [UInt8]

        public init(type: UInt8, value: [UInt8]) {
            precondition(value.count <= 255, "a parameter has at most 255 bytes")
            self.type = type
            self.value = value
        }

        fileprivate init(_ type: ParameterType, _ value: Int) { self.init(type: type.rawValue, value: [UInt8(value)]) }
    }

    public var number: UInt8
    /// 0 for SRTP.
    public var protocolType: UInt8
    public var parameters: [Parameter]

    public init(number: UInt8, protocolType: UInt8, parameters: [Parameter]) {
        self.number = number
        self.protocolType = protocolType
        self.parameters = parameters
    }

    /// The policy of a suite.
    ///
    /// The length of the authentication key is the length of the tag in it, as GStreamer and the cameras that follow
    /// it write and read
    /// it; those that follow RFC 3830 to the letter find the length of the tag where it belongs.
    public init(number: UInt8 = 0, suite: SRTPProfile) {
        self.init(
            number: number, protocolType: Self.srtp,
            parameters: [
                Parameter(.encryptionAlgorithm, suite.isAEAD ? Self.aesGCM : Self.aesCM),
                Parameter(.encryptionKeyLength, suite.masterKeyLength),
                Parameter(.authenticationAlgorithm, suite.isAEAD ? Self.null : Self.hmacSHA1),
                Parameter(.authenticationKeyLength, suite.isAEAD ? 0 : suite.tagLength),
                Parameter(.encryptsRTP, 1), Parameter(.encryptsRTCP, 1), Parameter(.authenticatesRTP, 1),
            ]
                + (suite.isAEAD
                    ? [Parameter(.saltLength, suite.masterSaltLength), Parameter(.aeadTagLength, suite.tagLength)]
                    : [Parameter(.authenticationTagLength, suite.tagLength)]))
    }

    private static let null = 0
    private static let aesCM = 1
    private static let hmacSHA1 = 1
    /// RFC 7714 section 14.2.
    private static let aesGCM = 6

    /// The suite that the policy asks for; what it does not say is as RFC 3830 section 6.10.1 presets it.
    ///
    /// Throws for what no suite of this node does, and for what leaves packets in clear or without authentication.
    public func suite() throws(KeyManagementError) -> SRTPProfile {
        guard protocolType == Self.srtp else {
            throw KeyManagementError(
                .unsupported, "MIKEY: policy \(number) is for the protocol \(protocolType), not for SRTP")
        }
        for (type, name) in [
            (ParameterType.encryptsRTP, "RTP without encryption"), (.encryptsRTCP, "RTCP without encryption"),
            (.authenticatesRTP, "RTP without authentication"),
        ] where try value(type) == 0 {
            throw KeyManagementError(.insecure, "MIKEY: policy \(number) asks for \(name)")
        }
        for (type, name) in [
            (ParameterType.pseudoRandomFunction, "key derivation function"),
            (.keyDerivationRate, "key derivation rate"),
            (.prefixLength, "prefix"),
        ] {
            guard let value = try value(type), value != 0 else { continue }
            throw KeyManagementError(
                .unsupported, "MIKEY: policy \(number) asks for a \(name) of \(value), which is not supported")
        }
        let keyLength = try value(.encryptionKeyLength) ?? 16
        switch try value(.encryptionAlgorithm) ?? Self.aesCM {
        case Self.null:
            throw KeyManagementError(.insecure, "MIKEY: policy \(number) asks for no encryption")
        case Self.aesCM: return try counterMode(keyLength)
        case Self.aesGCM:
            let tag = try value(.aeadTagLength) ?? 16
            switch (keyLength, tag) {
            case (16, 16): return .aeadAES128GCM
            case (32, 16): return .aeadAES256GCM
            default:
                throw KeyManagementError(
                    .unsupported,
                    "MIKEY: policy \(number) asks for AES-GCM with \(keyLength) bytes of key and \(tag) of tag; "
                        + "16 or 32, and 16, are supported"
                )
            }
        case let algorithm:
            throw KeyManagementError(
                .unsupported, "MIKEY: policy \(number) asks for the cipher \(algorithm), which is not supported")
        }
    }

    private func counterMode(_ keyLength: Int) throws(KeyManagementError) -> SRTPProfile {
        switch try value(.authenticationAlgorithm) ?? Self.hmacSHA1 {
        case Self.null: throw KeyManagementError(.insecure, "MIKEY: policy \(number) asks for no authentication")
        case Self.hmacSHA1: break
        case let algorithm:
            throw KeyManagementError(
                .unsupported, "MIKEY: policy \(number) asks for the authentication \(algorithm), which is not supported"
            )
        }
        // A peer that says 4 or 10 for the key of HMAC-SHA1, which is always 20 bytes, means the tag.
        let authenticationKey = try value(.authenticationKeyLength) ?? 20
        let tag = try value(.authenticationTagLength) ?? (authenticationKey == 4 ? 4 : 10)
        guard [4, 10, 20].contains(authenticationKey), try value(.saltLength) ?? 14 == 14 else {
            throw KeyManagementError(
                .unsupported,
                "MIKEY: policy \(number) asks for lengths of salt and authentication key that no suite has")
        }
        switch (keyLength, tag) {
        case (16, 10): return .aesCM128HMACSHA1_80
        case (16, 4): return .aesCM128HMACSHA1_32
        case (32, 10): return .aesCM256HMACSHA1_80
        case (32, 4): return .aesCM256HMACSHA1_32
        default:
            throw KeyManagementError(
                .unsupported,
                "MIKEY: policy \(number) asks for AES-CM with \(keyLength) bytes of key and \(tag) of tag; "
                    + "16 or 32, and 4 or 10, are supported"
            )
        }
    }

    /// The number that the last parameter of a type has (one byte; several are read as one number); nil where there is
    /// none.
    private func value(_ type: ParameterType) throws(KeyManagementError) -> Int? {
        guard let parameter = parameters.last(where: { $0.type == type.rawValue }) else { return nil }
        guard 1...4 ~= parameter.value.count else {
            throw KeyManagementError(
                .malformed,
                "MIKEY: policy \(number) has a parameter \(type.rawValue) of \(parameter.value.count) bytes; "
                    + "expected 1 to 4"
            )
        }
        return parameter.value.reduce(0) { $0 << 8 | Int($1) }
    }
}
