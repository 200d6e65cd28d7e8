// XDP features of an interface's driver.

/// The XDP features of an interface, as the kernel's netdev family reports them (`enum netdev_xdp_act`).
public struct XDPFeatures: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// XDP_ABORTED, XDP_DROP, XDP_PASS and XDP_TX work.
    public static let basic = XDPFeatures(rawValue: 1 << 0)
    /// XDP_REDIRECT works: frames that come in here can leave elsewhere.
    public static let redirect = XDPFeatures(rawValue: 1 << 1)
    /// The interface can be the target of a redirect.
    public static let redirectTarget = XDPFeatures(rawValue: 1 << 2)
    /// AF_XDP sockets without copying.
    public static let zeroCopy = XDPFeatures(rawValue: 1 << 3)
    /// Programs can run in the hardware.
    public static let hardwareOffload = XDPFeatures(rawValue: 1 << 4)
    /// Frames in several fragments can be received.
    public static let receivesFragments = XDPFeatures(rawValue: 1 << 5)
    /// Frames in several fragments can be redirected to it.
    public static let sendsFragments = XDPFeatures(rawValue: 1 << 6)
}

extension XDPFeatures: CustomStringConvertible {
    /// The kernel's own names, in the order of their bits: `basic redirect ndo-xmit`.
    public var description: String {
        let names = ["basic", "redirect", "ndo-xmit", "xsk-zerocopy", "hw-offload", "rx-sg", "ndo-xmit-sg"]
        return names.indices.filter { rawValue >> $0 & 1 == 1 }.map { names[$0] }.joined(separator: " ")
    }
}
