// Certificates that are known by their fingerprint.

import Crypto

/// The SHA-256 of a certificate (RFC 4572 section 5), for peers whose certificate no authority vouches for.
public struct CertificateFingerprint: Hashable, Sendable, CustomStringConvertible {
    private let bytes: [UInt8]

    /// The fingerprint of a certificate in DER.
    public init(of certificate: [UInt8]) { bytes = Array(SHA256.hash(data: certificate)) }

    /// Reads 32 bytes in hexadecimal digits, with colons between them or without; nil for anything else.
    public init?(_ text: String) {
        let digits = text.utf8.filter { $0 != UInt8(ascii: ":") }
        let colons = text.utf8.count - digits.count
        guard digits.count == 64, colons == 0 || colons == 31 && Self.isSeparated(text) else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: 64, by: 2) {
            guard let high = Self.value(digits[start]), let low = Self.value(digits[start + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        self.bytes = bytes
    }

    /// True if every third character is a colon.
    private static func isSeparated(_ text: String) -> Bool {
        text.utf8.enumerated().allSatisfy { ($0.offset % 3 == 2) == ($0.element == UInt8(ascii: ":")) }
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46: digit - 0x41 + 10
        case 0x61...0x66: digit - 0x61 + 10
        default: nil
        }
    }

    /// Capital digits, with colons: as `openssl x509 -fingerprint -sha256` prints it.
    public var description: String {
        bytes.map { byte in
            let text = String(byte, radix: 16, uppercase: true)
            return text.utf8.count == 1 ? "0" + text : text
        }.joined(separator: ":")
    }
}
