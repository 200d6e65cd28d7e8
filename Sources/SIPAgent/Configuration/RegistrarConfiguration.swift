// Devices that may register with the node.

public import RTPWire

/// `sip: registrar:`: the domains whose devices register here, so that they can be called by name (RFC 3261 section 10).
public struct RegistrarConfiguration: Hashable, Sendable {
    /// `domains`: lower case, names or addresses; empty: whatever devices call the node, which is all one then.
    public var domains: [String]
    /// `allow`: networks whose devices register under any name without authentication; all others register as the user that they
    /// authenticate as.
    public var allowedNetworks: [IPNetwork]
    /// `max-expires`: the longest time that a registration holds, and the time where a device says none, in seconds.
    public var maximumExpiry: Int
    /// `min-expires`: the shortest time that a device may ask for, in seconds.
    public var minimumExpiry: Int
    /// `max-contacts`: how many devices may register under one name.
    public var maximumContacts: Int

    public init(
        domains: [String] = [], allowedNetworks: [IPNetwork] = [], maximumExpiry: Int = 3600, minimumExpiry: Int = 60,
        maximumContacts: Int = 10
    ) {
        self.domains = domains
        self.allowedNetworks = allowedNetworks
        self.maximumExpiry = maximumExpiry
        self.minimumExpiry = minimumExpiry
        self.maximumContacts = maximumContacts
    }
}
