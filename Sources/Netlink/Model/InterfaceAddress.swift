// An address of this node on one of its interfaces.

public import RTPWire

/// An IP address of this node, and the network that it is in.
public struct InterfaceAddress: Hashable, Sendable {
    /// The scope in which the address is valid (`RT_SCOPE_*`).
    public enum Scope: UInt8, Hashable, Sendable {
        case global = 0
        case site = 200
        case link = 253
        case host = 254
        case nowhere = 255
    }

    public var interfaceIndex: UInt32
    public var address: IPAddress
    /// In bits: up to 32 for IPv4, up to 128 for IPv6.
    public var prefixLength: Int
    /// Scopes of other values count as global.
    public var scope: Scope
    /// True if it should not be chosen for anything new (RFC 4862 section 5.5.4).
    public var isDeprecated: Bool
    /// True if it cannot be used yet: duplicate address detection runs (RFC 4862 section 5.4), or has failed.
    public var isTentative: Bool

    public init(
        interfaceIndex: UInt32, address: IPAddress, prefixLength: Int, scope: Scope = .global,
        isDeprecated: Bool = false, isTentative: Bool = false
    ) {
        self.interfaceIndex = interfaceIndex
        self.address = address
        self.prefixLength = prefixLength
        self.scope = scope
        self.isDeprecated = isDeprecated
        self.isTentative = isTentative
    }
}
