// Parameters of a crypto attribute beyond suite and key.

/// A session parameter of SRTP (RFC 4568 section 6.3).
public enum SessionParameter: Hashable, Sendable {
    public enum FECOrder: String, Hashable, Sendable {
        case fecThenSRTP = "FEC_SRTP"
        case srtpThenFEC = "SRTP_FEC"
    }

    /// New session keys every 2^n packets; n from 1 to 24.
    case keyDerivationRate(UInt8)
    case unencryptedSRTP
    case unencryptedSRTCP
    case unauthenticatedSRTP
    case fecOrder(FECOrder)
    /// Keys of a separate stream of FEC, as they are written.
    case fecKey(String)
    /// The window of replay protection, a hint: at least 64 packets.
    case windowSizeHint(UInt32)
    /// One that is not known here. A `-` in front says that it may be ignored.
    case other(String)

    /// Reads one; nil for a known one with a value that it cannot have.
    init?(_ text: String) {
        func value(_ name: String) -> String? {
            text.utf8.starts(with: name.utf8)
                ? String(decoding: text.utf8.dropFirst(name.utf8.count), as: UTF8.self) : nil
        }
        if let value = value("KDR=") {
            guard let rate = Decimal.number(value, as: UInt8.self), 1...24 ~= rate else { return nil }
            self = .keyDerivationRate(rate)
        } else if let value = value("WSH=") {
            guard let size = Decimal.number(value, as: UInt32.self), size >= 64 else { return nil }
            self = .windowSizeHint(size)
        } else if let value = value("FEC_ORDER=") {
            guard let order = FECOrder(rawValue: value) else { return nil }
            self = .fecOrder(order)
        } else if let value = value("FEC_KEY=") {
            self = .fecKey(value)
        } else {
            switch text {
            case "UNENCRYPTED_SRTP": self = .unencryptedSRTP
            case "UNENCRYPTED_SRTCP": self = .unencryptedSRTCP
            case "UNAUTHENTICATED_SRTP": self = .unauthenticatedSRTP
            default: self = .other(text)
            }
        }
    }

    var text: String {
        switch self {
        case .keyDerivationRate(let rate): "KDR=\(rate)"
        case .unencryptedSRTP: "UNENCRYPTED_SRTP"
        case .unencryptedSRTCP: "UNENCRYPTED_SRTCP"
        case .unauthenticatedSRTP: "UNAUTHENTICATED_SRTP"
        case .fecOrder(let order): "FEC_ORDER=\(order.rawValue)"
        case .fecKey(let text): "FEC_KEY=\(text)"
        case .windowSizeHint(let size): "WSH=\(size)"
        case .other(let text): text
        }
    }

    /// The reason for which a stream with this parameter is not for this node; nil where it is.
    func obstacle() -> KeyManagementError? {
        switch self {
        case .windowSizeHint: nil
        case .other(let text) where text.utf8.first == UInt8(ascii: "-"): nil
        case .unencryptedSRTP, .unencryptedSRTCP, .unauthenticatedSRTP:
            KeyManagementError(.insecure, "a=crypto: \(text) would leave packets in clear or without authentication")
        case .keyDerivationRate, .fecOrder:
            KeyManagementError(.unsupported, "a=crypto: the session parameter \(text) is not supported")
        // It may have key material in it.
        case .fecKey: KeyManagementError(.unsupported, "a=crypto: the session parameter FEC_KEY is not supported")
        case .other:
            KeyManagementError(.unsupported, "a=crypto: a session parameter is not known, and must not be ignored")
        }
    }
}
