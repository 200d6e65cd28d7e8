// A veth pair between two namespaces, set up as the fast path's tests need it.

import Glibc

/// One end of a veth pair.
public struct VethEnd: Sendable {
    public var name: String
    /// Addresses with prefix lengths, `10.1.0.1/24`, `2001:db8::1/64`.
    public var addresses: [String]
    /// In bytes, or the kernel's default of 1500.
    public var mtu: Int?
    /// `02:00:00:00:00:01`, or random.
    public var mac: String?
    /// Transmit and receive queues.
    public var queues: Int
    /// Whether the sending end leaves checksums to hardware that is not there. Off, since ordinary sockets would
    /// otherwise put wrong UDP checksums on the wire.
    public var offloadsTransmitChecksums: Bool
    /// Whether received frames go through NAPI. On, since frames redirected to this end's peer vanish without it.
    public var usesGRO: Bool
    /// Whether the end is set up.
    public var isUp: Bool

    public init(
        _ name: String, addresses: [String] = [], mtu: Int? = nil, mac: String? = nil, queues: Int = 1,
        offloadsTransmitChecksums: Bool = false, usesGRO: Bool = true, isUp: Bool = true
    ) {
        self.name = name
        self.addresses = addresses
        self.mtu = mtu
        self.mac = mac
        self.queues = queues
        self.offloadsTransmitChecksums = offloadsTransmitChecksums
        self.usesGRO = usesGRO
        self.isUp = isUp
    }

    fileprivate func properties() -> [String] {
        var list = ["numtxqueues", "\(queues)", "numrxqueues", "\(queues)"]
        if let mac { list = ["address", mac] + list }
        if let mtu { list = ["mtu", "\(mtu)"] + list }
        return list
    }

    fileprivate func configure(in namespace: NetworkNamespace) throws {
        for address in addresses {
            let nodad = address.contains(":") ? ["nodad"] : []
            try namespace.run(["ip", "address", "add", address, "dev", name] + nodad)
        }
        // Up first: only then does veth tell the other end that it takes redirected frames (veth_set_features()).
        if isUp { try namespace.run(["ip", "link", "set", name, "up"]) }
        try namespace.run([
            "ethtool", "-K", name, "tx", offloadsTransmitChecksums ? "on" : "off", "gro", usesGRO ? "on" : "off",
        ])
    }
}

extension NetworkNamespace {
    /// Adds a veth pair: `end` here, `peer` in `peerNamespace`.
    public func addVeth(_ end: VethEnd, to peer: VethEnd, in peerNamespace: NetworkNamespace) throws {
        try run(
            ["ip", "link", "add", end.name] + end.properties() + ["type", "veth", "peer", "name", peer.name]
                + peer.properties() + ["netns", peerNamespace.name])
        try end.configure(in: self)
        try peer.configure(in: peerNamespace)
        guard end.isUp, peer.isUp else { return }
        try waitUntilRunning(end.name)
        try peerNamespace.waitUntilRunning(peer.name)
    }

    /// Waits until an interface can send: the kernel says so, and gives it its IPv6 routes, some time after it is up.
    public func waitUntilRunning(_ name: String) throws {
        for _ in 0..<500 {
            if try run(["ip", "-o", "link", "show", "dev", name]).contains(" state UP ") { return }
            usleep(10_000)
        }
        throw SystemFailure("wait for \(name) in \(self.name)", error: ETIMEDOUT)
    }
}
