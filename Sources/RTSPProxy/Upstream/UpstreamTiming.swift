// Times that operations with an upstream may take.

/// Times in nanoseconds.
struct UpstreamTiming: Hashable, Sendable {
    /// For a connection to one address.
    var connect: UInt64 = 5_000_000_000
    /// For a reply, and for that to a TEARDOWN.
    var reply: UInt64 = 10_000_000_000
    var teardown: UInt64 = 2_000_000_000
    /// Until the first packet after the reply to PLAY, where another transport can be tried then.
    var firstPacket: UInt64 = 4_000_000_000
    /// The same by the last transport: devices that wake up take their time.
    var lastFirstPacket: UInt64 = 30_000_000_000
    /// Without any packet until a source that sent some counts as lost.
    var loss: UInt64 = 10_000_000_000
    /// Between two looks at what came.
    var watch: UInt64 = 1_000_000_000

    init() {}
}
