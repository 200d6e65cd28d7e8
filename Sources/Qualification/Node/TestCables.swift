// The cables between generator, node and sinks.

import CrosspointShim
import Glibc
public import Netlink
import RTPWire

/// The assignment of interfaces.
public struct TestCables: Sendable {
    /// The interface at which the generator sends; its other end is `ingress`.
    public let generator: TestInterface
    public let ingress: TestInterface
    /// The interfaces by which copies leave the node, and the sinks at the other ends.
    public let egress: [TestInterface]
    public let sinks: [TestInterface]
    /// A cable without a node in it: generator and sink, to tell their own part. Nil between named interfaces.
    public let direct: (near: TestInterface, far: TestInterface)?

    /// The number of frames that a virtual cable (veth) holds.
    static let ring = 256

    /// Makes virtual cables in this process's own network.
    public init(virtualWithEgressPorts count: Int, network: NetlinkHostNetwork) throws(QualificationError) {
        func pair(_ near: String, _ far: String) throws(QualificationError) -> (near: TestInterface, far: TestInterface)
        {
            do {
                try network.ensurePair(VethPair(near: near, far: far, addresses: [], mtu: 3486))
            } catch {
                throw QualificationError(.failed, "\(error)")
            }
            return (try TestInterface(near, of: network), try TestInterface(far, of: network))
        }
        (generator, ingress) = try pair("generator", "in0")
        direct = try pair("direct", "direct-sink")
        var pairs: [(near: TestInterface, far: TestInterface)] = []
        for number in 0..<count { pairs.append(try pair("sink\(number)", "out\(number)")) }
        sinks = pairs.map(\.near)
        egress = pairs.map(\.far)
    }

    /// Uses two interfaces of this host that a real cable connects: everything is sent by `outside` and comes back there, and the
    /// node works on `inside`.
    public init(outside: String, inside: String, network: NetlinkHostNetwork) throws(QualificationError) {
        generator = try TestInterface(outside, of: network)
        ingress = try TestInterface(inside, of: network)
        sinks = [generator]
        egress = [ingress]
        direct = nil
    }

    /// The number of egress ports that a route with so many legs is spread over.
    public static func egressPorts(forLegs legs: Int) -> Int { min(max(legs, 1), 8) }

    /// The number of frames that the kernel may handle at once, so that the copies that leave by one port fill half of
    /// its ring at most.
    public static func batch(forLegs legs: Int) -> Int {
        let perPort = (legs + egressPorts(forLegs: legs) - 1) / egressPorts(forLegs: legs)
        return min(64, max(1, ring / 2 / perPort))
    }
}
