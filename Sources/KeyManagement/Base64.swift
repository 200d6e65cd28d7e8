// Base64 as peers write it: with its padding, or without.

import FoundationEssentials

enum Base64 {
    /// The bytes of a text of base64 (RFC 4648 section 4); nil for any other. Padding may be missing: some senders
    /// leave it out.
    static func bytes(of text: some StringProtocol) -> [UInt8]? {
        var text = String(text)
        guard !text.isEmpty else { return nil }
        if !text.hasSuffix("=") { text += String(repeating: "=", count: -text.utf8.count & 3) }
        return Data(base64Encoded: text).map(Array.init)
    }

    static func text(of bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
}
