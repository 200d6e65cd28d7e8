// The hash functions of digest authentication.

/// An algorithm of digest authentication (RFC 7616 section 3.3).
public enum DigestAlgorithm: String, Hashable, Sendable, Codable, CaseIterable {
    case sha256 = "SHA-256"
    case md5 = "MD5"
}
