// A socket that is held for its effect: a membership, or a reserved UDP port.

/// A socket that nobody reads: as long as it is open, here or in a `DescriptorStore`, its effect lasts.
public struct HeldSocket: Sendable {
    /// The purpose of the socket. `"\(key)"` is its name in a `DescriptorStore`.
    public let key: SocketKey
    public let descriptor: OwnedDescriptor

    public init(key: SocketKey, descriptor: OwnedDescriptor) {
        self.key = key
        self.descriptor = descriptor
    }
}
