// The benchmark's network: a generator, the node's ingress port, its egress ports and sinks, by veth.

import Glibc
import RTPWire
import TestSupport

/// Interfaces in the benchmark's own network namespace, which goes with the process.
struct Topology {
    struct Interface {
        var name: String
        var index: UInt32
        var mac: MACAddress
    }

    /// The interfaces of the generator: `generator`, by which it sends, is the other end of `ingress`.
    let generator: Interface
    let ingress: Interface
    /// The interfaces by which copies leave; each has a sink at its other end.
    let egress: [Interface]
    let sinks: [Interface]

    init(egressPorts: Int) throws {
        func pair(_ near: String, _ far: String) throws -> (Interface, Interface) {
            try Command.run([
                "ip", "link", "add", near, "numrxqueues", "1", "numtxqueues", "1", "type", "veth", "peer", "name", far,
                "numrxqueues", "1", "numtxqueues", "1",
            ])
            for name in [near, far] {
                try Command.run(["sysctl", "-qw", "net.ipv6.conf.\(name).disable_ipv6=1"])
                try Command.run(["ip", "link", "set", name, "up"])
            }
            return (try Self.interface(near), try Self.interface(far))
        }
        try Command.run(["ip", "link", "set", "lo", "up"])
        (generator, ingress) = try pair("generator", "ingress")
        let pairs = try (0..<egressPorts).map { try pair("egress\($0)", "sink\($0)") }
        egress = pairs.map(\.0)
        sinks = pairs.map(\.1)
    }

    private static func interface(_ name: String) throws -> Interface {
        // By `ip`: /sys shows the namespace in which it was mounted.
        let words = try Command.run(["ip", "-o", "link", "show", name]).split(separator: " ")
        let index = if_nametoindex(name)
        guard let position = words.firstIndex(of: "link/ether"), index != 0,
            let mac = MACAddress(String(words[position + 1]))
        else { throw SystemFailure("interface \(name)") }
        return Interface(name: name, index: index, mac: mac)
    }
}
