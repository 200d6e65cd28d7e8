// Addresses as NIO has them.

public import NIOCore
public import RTPWire

extension IPAddress {
    /// The address with a UDP or TCP port, for NIO.
    public func socketAddress(_ number: UInt16) -> SocketAddress {
        guard let address = try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: Int(number)) else {
            preconditionFailure("an address has 4 or 16 bytes, which is all that NIO asks for")
        }
        return address
    }

    /// The address in `address`; nil for a Unix domain socket.
    public init?(_ address: SocketAddress) {
        guard let text = address.ipAddress else { return nil }
        // A link-local address comes with its zone, which the fast path has as an interface.
        self.init(text.prefix { $0 != "%" }.description)
    }
}
