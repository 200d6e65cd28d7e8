// Key by which an incoming packet is matched.

import CrosspointShim
public import RTPWire

/// The key of a flow: interface, VLANs, destination and, if the flow filters, the source.
public struct FlowKey: Hashable, Sendable {
    /// The ingress interface's index.
    public var interfaceIndex: UInt32
    /// VLAN identifiers, outer first; at most two.
    public var vlans: [UInt16]
    /// The destination address.
    public var destination: IPAddress
    /// The destination UDP port.
    public var udpPort: UInt16
    /// The one source address that belongs to the flow; nil for any.
    public var source: IPAddress?
    /// The one source UDP port that belongs to the flow; nil for any.
    public var sourceUDPPort: UInt16?

    public init(
        interfaceIndex: UInt32, vlans: [UInt16] = [], destination: IPAddress, udpPort: UInt16,
        source: IPAddress? = nil, sourceUDPPort: UInt16? = nil
    ) {
        self.interfaceIndex = interfaceIndex
        self.vlans = vlans
        self.destination = destination
        self.udpPort = udpPort
        self.source = source
        self.sourceUDPPort = sourceUDPPort
    }

    /// The same destination for packets of any source.
    var anySource: FlowKey {
        FlowKey(interfaceIndex: interfaceIndex, vlans: vlans, destination: destination, udpPort: udpPort)
    }

    /// The VLANs as the ABI holds them.
    var encodedVLANs: UInt32 {
        UInt32(vlans.first ?? 0) << 16 | UInt32(vlans.count > 1 ? vlans[1] : 0)
    }
}
