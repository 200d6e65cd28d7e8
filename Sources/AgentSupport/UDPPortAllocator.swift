// Allocation of even UDP ports that are free for an RTP and RTCP pair (RFC 3550 section 11).

public import RTPWire

/// Hands out even UDP ports of a range, each with the odd one above it, per local address.
@AgentActor
public final class UDPPortAllocator {
    private let range: ClosedRange<UInt16>
    private var taken: Set<Pair> = []
    /// The port at which the next search begins: a port that was just given back may still receive what its source sends.
    private var next: UInt16

    private struct Pair: Hashable {
        var address: IPAddress
        var udpPort: UInt16
    }

    /// Pairs within `range`.
    public init(range: ClosedRange<UInt16>) {
        self.range = range
        next = range.lowerBound % 2 == 0 ? range.lowerBound : range.lowerBound + 1
    }

    /// A free pair's even UDP port, or nil when all are taken.
    public func take(at address: IPAddress) -> UInt16? {
        let pairs = (Int(range.upperBound) + 1 - Int(first)) / 2
        guard pairs > 0 else { return nil }
        for _ in 0..<pairs {
            let candidate = next
            next = Int(candidate) + 3 > Int(range.upperBound) ? first : candidate + 2
            if taken.insert(Pair(address: address, udpPort: candidate)).inserted {
                return candidate
            }
        }
        return nil
    }

    /// Marks a pair that is in use already: one of a route that was taken over.
    public func claim(_ udpPort: UInt16, at address: IPAddress) {
        taken.insert(Pair(address: address, udpPort: udpPort))
    }

    /// The pair is free again: the last to be handed out of those that are.
    public func giveBack(_ udpPort: UInt16, at address: IPAddress) {
        taken.remove(Pair(address: address, udpPort: udpPort))
    }

    private var first: UInt16 { range.lowerBound % 2 == 0 ? range.lowerBound : range.lowerBound + 1 }
}
