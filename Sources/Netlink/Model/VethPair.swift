// Two interfaces, back to back, by which programs of this node meet an XDP program.

public import RTPWire

/// A veth pair: programs use the near end, which has addresses; an XDP program is attached to the far end, which has none.
///
/// Neither end resolves addresses: whatever is routed to the near end comes out of the far one.
public struct VethPair: Hashable, Sendable {
    /// An address of the near end, and the network that it is in.
    public struct Address: Hashable, Sendable {
        public var address: IPAddress
        /// In bits.
        public var prefixLength: Int

        public init(_ address: IPAddress, prefixLength: Int) {
            self.address = address
            self.prefixLength = prefixLength
        }
    }

    /// The interfaces' names.
    public var near: String
    public var far: String
    /// The addresses of the near end; it gets no others.
    public var addresses: [Address]
    /// Of both ends, in bytes.
    public var mtu: UInt32

    public init(near: String, far: String, addresses: [Address], mtu: UInt32 = 9000) {
        self.near = near
        self.far = far
        self.addresses = addresses
        self.mtu = mtu
    }

    /// The alias that both ends carry, so that they are known again.
    static let alias = "crosspoint host port"
}
