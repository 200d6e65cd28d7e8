// Network cards of an emulated machine (scripts/test vm), cabled in pairs: what a veth pair is not, a driver with queues of its own.

import Glibc
import RTPWire
import TestSupport
import Testing

/// The cards that scripts/lib/vm/machine.sh gives a machine: each knows its cable and its end by its address.
///
/// A card is moved into a test's namespace and back. By itself it would come back with the end of the namespace, which threads of the
/// runtime's pool keep for as long as they idle: they begin in the namespace of the thread that needed one more. For the same reason
/// nothing here counts on being called in the process's own namespace.
enum NetworkCards {
    /// Cables, of two cards each.
    static let cables = 3
    /// The most queues of a card.
    static let queues = 2
    /// The longest frame's payload that cards and cables take, in bytes.
    static let mtu = 9100

    private static let what = getenv("CROSSPOINT_CARDS").map { String(cString: $0) }
    static let areThere = what != nil
    /// Whether the kernel's driver has zero-copy: said by who boots it, so that a driver that fails is no reason to skip.
    static let haveZeroCopy = what == "zero-copy"

    /// Moves a card to a namespace, up, with a name, and with so many queues.
    static func move(
        cable: Int, end: Int, to namespace: NetworkNamespace, as name: String, addresses: [String], queues: Int
    ) throws {
        let mac = "02:00:00:00:0c:\(cable)\(end)"
        let card = try find(mac)
        try run(["ip", "link", "set", card, "down", "mtu", "1500"])
        // Refused while an earlier test's program is on its way out, and where nothing changes by some versions.
        try attempt { try run(["ethtool", "-L", card, "combined", "\(queues)"]) }
        try run(["ip", "link", "set", card, "netns", namespace.name, "name", name])
        for address in addresses {
            let nodad = address.contains(":") ? ["nodad"] : []
            try namespace.run(["ip", "address", "add", address, "dev", name] + nodad)
        }
        // Frames for addresses that are nobody's, and with tags that nobody asked for.
        try namespace.run(["ip", "link", "set", name, "promisc", "on", "up"])
        try namespace.run(["ethtool", "-K", name, "tx", "off"])
        try namespace.waitUntilRunning(name)
    }

    /// Moves a card back to where it came from: this process's own namespace.
    static func takeBack(_ name: String, cable: Int, end: Int, from namespace: NetworkNamespace) {
        do {
            try attempt {
                try namespace.run(["ip", "link", "set", name, "netns", "\(getpid())", "name", "card\(cable)\(end)"])
            }
        } catch {
            Issue.record("\(name) does not come back: \(error)")
        }
    }

    /// The name of the card, once the last test's namespace has let go of it.
    private static func find(_ mac: String) throws -> String {
        for _ in 0..<1000 {
            // 3: eth1: <…> … link/ether 02:00:00:00:0c:01 …
            let lines = try run(["ip", "-o", "link", "show"]).split(separator: "\n")
            if let line = lines.first(where: { $0.contains("link/ether \(mac) ") }) {
                return String(line.split(separator: " ")[1].dropLast())
            }
            usleep(20_000)
        }
        throw SystemFailure("card \(mac)", error: ENODEV)
    }

    /// Runs a command in the namespace that the process began in.
    @discardableResult
    private static func run(_ arguments: [String]) throws -> String {
        try Command.run(["nsenter", "--net=/proc/\(getpid())/ns/net"] + arguments)
    }

    private static func attempt(_ body: () throws -> Void) throws {
        for _ in 0..<100 {
            if (try? body()) != nil { return }
            usleep(50_000)
        }
        try body()
    }
}
