// The condition under which a take is made: new sources send before old ones are let go.

/// The longest wait for the sources that a batch brings on air. Where one of them is not seen in time nothing changes: a take is never
/// black.
public struct SourceWait: Hashable, Sendable {
    /// The time in which every new source has to be seen.
    public var timeout: Duration

    /// The frames (RTP timestamps) that count as a source that sends; of media without RTP, packets.
    static let frames = 3

    /// The longest timeout.
    public static let longest = Duration.seconds(60)

    /// A wait of `timeout`, above 0 and up to `longest`.
    ///
    /// - Throws: `RoutingError` of code `invalid`, with the limits.
    public init(timeout: Duration = .seconds(2)) throws(RoutingError) {
        guard timeout > .zero, timeout <= Self.longest else {
            throw RoutingError(.invalid, "timeout \(Self.text(timeout)): is not above 0 and up to 60 seconds")
        }
        self.timeout = timeout
    }

    /// The timeout for a person: `2 s`, `250 ms`.
    var text: String { Self.text(timeout) }

    private static func text(_ duration: Duration) -> String {
        let milliseconds = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
    }
}

/// A source that is waited for: the frames that were seen of it.
struct SourceWatch {
    /// Packets that had come before.
    private let before: UInt64
    private let countsPackets: Bool
    private var timestamp: UInt32?
    private var frames = 0

    /// - Parameters:
    ///   - packets: the packets that had come before.
    ///   - countsPackets: true where the flow's packets have no timestamps that are accounted.
    init(packets: UInt64, countsPackets: Bool) {
        before = packets
        self.countsPackets = countsPackets
    }

    /// Takes note of the flow's packets and of the last one's timestamp.
    mutating func see(packets: UInt64, timestamp: UInt32) {
        guard packets > before else { return }
        if countsPackets {
            frames = Int(clamping: packets - before)
        } else if timestamp != self.timestamp {
            self.timestamp = timestamp
            frames += 1
        }
    }

    /// True once enough came.
    var isAlive: Bool { frames >= SourceWait.frames }
    /// True once anything came.
    var hasPackets: Bool { frames > 0 }
}
