// Host: a name or an address.

public import RTPWire

/// A host in a URI or a Via (RFC 3261 section 25.1; IPv6 in brackets, RFC 5118).
public enum SIPHost: Hashable, Sendable, CustomStringConvertible {
    /// A domain name, as it was written. Names are equal without regard to case: `isEquivalent(to:)`.
    case name(String)
    case address(IPAddress)

    /// Reads a name, an IPv4 address, or an IPv6 address in brackets.
    public init(_ text: some StringProtocol) throws(SIPSyntaxError) {
        if text.hasPrefix("[") {
            guard text.hasSuffix("]"), let address = IPAddress(text.dropFirst().dropLast()) else {
                throw SIPSyntaxError("'\(text)' is no IPv6 address in brackets")
            }
            self = .address(address)
        } else if let address = IPAddress(text), !text.contains(":") {
            self = .address(address)
        } else {
            let isName = text.utf8.allSatisfy { ASCII.isAlphanumeric($0) || $0 == 0x2d || $0 == 0x2e || $0 == 0x5f }
            guard !text.isEmpty, isName else { throw SIPSyntaxError("'\(text)' is no host") }
            self = .name(String(text))
        }
    }

    public var description: String {
        switch self {
        case .name(let name): name
        case .address(let address): address.bracketed
        }
    }

    /// The address, where it is one.
    public var address: IPAddress? { if case .address(let address) = self { address } else { nil } }

    /// True if both are the same host without asking the DNS.
    public func isEquivalent(to other: SIPHost) -> Bool {
        switch (self, other) {
        case (.name(let one), .name(let two)): ASCII.isSame(one, two)
        default: self == other
        }
    }
}
