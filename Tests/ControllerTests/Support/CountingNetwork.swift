// A host's network, and how often it was asked for next hops.

import Netlink
import RTPWire
import Synchronization

/// The number of questions so far.
final class NetworkQuestions: Sendable {
    private let count = Atomic<Int>(0)

    var nextHops: Int { count.load(ordering: .relaxed) }
    func note() { count.add(1, ordering: .relaxed) }
}

/// Hands everything on, and counts.
struct CountingNetwork: HostNetwork {
    let network: NetlinkHostNetwork
    let questions: NetworkQuestions

    func interfaces() throws(NetlinkError) -> [NetworkInterface] { try network.interfaces() }
    func addresses() throws(NetlinkError) -> [InterfaceAddress] { try network.addresses() }
    func nextHop(to destination: IPAddress, through interfaceIndex: UInt32) throws(NetlinkError) -> NextHop {
        questions.note()
        return try network.nextHop(to: destination, through: interfaceIndex)
    }
    func route(to destination: IPAddress) throws(NetlinkError) -> HostRoute { try network.route(to: destination) }
    func ensurePair(_ pair: VethPair) throws(NetlinkError) { try network.ensurePair(pair) }
    func removePair(near: String, far: String) throws(NetlinkError) -> Bool {
        try network.removePair(near: near, far: far)
    }
    func neighbour(_ address: IPAddress, interfaceIndex: UInt32) throws(NetlinkError) -> Neighbour? {
        try network.neighbour(address, interfaceIndex: interfaceIndex)
    }
    func keepResolved(_ address: IPAddress, interfaceIndex: UInt32) throws(NetlinkError) {
        try network.keepResolved(address, interfaceIndex: interfaceIndex)
    }
    func release(_ address: IPAddress, interfaceIndex: UInt32) throws(NetlinkError) {
        try network.release(address, interfaceIndex: interfaceIndex)
    }
    func events() throws(NetlinkError) -> AsyncStream<NetworkEvent> { try network.events() }
}
