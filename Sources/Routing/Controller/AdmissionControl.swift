// Whether one more leg fits a link.

/// Compares what is routed to a port, by rate on the wire, with what its link carries.
enum AdmissionControl {
    /// What one route asks of one port.
    struct Load: Hashable {
        var route: String
        /// Bits per second on the wire of one leg; nil while nobody knows.
        var wireRate: UInt64?
        var legs: Int
    }

    /// Nil if everything fits; else why not, with both figures.
    static func refusal(port: String, speed: UInt64?, existing: [Load], adding: Load) -> String? {
        guard let speed, let rate = adding.wireRate, adding.legs > 0 else { return nil }
        let before = existing.reduce(UInt64(0)) { $0 + ($1.wireRate ?? 0) * UInt64($1.legs) }
        let total = before + rate * UInt64(adding.legs)
        guard total > speed else { return nil }
        let legs = adding.legs == 1 ? "a leg of \(text(rate))" : "\(adding.legs) legs of \(text(rate))"
        let already = before == 0 ? "" : ", with \(text(before)) routed there already,"
        return "port \(port): \(legs) on the wire\(already) would make \(text(total)), and the link carries "
            + "\(text(speed)); use another port, remove legs, or --force"
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
