// NAPTR records: which transports a domain wants to be called by.

import CrosspointShim

/// A NAPTR record (RFC 3403), as RFC 3263 uses it.
public struct NamingAuthority: Hashable, Sendable {
    public var order: UInt16
    public var preference: UInt16
    /// `s`: the replacement is the name of SRV records.
    public var flags: String
    /// `SIP+D2U`, `SIP+D2T`, `SIPS+D2T`.
    public var service: String
    /// The name at which to continue.
    public var replacement: String

    public init(order: UInt16, preference: UInt16, flags: String = "s", service: String, replacement: String) {
        self.order = order
        self.preference = preference
        self.flags = flags
        self.service = service
        self.replacement = replacement
    }

    /// Nil for a record with a regular expression, which SIP does not use (RFC 3263 section 4.1).
    init?(_ record: crosspoint_naming_authority) {
        guard record.has_expression == 0 else { return nil }
        self.init(
            order: record.order, preference: record.preference, flags: Self.text(record.flags),
            service: Self.text(record.service), replacement: Self.text(record.replacement))
    }

    private static func text<Tuple>(_ tuple: Tuple) -> String {
        withUnsafeBytes(of: tuple) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
