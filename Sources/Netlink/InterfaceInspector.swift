// Adds to an interface what rtnetlink does not tell: ethtool's and netdev-genl's part.

import CrosspointShim
import Glibc
import Synchronization

/// Asks ethtool and the netdev family about interfaces.
final class InterfaceInspector: Sendable {
    private let generic: Mutex<NetlinkSocket>
    /// The number of the netdev family; nil before Linux 6.3.
    private let family: UInt16?

    init() throws(NetlinkError) {
        var socket = try NetlinkSocket(NETLINK_GENERIC)
        do {
            family = try socket.answer(to: GenericMessage.family("netdev"), operation: "find netdev family").first
                .flatMap { GenericMessage.familyNumber($0.payload) }
        } catch  where error.code == ENOENT {
            family = nil
        }
        generic = Mutex(socket)
    }

    /// The same interfaces with speed, driver, queues, VLAN stripping and XDP features.
    ///
    /// One that has gone meanwhile stays as it is: an event will say so.
    func completed(_ interfaces: [NetworkInterface]) -> [NetworkInterface] {
        generic.withLock { socket in
            let only = interfaces.count == 1 ? interfaces.first?.index : nil
            let features = self.features(&socket, only: only)
            return interfaces.map { interface in
                var interface = interface
                interface.xdpFeatures = features[interface.index]
                var ethtool = crosspoint_ethtool()
                // Any socket will do: what counts is its network namespace.
                guard crosspoint_read_ethtool(socket.descriptor, interface.name, &ethtool) == 0 else {
                    return interface
                }
                interface.speed = ethtool.bits_per_second == 0 ? nil : ethtool.bits_per_second
                if ethtool.receive_queues > 0 { interface.receiveQueues = ethtool.receive_queues }
                interface.stripsVLANTags =
                    ethtool.receive_vlan_offload < 0 ? nil : ethtool.receive_vlan_offload == 1
                let driver = withUnsafeBytes(of: ethtool.driver) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                interface.driver = driver.isEmpty ? nil : driver
                return interface
            }
        }
    }

    /// Has an end of a veth pair finish checksums before frames leave, and take frames that are redirected to it.
    func setOffloads(_ name: String) throws(NetlinkError) {
        let code = generic.withLock { crosspoint_set_veth_offloads($0.descriptor, name) }
        guard code == 0 else { throw NetlinkError(operation: "set tx off and gro on at \(name)", code: -code) }
    }

    private func features(_ socket: inout NetlinkSocket, only index: UInt32?) -> [UInt32: XDPFeatures] {
        guard let family else { return [:] }
        let request = GenericMessage.features(family: family, interfaceIndex: index)
        let messages = (try? socket.answer(to: request, operation: "list XDP features")) ?? []
        return messages.compactMap { GenericMessage.features($0.payload) }
            .reduce(into: [:]) { $0[$1.interfaceIndex] = $1.features }
    }
}
