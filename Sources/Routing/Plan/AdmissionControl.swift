// The capacity of a link for one more leg.

/// Compares what is routed to a port, by rate on the wire, with what its link carries.
enum AdmissionControl {
    /// Nil if everything fits; else why not, with both figures. Rates are those of legs on the wire, bits per second.
    static func refusal(port: String, speed: UInt64?, existing: [UInt64], adding: [UInt64]) -> String? {
        guard let speed, let rate = adding.first else { return nil }
        let before = existing.reduce(0, +)
        let more = adding.reduce(0, +)
        let total = before + more
        guard total > speed else { return nil }
        let areEqual = adding.allSatisfy { $0 == rate }
        let legs =
            adding.count == 1
            ? "a leg of \(text(rate))"
            : "\(adding.count) legs of \(areEqual ? text(rate) : text(more) + " together")"
        let already = before == 0 ? "" : ", with \(text(before)) routed there already,"
        return "port \(port): \(legs) on the wire\(already) would make \(text(total)), and the link carries "
            + "\(text(speed)); use another port, remove legs, or --force"
    }

    /// The rate of a leg whose packets are `growth` bytes longer than those of its flow, which has `wireRate`. Where `packetRate` is not known
    /// (0), packets are taken to be as long as `mtu` allows: it is at least that much.
    static func rate(wireRate: UInt64, packetRate: UInt64, mtu: UInt32, growth: Int) -> UInt64 {
        // Preamble, Ethernet header, FCS and inter-frame gap.
        let packets = packetRate > 0 ? packetRate : wireRate / (8 * (UInt64(mtu) + 38))
        return UInt64(max(Int64(clamping: wireRate) + Int64(packets) * 8 * Int64(growth), 0))
    }

    /// The longest frame that the kernel copies to several legs: with headroom it must lie in one page of memory
    /// (dev_map_enqueue_multi refuses fragments, xdpf_clone more than a page).
    static let longestCopiedFrame: UInt64 = 3400

    /// Nil if frames of this length can go to as many legs; else why not.
    static func refusal(frameLength: UInt64, legs: Int) -> String? {
        guard legs > 1, frameLength > longestCopiedFrame else { return nil }
        return "its frames of \(frameLength) bytes cannot be copied to \(legs) legs: the kernel engine copies up to "
            + "\(longestCopiedFrame) bytes; use engine auto or afxdp, one leg, or shorter packets"
    }

    /// A rate with three significant digits: `2.66 Gb/s`.
    static func text(_ bitsPerSecond: UInt64) -> String {
        let units: [(Double, String)] = [(1e9, "Gb/s"), (1e6, "Mb/s"), (1e3, "kb/s")]
        for (size, unit) in units where Double(bitsPerSecond) >= size {
            let hundredths = UInt64((Double(bitsPerSecond) / size * 100).rounded())
            let fraction = hundredths % 100
            return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) \(unit)"
        }
        return "\(bitsPerSecond) b/s"
    }
}
