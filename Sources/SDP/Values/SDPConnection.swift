// Address that media are sent to.

public import RTPWire

/// The connection data, `c=` (RFC 8866 section 5.7).
public struct SDPConnection: Hashable, Sendable {
    /// `IN`
    public var networkType: String
    /// `IP4` or `IP6`
    public var addressType: String
    /// The address, or the name of a host.
    public var address: String
    /// The time to live of an IPv4 group; nil if it is not said.
    public var ttl: UInt8?
    /// The number of groups, counted up from `address`; 1 unless it is said.
    public var count: Int

    /// The connection to `address`. `ttl` is written for IPv4 groups only: IPv6 has none here.
    public init(_ address: IPAddress, ttl: UInt8? = nil, count: Int = 1) {
        networkType = "IN"
        addressType = address.family == .ipv4 ? "IP4" : "IP6"
        self.address = address.description
        self.ttl = address.family == .ipv4 ? ttl : nil
        self.count = count
    }

    /// Reads the value of a `c=` line: `IN IP4 239.1.1.1/32/3`, `IN IP6 ff15::101/3`. Nil without an address.
    init?(_ value: String) {
        let fields = value.fields
        guard fields.count >= 3 else { return nil }
        let parts = fields[2].split(atAny: [UInt8(ascii: "/")])
        guard let address = parts.first else { return nil }
        networkType = fields[0]
        addressType = fields[1]
        self.address = address
        let isIPv6 = SDPAddressType.isIPv6(type: fields[1], address: address)
        ttl = isIPv6 || parts.count < 2 ? nil : UInt8(parts[1])
        let counted = isIPv6 ? parts.dropFirst() : parts.dropFirst(2)
        count = max(counted.first.flatMap { UInt16($0) }.map(Int.init) ?? 1, 1)
    }

    /// The address as a value; nil if it is a name.
    public var ipAddress: IPAddress? { IPAddress(address) }

    /// True if media are held by the old form of RFC 2543, the address 0.0.0.0 (RFC 3264 section 8.4).
    public var isUnspecified: Bool { ipAddress?.isUnspecified ?? false }

    /// The value of the line.
    var text: String {
        var text = "\(networkType) \(addressType) \(address)"
        if let ttl { text += "/\(ttl)" }
        // An IPv4 count is written behind a time to live; 255 keeps the group's own scope.
        if count > 1 { text += ttl == nil && ipAddress?.family == .ipv4 ? "/255/\(count)" : "/\(count)" }
        return text
    }
}

extension SDPSection {
    /// The first connection of this section, without what it inherits. To set it replaces all `c=` lines; nil removes them.
    public var connection: SDPConnection? {
        get { connections.first }
        set { set("c", to: newValue.map { SDPLine("c", $0.text) }) }
    }

    /// All connections of this section: several are layers of one medium.
    public var connections: [SDPConnection] { values(of: "c").compactMap(SDPConnection.init) }
}
