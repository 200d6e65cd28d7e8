// One `a=crypto` line: a suite, and the key that its sender encrypts with.

public import SRTPKeys

/// A crypto attribute (RFC 4568 section 4).
public struct CryptoAttribute: Hashable, Sendable {
    /// The most keys of one attribute that are read.
    public static let maximumKeys = 16
    /// The most session parameters of one attribute that are read.
    public static let maximumParameters = 32

    /// The tag by which an answer names an offered attribute: at most nine digits.
    public let tag: UInt32
    /// The suite as it is written, known here or not.
    public let suiteName: String
    /// The keys; at least one.
    public let keys: [InlineKey]
    public let parameters: [SessionParameter]

    /// The suite; nil for one that is not known here.
    public var suite: SRTPProfile? { SRTPProfile(suiteName: suiteName) }

    /// An attribute with one key of this node's own.
    ///
    /// - Parameter suiteName: The name of the suite where the peer has another for it; nil for the registered one.
    public init(tag: UInt32, key: SRTPKey, suiteName: String? = nil) {
        precondition(tag <= 999_999_999, "a tag has at most nine digits")
        self.tag = tag
        self.suiteName = suiteName ?? key.profile.rawValue
        keys = [InlineKey(key)]
        parameters = []
    }

    /// Reads the value of an attribute, as `1 AES_CM_128_HMAC_SHA1_80
    /// inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4`.
    /// Suites and parameters that are not known here are kept; other methods than `inline` are unsupported.
    public init(_ value: some StringProtocol) throws(KeyManagementError) {
        let fields = value.utf8.split(whereSeparator: { $0 == 0x20 || $0 == 0x09 }).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard fields.count >= 3, fields[0].utf8.count <= 9, let tag = Decimal.number(fields[0], as: UInt32.self) else {
            throw KeyManagementError(
                .malformed,
                "a=crypto: expected a tag of at most nine digits, a suite and a key, as "
                    + "'1 AES_CM_128_HMAC_SHA1_80 inline:…'"
            )
        }
        self.tag = tag
        guard fields[1].utf8.allSatisfy(Self.isSuiteCharacter) else {
            throw KeyManagementError(
                .malformed, "a=crypto:\(tag): the suite has other characters than letters, digits and _")
        }
        suiteName = fields[1]
        var keys: [InlineKey] = []
        for part in fields[2].utf8.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false) {
            let text = String(decoding: part, as: UTF8.self)
            guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else {
                throw KeyManagementError(.malformed, "a=crypto:\(tag): a key without a method, as 'inline:…'")
            }
            guard text[..<colon].lowercased() == "inline" else {
                throw KeyManagementError(.unsupported, "a=crypto:\(tag): keys come by the method 'inline' only")
            }
            guard keys.count < Self.maximumKeys else {
                throw KeyManagementError(.malformed, "a=crypto:\(tag): more than \(Self.maximumKeys) keys")
            }
            keys.append(try InlineKey(text[text.utf8.index(after: colon)...]))
        }
        self.keys = keys
        guard fields.count - 3 <= Self.maximumParameters else {
            throw KeyManagementError(
                .malformed, "a=crypto:\(tag): more than \(Self.maximumParameters) session parameters")
        }
        var parameters: [SessionParameter] = []
        for field in fields[3...] {
            guard let parameter = SessionParameter(field) else {
                throw KeyManagementError(
                    .malformed, "a=crypto:\(tag): a session parameter has a value that it cannot have")
            }
            parameters.append(parameter)
        }
        self.parameters = parameters
    }

    private static func isSuiteCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// The value of the attribute. It holds the keys: never log it.
    public var value: String {
        var text = "\(tag) \(suiteName) " + keys.map(\.text).joined(separator: ";")
        for parameter in parameters { text += " " + parameter.text }
        return text
    }

    /// The keys, at least one, if this node can do what the attribute says.
    ///
    /// Throws for a suite that is not known, keys of another length than the suite's, several keys that packets do not
    /// tell
    /// apart by identifiers of one length (section 6.1), and parameters that are not known or would weaken the stream
    /// (section 6.3.7: one without `-` in front must not be ignored).
    public func masterKeys() throws(KeyManagementError) -> [SRTPKey] {
        guard let suite else {
            throw KeyManagementError(
                .unsupported, "a=crypto:\(tag): the suite \(suiteName.prefix(64)) is not supported")
        }
        for parameter in parameters {
            if let obstacle = parameter.obstacle() { throw obstacle }
        }
        var result: [SRTPKey] = []
        for key in keys {
            result.append(
                try .received(
                    suite, concatenated: key.keyAndSalt, identifier: key.identifier, lifetime: key.lifetime?.count))
        }
        if keys.count > 1 {
            let length = keys[0].identifier.count
            guard length > 0, keys.allSatisfy({ $0.identifier.count == length }),
                Set(keys.map(\.identifier)).count == keys.count
            else {
                throw KeyManagementError(
                    .malformed, "a=crypto:\(tag): several keys need different MKIs of one length")
            }
        }
        return result
    }
}

extension CryptoAttribute: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Without the keys.
    public var description: String {
        "a=crypto:\(tag) \(suiteName) \(keys.count == 1 ? "(a key)" : "(\(keys.count) keys)")"
    }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
