// The protection profiles of SRTP, by their registered names.

/// The algorithms that SRTP and SRTCP packets are encrypted and authenticated with.
///
/// Raw values are the crypto-suites of SDP (RFC 4568 section 6.2, RFC 6188 section 4, RFC 7714 section 14.2).
public enum SRTPProfile: String, Hashable, Sendable, Codable, CaseIterable {
    case aesCM128HMACSHA1_80 = "AES_CM_128_HMAC_SHA1_80"
    case aesCM128HMACSHA1_32 = "AES_CM_128_HMAC_SHA1_32"
    case aesCM256HMACSHA1_80 = "AES_256_CM_HMAC_SHA1_80"
    case aesCM256HMACSHA1_32 = "AES_256_CM_HMAC_SHA1_32"
    case aeadAES128GCM = "AEAD_AES_128_GCM"
    case aeadAES256GCM = "AEAD_AES_256_GCM"

    /// The profile of a crypto-suite, also by the names that drafts of RFC 6188 had, which devices still send; nil for one that is not known.
    public init?(suiteName: String) {
        switch suiteName {
        case "AES_CM_256_HMAC_SHA1_80": self = .aesCM256HMACSHA1_80
        case "AES_CM_256_HMAC_SHA1_32": self = .aesCM256HMACSHA1_32
        default: self.init(rawValue: suiteName)
        }
    }

    /// Bytes of a master key.
    public var masterKeyLength: Int {
        switch self {
        case .aesCM128HMACSHA1_80, .aesCM128HMACSHA1_32, .aeadAES128GCM: 16
        case .aesCM256HMACSHA1_80, .aesCM256HMACSHA1_32, .aeadAES256GCM: 32
        }
    }

    /// Bytes of a master salt: 112 bits (RFC 3711 section 8.2), 96 for AES-GCM (RFC 7714 section 12).
    public var masterSaltLength: Int { isAEAD ? 12 : 14 }

    /// Bytes of the authentication tag of an SRTP packet.
    public var tagLength: Int {
        switch self {
        case .aesCM128HMACSHA1_80, .aesCM256HMACSHA1_80: 10
        case .aesCM128HMACSHA1_32, .aesCM256HMACSHA1_32: 4
        case .aeadAES128GCM, .aeadAES256GCM: 16
        }
    }

    /// Bytes of the authentication tag of an SRTCP packet: never 32 bits (RFC 4568 section 6.2.2, RFC 6188 section 4).
    public var controlTagLength: Int { isAEAD ? 16 : 10 }

    /// True if encryption and authentication are one (RFC 7714): then an MKI is behind the tag, else before it.
    public var isAEAD: Bool { self == .aeadAES128GCM || self == .aeadAES256GCM }
}
