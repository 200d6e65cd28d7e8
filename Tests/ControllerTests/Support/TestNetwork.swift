// A node with an ingress port and some egress ports, and the far ends of all of them, by veth or by cards.

import Glibc
import Netlink
import RTPWire
import TestSupport
import Testing

/// Two namespaces: `node` is what is tested, `far` has the generator and the sinks.
///
/// Names: `in0` against `gen0`, `out0` against `sink0` and so on. Addresses, where asked for: 10.0.0.1/24 and
/// 2001:db8::1/64 for in0, 10.1.N.1/24 and 2001:db8:1:N::1/64 for outN; the far ends have .2 and ::2.
final class TestNetwork: Sendable {
    struct Interface: Hashable, Sendable {
        var name: String
        var index: UInt32
        var mac: MACAddress
    }

    let node: NetworkNamespace
    let far: NetworkNamespace
    let ingress: Interface
    let source: Interface
    let egress: [Interface]
    let sinks: [Interface]
    private let cables: Cables

    /// What the ports are.
    enum Cables: Hashable, Sendable {
        case veth
        /// The cards of an emulated machine, with so many queues.
        case cards(queues: Int)

        var queues: Int {
            switch self {
            case .veth: 1
            case .cards(let queues): queues
            }
        }

        var haveZeroCopy: Bool { self != .veth && NetworkCards.haveZeroCopy }
    }

    init(egressPorts: Int, hasAddresses: Bool = false, cables: Cables = .veth) throws {
        self.cables = cables
        node = try NetworkNamespace("node")
        far = try NetworkNamespace("far")
        for namespace in [node, far] where !hasAddresses {
            try namespace.setSysctl("net.ipv6.conf.default.disable_ipv6", 1)
        }
        func addresses(_ network: Int?, _ host: Int) -> [String] {
            guard hasAddresses else { return [] }
            guard let network else { return ["10.0.0.\(host)/24", "2001:db8::\(host)/64"] }
            return ["10.1.\(network).\(host)/24", "2001:db8:1:\(network)::\(host)/64"]
        }
        switch cables {
        case .veth:
            // Local addresses, told by number: who sees one in a capture knows whose it is.
            try node.addVeth(
                VethEnd("in0", addresses: addresses(nil, 1), mac: "02:00:00:00:00:01"),
                to: VethEnd("gen0", addresses: addresses(nil, 2), mac: "02:00:00:00:00:02"), in: far)
            for number in 0..<egressPorts {
                try node.addVeth(
                    VethEnd("out\(number)", addresses: addresses(number, 1), mac: "02:00:00:00:01:1\(number)"),
                    to: VethEnd("sink\(number)", addresses: addresses(number, 2), mac: "02:00:00:00:01:2\(number)"),
                    in: far)
            }
        case .cards(let queues):
            let names = [("in0", "gen0")] + (0..<egressPorts).map { ("out\($0)", "sink\($0)") }
            for (cable, (near, other)) in names.enumerated() {
                let number = cable == 0 ? nil : cable - 1
                try NetworkCards.move(
                    cable: cable, end: 0, to: node, as: near, addresses: addresses(number, 1), queues: queues)
                try NetworkCards.move(
                    cable: cable, end: 1, to: far, as: other, addresses: addresses(number, 2), queues: queues)
            }
        }
        ingress = try Self.interface("in0", in: node)
        source = try Self.interface("gen0", in: far)
        let (node, far) = (node, far)
        egress = try (0..<egressPorts).map { try Self.interface("out\($0)", in: node) }
        sinks = try (0..<egressPorts).map { try Self.interface("sink\($0)", in: far) }
    }

    deinit {
        if cables != .veth {
            for (cable, near) in ([ingress] + egress).enumerated() {
                NetworkCards.takeBack(near.name, cable: cable, end: 0, from: node)
            }
            for (cable, other) in ([source] + sinks).enumerated() {
                NetworkCards.takeBack(other.name, cable: cable, end: 1, from: far)
            }
        }
        node.close()
        far.close()
    }

    /// What an interface is now: its index changes when it is made again.
    static func interface(_ name: String, in namespace: NetworkNamespace) throws -> Interface {
        // By the kernel's own list: /sys shows the namespace in which it was mounted, and `ip` stumbles over namespaces
        // that somebody else removes at the same time.
        let found = try namespace.perform { try NetlinkHostNetwork().interfaces().first { $0.name == name } }
        guard let found, let mac = found.mac else { throw SystemFailure("interface \(name)", error: ENODEV) }
        return Interface(name: name, index: found.index, mac: mac)
    }
}
