// The hash functions of digest authentication.

import Crypto

/// An algorithm of digest authentication (RFC 7616 section 3.3), the strongest first.
public enum DigestAlgorithm: String, Hashable, Sendable, Codable, CaseIterable {
    case sha256 = "SHA-256"
    case md5 = "MD5"

    /// The hash as lower-case hexadecimal digits.
    func hash(_ bytes: some Collection<UInt8>) -> String {
        switch self {
        case .sha256: Hexadecimal.text(SHA256.hash(data: Array(bytes)))
        case .md5: Hexadecimal.text(Insecure.MD5.hash(data: Array(bytes)))
        }
    }

    /// The hash of a text's UTF-8.
    func hash(_ text: String) -> String { hash(Array(text.utf8)) }

    /// The number of hexadecimal digits of a hash.
    var digits: Int { self == .sha256 ? 64 : 32 }
}
