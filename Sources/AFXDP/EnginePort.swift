// An interface that the AF_XDP engine is to work at.

/// A port as the engine needs to know it.
public struct EnginePort: Hashable, Sendable {
    /// The fast path's number of the port.
    public var number: UInt16
    public var name: String
    public var interfaceIndex: UInt32
    /// Receive queues in use.
    public var queues: Int
    /// In bytes, without the Ethernet header.
    public var mtu: Int
    /// True if packets of the engine's flows come in there; else it only sends.
    public var receives: Bool
    /// True if the driver has zero-copy; nil where the kernel does not say.
    public var hasZeroCopy: Bool?
    /// True if the driver sends, too, when a queue is polled for received frames. Where it does not, a zero-copy socket
    /// that polls by preference would never send (xsk_no_wakeup() in the kernel's net/xdp/xsk.c): its worker asks for
    /// wakeups then.
    public var sendsWhenPolled: Bool

    public init(
        number: UInt16, name: String, interfaceIndex: UInt32, queues: Int, mtu: Int, receives: Bool,
        hasZeroCopy: Bool? = nil, sendsWhenPolled: Bool = true
    ) {
        self.number = number
        self.name = name
        self.interfaceIndex = interfaceIndex
        self.queues = queues
        self.mtu = mtu
        self.receives = receives
        self.hasZeroCopy = hasZeroCopy
        self.sendsWhenPolled = sendsWhenPolled
    }

    /// The longest frame without FCS: as the kernel engine has it, one tag does not count (is_skb_forwardable).
    var longestFrame: Int { mtu + 14 + 4 }

    /// The largest MTU whose frames all fit one buffer.
    static let longestUnsplit = FrameMemory.zeroCopyCapacity - 14 - 4

    /// True if any frame fits one buffer: those of several need a driver that has them.
    var fitsOneBuffer: Bool { longestFrame <= FrameMemory.zeroCopyCapacity }
}
