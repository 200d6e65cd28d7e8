// State of a flow or a leg that AF_XDP workers have beside the records that everybody shares.

/// Something in this process's memory that workers use for one flow or one leg, such as the keys of SRTP.
///
/// Whoever sets it for a flow or a leg may let go of it: it lives until no worker can be using it any more.
public final class WorkerContext: Hashable, Sendable {
    package nonisolated(unsafe) let address: UnsafeMutableRawPointer
    /// By how many bytes RTP packets grow on their way through; negative where they shrink.
    public let growth: Int
    private let release: @Sendable (UnsafeMutableRawPointer) -> Void

    /// Takes over what is at `address`; `release` ends it.
    package init(
        _ address: UnsafeMutableRawPointer, growth: Int, release: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
    ) {
        self.address = address
        self.growth = growth
        self.release = release
    }

    deinit { release(address) }

    public static func == (one: WorkerContext, other: WorkerContext) -> Bool { one === other }

    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
