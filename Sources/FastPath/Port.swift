// A port: a network interface that the fast path is attached to.

public import RTPWire

/// A network interface that carries the ingress program, under a number of its own.
public struct Port: Hashable, Sendable {
    /// The number, 0 to 63; stays when the interface goes and comes back.
    public let number: UInt16
    /// The interface's name.
    public let name: String
    /// The interface's index; nil while it does not exist.
    public internal(set) var interfaceIndex: UInt32?
    /// The interface's own address: packets that come in from it are our own.
    public internal(set) var mac: MACAddress
}
