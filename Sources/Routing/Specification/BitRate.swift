// Rates in bits per second as operators write them: `2.66Gb/s`, `800Mb/s`, `1000000`.

/// A rate in bits per second, with its text form.
public struct BitRate: Hashable, Sendable, CustomStringConvertible {
    /// The rate in bits per second.
    public var bitsPerSecond: UInt64

    public init(bitsPerSecond: UInt64) { self.bitsPerSecond = bitsPerSecond }

    private static let prefixes: [(text: String, exponent: Int)] = [("T", 12), ("G", 9), ("M", 6), ("k", 3), ("", 0)]

    /// Reads a decimal number with `b/s`, `kb/s`, `Mb/s`, `Gb/s` or `Tb/s` (also written `bit/s` or `bps`), or a bare number of bits
    /// per second. Throws for zero, for fractions of a bit, for bytes, and for anything else.
    public init(_ text: String) throws(SpecificationError) {
        func refuse(_ problem: String) -> SpecificationError {
            SpecificationError(
                .setting("rate"), text, problem, remedy: "write it as 2.66Gb/s, 800Mb/s or 1000000 (bits per second)")
        }
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(number.count).drop { $0 == " " }
        guard let exponent = Self.exponent(of: unit) else {
            throw refuse(unit.contains("B") ? "counts bytes, not bits" : "has no known unit")
        }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? parts[1] : ""
        guard parts.count <= 2, let whole = parts.first, !whole.isEmpty, parts.count == 1 || !fraction.isEmpty else {
            throw refuse("is no number")
        }
        let significant = fraction.reversed().drop { $0 == "0" }.reversed()
        guard significant.count <= exponent else { throw refuse("has fractions of a bit") }
        let digits = whole + String(significant) + String(repeating: "0", count: exponent - significant.count)
        guard let value = UInt64(digits) else { throw refuse("is out of range") }
        guard value > 0 else { throw refuse("is zero") }
        bitsPerSecond = value
    }

    private static func exponent(of unit: Substring) -> Int? {
        if unit.isEmpty { return 0 }
        for (prefix, exponent) in prefixes where ["b/s", "bit/s", "bps"].contains(where: { unit == prefix + $0 }) {
            return exponent
        }
        return nil
    }

    /// The exact rate in the largest unit of which it is at least one: `2.66Gb/s`.
    public var description: String {
        for (prefix, exponent) in Self.prefixes {
            let scale = (0..<exponent).reduce(UInt64(1)) { value, _ in value * 10 }
            guard bitsPerSecond >= scale else { continue }
            let rest = String(bitsPerSecond % scale + scale).dropFirst().reversed().drop { $0 == "0" }.reversed()
            return "\(bitsPerSecond / scale)" + (rest.isEmpty ? "" : "." + String(rest)) + "\(prefix)b/s"
        }
        return "0b/s"
    }
}
