// Numbers for people: SI prefixes, three significant digits, a space before the unit.

/// Writes quantities.
enum Quantity {
    /// `2.66 Gb/s`.
    static func bitRate(_ bitsPerSecond: Double) -> String { scaled(bitsPerSecond, "b/s") }

    /// `250 kpkt/s`.
    static func packetRate(_ packetsPerSecond: Double) -> String { scaled(packetsPerSecond, "pkt/s") }

    /// `250`, or `250 k` from a thousand on.
    static func significant(rate: Double) -> String {
        let text = scaled(rate, "")
        return text.hasSuffix(" ") ? String(text.dropLast()) : text
    }

    /// `12.3 µs`; above a minute `3 min`, `2 h`, `5 d`.
    static func duration(nanoseconds: UInt64) -> String {
        let units: [(limit: UInt64, scale: Double, unit: String)] = [
            (1_000, 1, "ns"), (1_000_000, 1e3, "µs"), (1_000_000_000, 1e6, "ms"), (60_000_000_000, 1e9, "s"),
            (3_600_000_000_000, 60e9, "min"), (86_400_000_000_000, 3600e9, "h"),
        ]
        for (limit, scale, unit) in units where nanoseconds < limit {
            let value = Double(nanoseconds) / scale
            return (scale == 1 ? "\(nanoseconds)" : significant(value)) + " " + unit
        }
        return "\(nanoseconds / 86_400_000_000_000) d"
    }

    private static func scaled(_ value: Double, _ unit: String) -> String {
        let prefixes: [(scale: Double, prefix: String)] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")]
        // 999.6 is 1.00 k, not 1000.
        for (scale, prefix) in prefixes where value >= scale * 0.9995 {
            return "\(significant(value / scale)) \(prefix)\(unit)"
        }
        return value == 0 ? "0 \(unit)" : "\(significant(value)) \(unit)"
    }

    /// Three significant digits of a number from 0 to 1000: `2.66`, `26.6`, `266`.
    static func significant(_ value: Double) -> String {
        if value < 9.995 { return fixed(value, decimals: 2) }
        return fixed(value, decimals: value < 99.95 ? 1 : 0)
    }

    private static func fixed(_ value: Double, decimals: Int) -> String {
        let scale = (0..<decimals).reduce(1) { number, _ in number * 10 }
        let number = Int((value * Double(scale)).rounded())
        if decimals == 0 { return String(number) }
        let fraction = String(number % scale)
        return "\(number / scale)." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }
}
