// An entry of the kernel's neighbour tables (ARP, RFC 826; neighbour discovery, RFC 4861).

public import RTPWire

/// The kernel's knowledge of a host on one of its links.
public struct Neighbour: Hashable, Sendable {
    /// The states of RFC 4861 section 7.3.2, and the kernel's own (`NUD_*`).
    public enum State: UInt16, Hashable, Sendable {
        /// Made, nothing asked yet.
        case new = 0x00
        case incomplete = 0x01
        case reachable = 0x02
        case stale = 0x04
        case delay = 0x08
        case probe = 0x10
        /// Did not answer. The entry has no Ethernet address then.
        case failed = 0x20
        /// On a link without address resolution.
        case noARP = 0x40
        /// Written by the operator; the kernel never asks.
        case permanent = 0x80
    }

    public var address: IPAddress
    public var interfaceIndex: UInt32
    public var mac: MACAddress?
    public var state: State
    /// True if the kernel keeps it resolved without traffic (NTF_EXT_MANAGED).
    public var isManaged: Bool

    public init(
        address: IPAddress, interfaceIndex: UInt32, mac: MACAddress?, state: State, isManaged: Bool = false
    ) {
        self.address = address
        self.interfaceIndex = interfaceIndex
        self.mac = mac
        self.state = state
        self.isManaged = isManaged
    }

    /// True if frames can be sent to `mac` now. An entry that is being verified again still can be used.
    public var isUsable: Bool {
        guard mac != nil else { return false }
        switch state {
        case .reachable, .stale, .delay, .probe, .permanent, .noARP: return true
        case .new, .incomplete, .failed: return false
        }
    }
}
