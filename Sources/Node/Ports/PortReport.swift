// Properties of one network interface, as far as Crosspoint depends on them.

/// A port as `check` and the control API show it. What is not known is nil.
public struct PortReport: Hashable, Sendable, Codable {
    /// The interface's name.
    public var name: String
    /// The driver, `ice`.
    public var driver: String?
    /// True if the interface is up and has a carrier.
    public var isUp: Bool
    /// The MTU in bytes.
    public var mtu: Int
    /// The number of receive queues.
    public var queues: Int
    /// The link's speed in bits per second.
    public var speed: UInt64?
    /// The mode in which the fast path is, or can be, attached: `native`, `generic`, `none`.
    public var xdpMode: String?
    /// True if the driver strips VLAN tags before XDP sees the frame.
    public var vlanOffload: Bool?
    /// The features of XDP that the driver reports, such as `redirect` and `zero-copy`.
    public var xdpFeatures: [String]
    /// The answer to the question if redirected frames leave through it: `yes`, `no`, `unknown`. Nil where nobody sent
    /// one to find out.
    public var redirect: String?
    /// The reason for which they do not, or for which it is not known.
    public var redirectReason: String?
    /// The obstacles, each with its remedy.
    public var problems: [String]

    public init(
        name: String, driver: String?, isUp: Bool, mtu: Int, queues: Int, speed: UInt64? = nil,
        xdpMode: String? = nil, vlanOffload: Bool? = nil, xdpFeatures: [String] = [], problems: [String] = []
    ) {
        self.name = name
        self.driver = driver
        self.isUp = isUp
        self.mtu = mtu
        self.queues = queues
        self.speed = speed
        self.xdpMode = xdpMode
        self.vlanOffload = vlanOffload
        self.xdpFeatures = xdpFeatures
        self.problems = problems
    }
}
