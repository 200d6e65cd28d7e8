// The interfaces of this host as the kernel describes them, and what is in the way of using them as ports.

public import Netlink

/// Reads what netlink and ethtool know of the host's interfaces.
public struct HostPorts: NodeInformationSource {
    private let network: any HostNetwork

    public init(network: any HostNetwork) { self.network = network }

    public func ports() throws(NetlinkError) -> [PortReport] {
        try network.interfaces().filter { $0.name != "lo" }.map(PortReport.init)
    }
}

extension PortReport {
    /// The report of the kernel on `interface`, and its consequences for a port.
    public init(_ interface: NetworkInterface) {
        self.init(
            name: interface.name, driver: interface.driver ?? interface.kind,
            isUp: interface.isUp && interface.isRunning, mtu: Int(interface.mtu),
            queues: Int(interface.receiveQueues), speed: interface.speed, xdpMode: Self.mode(of: interface),
            vlanOffload: interface.stripsVLANTags,
            xdpFeatures: interface.xdpFeatures.map { $0.description.split(separator: " ").map(String.init) } ?? [],
            problems: Self.problems(of: interface))
    }

    /// The mode in which the fast path is attached; where it is not, the mode in which it can be.
    private static func mode(of interface: NetworkInterface) -> String? {
        if let attachment = interface.xdp { return attachment.mode.rawValue }
        return interface.xdpFeatures.map { $0.contains(.basic) ? "native" : "generic" }
    }

    private static func problems(of interface: NetworkInterface) -> [String] {
        let driver = interface.driver ?? interface.kind ?? "of unknown name"
        var problems: [String] = []
        if interface.xdp?.mode == .generic {
            problems.append(
                "a program is attached to it in generic mode; detach it with 'ip link set \(interface.name) xdpgeneric off'"
            )
        }
        guard let features = interface.xdpFeatures else { return problems }
        if !features.contains(.basic) {
            problems.append("driver \(driver) has no native XDP; use another interface")
        } else if !features.contains(.redirect) {
            problems.append("driver \(driver) cannot redirect frames from XDP; use another interface")
        }
        // A page less headroom and tail: what fits into one buffer.
        if features.contains(.basic), interface.kind == nil, interface.mtu > 3498,
            !features.contains(.receivesFragments)
        {
            problems.append(
                "driver \(driver) has no XDP for frames over a page; 'ip link set \(interface.name) mtu 3498', or use another interface"
            )
        }
        return problems
    }
}
