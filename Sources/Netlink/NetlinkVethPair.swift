// Making, repairing and removing a veth pair.

import CrosspointShim
import Glibc
import RTPWire

extension NetlinkHostNetwork {
    public func ensurePair(_ pair: VethPair) throws(NetlinkError) {
        let operation = "make \(pair.near) and \(pair.far)"
        if try !isThere(pair) {
            _ = try ask(LinkMessage.createPair(near: pair.near, far: pair.far, mtu: pair.mtu), operation)
        }
        let all = try interfaces()
        guard let near = all.first(where: { $0.name == pair.near }), let far = all.first(where: { $0.name == pair.far })
        else { throw NetlinkError(operation: operation, code: ENODEV, detail: "somebody removed them again") }
        // Before it is up, or it would announce itself to the other end.
        for (end, isOff) in [(near, "0"), (far, "1")] {
            Self.setIPv6("addr_gen_mode", of: end.name, "1")
            Self.setIPv6("disable_ipv6", of: end.name, isOff)
        }
        for end in [near, far] {
            let request = LinkMessage.configureEnd(end.index, mtu: pair.mtu, alias: VethPair.alias)
            _ = try ask(request, "set up \(end.name)")
        }
        // Without `gro on`, nothing arrives that is redirected here; with `tx on`, checksums leave unfinished.
        try inspector.setOffloads(near.name)
        try setAddresses(pair.addresses, of: near)
        try setAddresses([], of: far)
        try waitUntilRunning([near.index, far.index])
    }

    /// The kernel says that a link runs on a worker of its own, within a few milliseconds.
    private func waitUntilRunning(_ indices: Set<UInt32>) throws(NetlinkError) {
        for _ in 0..<200 {
            let running = try ask(LinkMessage.dump(), "list interfaces").count { message in
                LinkMessage.interface(message.payload).map { indices.contains($0.index) && $0.isRunning } ?? false
            }
            if running == indices.count { return }
            usleep(1000)
        }
    }

    @discardableResult
    public func removePair(near: String, far: String) throws(NetlinkError) -> Bool {
        let all = try interfaces()
        guard let end = all.first(where: { $0.name == near }), end.alias == VethPair.alias,
            all.contains(where: { $0.name == far && $0.index == end.peerIndex })
        else { return false }
        _ = try ask(LinkMessage.delete(end.index), "remove \(near)")
        return true
    }

    /// True if the pair is there; throws if something else has one of its names.
    private func isThere(_ pair: VethPair) throws(NetlinkError) -> Bool {
        let all = try interfaces()
        let near = all.first { $0.name == pair.near }
        let far = all.first { $0.name == pair.far }
        guard let taken = near ?? far else { return false }
        if let near, let far, near.peerIndex == far.index, near.alias == VethPair.alias { return true }
        throw NetlinkError(
            operation: "make \(pair.near) and \(pair.far)", code: EEXIST,
            detail:
                "\(taken.name) is there and was not made for this; rename or remove it, or give the host port other "
                + "names")
    }

    private func setAddresses(_ wanted: [VethPair.Address], of interface: NetworkInterface) throws(NetlinkError) {
        let present = try addresses().filter { $0.interfaceIndex == interface.index }
        for old in present where !wanted.contains(.init(old.address, prefixLength: old.prefixLength)) {
            let request = AddressMessage.remove(
                old.address, prefixLength: old.prefixLength, interfaceIndex: interface.index)
            _ = try ask(request, "remove \(old.address) from \(interface.name)")
        }
        for new in wanted where !present.contains(where: { new == .init($0.address, prefixLength: $0.prefixLength) }) {
            let request = AddressMessage.add(
                new.address, prefixLength: new.prefixLength, interfaceIndex: interface.index)
            do {
                _ = try ask(request, "give \(interface.name) the address \(new.address)")
            } catch  where new.address.family == .ipv6 && [EACCES, EOPNOTSUPP, EAFNOSUPPORT].contains(error.code) {
                // A host without IPv6 has no programs that use it.
                continue
            }
        }
    }

    /// Sets what netlink cannot: whether an interface has IPv6, and no link-local address of its own making (mode 1). Without
    /// the right to, or without IPv6, it stays as it is.
    private static func setIPv6(_ key: String, of interface: String, _ value: String) {
        let file = open("/proc/sys/net/ipv6/conf/\(interface)/\(key)", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        write(file, value, value.utf8.count)
    }
}
