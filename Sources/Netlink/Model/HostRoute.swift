// Route by which packets to a destination leave this node.

public import RTPWire

/// The answer of the kernel's routing table for a destination.
public struct HostRoute: Hashable, Sendable {
    public var interfaceIndex: UInt32
    /// The address of this node that the kernel would send from; nil if the interface has none of that family.
    public var preferredSource: IPAddress?
    /// True if the destination is this node itself.
    public var isLocal: Bool

    public init(interfaceIndex: UInt32, preferredSource: IPAddress?, isLocal: Bool) {
        self.interfaceIndex = interfaceIndex
        self.preferredSource = preferredSource
        self.isLocal = isLocal
    }
}
