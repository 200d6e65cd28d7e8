// One key of a crypto attribute.

public import SRTPKeys

/// A key parameter with the method `inline` (RFC 4568 section 6.1).
public struct InlineKey: Hashable, Sendable {
    /// The most bytes that an identifier has.
    static let maximumIdentifierLength = 128

    /// Master key and master salt, one after the other.
    public let keyAndSalt: [UInt8]
    /// The number of packets that the key is good for; nil for as many as its suite allows.
    public let lifetime: KeyLifetime?
    /// The identifier by which packets name the key, 1 to 128 bytes; empty where they do not.
    public let identifier: [UInt8]

    /// The parameter of a key.
    public init(_ key: SRTPKey) {
        keyAndSalt = key.masterKey + key.masterSalt
        lifetime = key.lifetime.map(KeyLifetime.packets)
        identifier = key.identifier
    }

    /// Reads what follows `inline:`, as `d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4`.
    init(_ text: some StringProtocol) throws(KeyManagementError) {
        let parts = text.utf8.split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard parts.count <= 3, let bytes = Base64.bytes(of: parts[0]) else {
            throw KeyManagementError(
                .malformed, "a=crypto: the key is not base64, or more than a lifetime and an MKI follow it")
        }
        keyAndSalt = bytes
        var lifetime: KeyLifetime?
        var identifier: [UInt8] = []
        for (index, part) in parts.dropFirst().enumerated() {
            // Only an MKI has a colon, and it comes last.
            if part.utf8.contains(UInt8(ascii: ":")) {
                guard index == parts.count - 2, let value = Self.identifier(part) else {
                    throw KeyManagementError(
                        .malformed, "a=crypto: the MKI is not a number with its length, 1 to 128 bytes, at the end")
                }
                identifier = value
            } else {
                guard index == 0, let value = KeyLifetime(part) else {
                    throw KeyManagementError(.malformed, "a=crypto: the lifetime is not a number of packets up to 2^48")
                }
                lifetime = value
            }
        }
        self.lifetime = lifetime
        self.identifier = identifier
    }

    private static func identifier(_ text: String) -> [UInt8]? {
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, let length = Decimal.number(String(decoding: parts[1], as: UTF8.self), as: Int.self),
            1...maximumIdentifierLength ~= length
        else { return nil }
        return Decimal.bytes(of: String(decoding: parts[0], as: UTF8.self), length: length)
    }

    var text: String {
        var text = "inline:" + Base64.text(of: keyAndSalt)
        if let lifetime { text += "|" + lifetime.text }
        if !identifier.isEmpty { text += "|\(Decimal.text(of: identifier)):\(identifier.count)" }
        return text
    }
}

extension InlineKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Says how long it is, and nothing else.
    public var description: String { "a key and salt of \(keyAndSalt.count) bytes" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
