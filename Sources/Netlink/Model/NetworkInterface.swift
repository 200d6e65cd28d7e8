// A network interface as the kernel describes it.

public import RTPWire

/// A network interface: what rtnetlink, ethtool and netdev-genl tell about it.
public struct NetworkInterface: Hashable, Sendable {
    /// The index, which changes when the device is removed and made again.
    public var index: UInt32
    /// The name, `eth0`.
    public var name: String
    /// The kind of a virtual device, `veth`, `vlan`, `bridge`; nil for hardware.
    public var kind: String?
    /// True if the interface is administratively up (IFF_UP).
    public var isUp: Bool
    /// True if it has carrier and can send (IFF_LOWER_UP and an operational state that is not down).
    public var isRunning: Bool
    /// In bytes, without the Ethernet header.
    public var mtu: UInt32
    /// The Ethernet address; nil where the device has none.
    public var mac: MACAddress?
    /// For a VLAN device, the index of the interface that carries its frames; nil for others.
    public var parentIndex: UInt32?
    /// For a VLAN device, the VLAN identifier, 1 to 4094; nil for others.
    public var vlanID: UInt16?
    /// For one end of a veth pair in this namespace, the index of the other end; nil for others.
    public var peerIndex: UInt32?
    /// The alias that somebody gave it (`ip link set NAME alias`); nil without one.
    public var alias: String?
    /// In bits per second, as ethtool says (a veth says 10 Gb/s); nil if not known, as without link.
    public var speed: UInt64?
    /// The driver's name, `ice`; nil if it does not say.
    public var driver: String?
    /// Receive queues in use.
    public var receiveQueues: UInt32
    /// True if the device takes VLAN tags out of frames before XDP sees them; nil if the driver does not say.
    ///
    /// Must be false on a port whose VLANs Crosspoint handles: `ethtool -K NAME rxvlan off`.
    public var stripsVLANTags: Bool?
    /// The XDP program on it, if any.
    public var xdp: XDPAttachment?
    /// The XDP features of its driver; nil where the kernel (before 6.3) cannot report them.
    public var xdpFeatures: XDPFeatures?

    public init(
        index: UInt32, name: String, kind: String? = nil, isUp: Bool = true, isRunning: Bool = true,
        mtu: UInt32 = 1500, mac: MACAddress? = nil, parentIndex: UInt32? = nil, vlanID: UInt16? = nil,
        peerIndex: UInt32? = nil, alias: String? = nil,
        speed: UInt64? = nil, driver: String? = nil, receiveQueues: UInt32 = 1, stripsVLANTags: Bool? = nil,
        xdp: XDPAttachment? = nil, xdpFeatures: XDPFeatures? = nil
    ) {
        self.index = index
        self.name = name
        self.kind = kind
        self.isUp = isUp
        self.isRunning = isRunning
        self.mtu = mtu
        self.mac = mac
        self.parentIndex = parentIndex
        self.vlanID = vlanID
        self.peerIndex = peerIndex
        self.alias = alias
        self.speed = speed
        self.driver = driver
        self.receiveQueues = receiveQueues
        self.stripsVLANTags = stripsVLANTags
        self.xdp = xdp
        self.xdpFeatures = xdpFeatures
    }
}
