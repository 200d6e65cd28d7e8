// A network interface that takes part in a trial.

public import Netlink
public import RTPWire

/// The properties of an interface that sending and receiving needs to know.
public struct TestInterface: Hashable, Sendable {
    public var name: String
    public var index: UInt32
    public var mac: MACAddress

    public init(name: String, index: UInt32, mac: MACAddress) {
        self.name = name
        self.index = index
        self.mac = mac
    }

    /// The interface called `name`.
    public init(_ name: String, of network: NetlinkHostNetwork) throws(QualificationError) {
        let all: [NetworkInterface]
        do {
            all = try network.interfaces()
        } catch {
            throw QualificationError(.failed, "\(error)")
        }
        guard let found = all.first(where: { $0.name == name }) else {
            throw QualificationError(
                .usage, "there is no interface '\(name)'; there are \(all.map(\.name).sorted().joined(separator: ", "))"
            )
        }
        guard let mac = found.mac else {
            throw QualificationError(.usage, "\(name): it is no Ethernet interface; name another")
        }
        guard found.isUp, found.isRunning else {
            throw QualificationError(
                .failed,
                "\(name): it \(found.isUp ? "has no link; connect it" : "is down; set it up with 'ip link set \(name) up'"), "
                    + "and try again")
        }
        self.init(name: name, index: found.index, mac: mac)
    }
}
