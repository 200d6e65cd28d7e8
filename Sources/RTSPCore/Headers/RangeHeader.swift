// Part of a presentation that is asked for or played.

/// The Range header (RFC 2326 section 12.29), of one unit. What it cannot hold is answered with 457.
public struct RangeHeader: Hashable, Sendable {
    /// A point of normal play time (section 3.6).
    public enum PlayTime: Hashable, Sendable {
        case now
        /// Nanoseconds from the beginning.
        case nanoseconds(UInt64)
    }

    public enum Value: Hashable, Sendable {
        /// At least one end is there.
        case npt(PlayTime?, PlayTime?)
        /// The type (`smpte`, `smpte-25`, `smpte-30-drop`; section 3.5) and the times as they were written.
        case smpte(type: String, String, String?)
        /// UTC times as they were written (section 3.7).
        case clock(String, String?)
    }

    public var value: Value
    /// `time`: when to begin, a UTC time as it was written.
    public var time: String?

    public init(_ value: Value, time: String? = nil) {
        self.value = value
        self.time = time
    }

    /// The range that a live source plays: from now on.
    public static let live = RangeHeader(.npt(.now, nil))

    /// Reads a header value; nil for units and times that are none of the RFC's.
    public init?(_ text: String) {
        let parts = HeaderText.split(text[...], at: UInt8(ascii: ";"))
        let (unit, range) = HeaderText.parameter(parts[0])
        guard let range, let dash = range.utf8.firstIndex(of: UInt8(ascii: "-")) else { return nil }
        let start = HeaderText.trim(range[..<dash])
        let end = HeaderText.trim(range[range.utf8.index(after: dash)...])
        switch unit {
        case "npt":
            guard let first = Self.playTime(start), let last = Self.playTime(end), first != nil || last != nil else {
                return nil
            }
            value = .npt(first, last)
        case "smpte", "smpte-25", "smpte-30-drop":
            guard Self.isSMPTE(start), end.isEmpty || Self.isSMPTE(end) else { return nil }
            value = .smpte(type: unit, String(start), end.isEmpty ? nil : String(end))
        case "clock":
            guard Self.isUTC(start), end.isEmpty || Self.isUTC(end) else { return nil }
            value = .clock(String(start), end.isEmpty ? nil : String(end))
        default: return nil
        }
        for part in parts.dropFirst() {
            let (name, value) = HeaderText.parameter(part)
            guard name == "time" else { continue }
            guard let value, Self.isUTC(value) else { return nil }
            time = String(value)
        }
    }

    /// An outer nil is what cannot be read, an inner one an end that is left out.
    private static func playTime(_ text: Substring) -> PlayTime?? {
        if text.isEmpty { return .some(nil) }
        if HeaderText.lowercased(text) == "now" { return .now }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 1 || parts.count == 3, let last = parts.last else { return nil }
        let seconds = last.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = seconds.count == 2 ? seconds[1].prefix(9) : ""
        guard var total = HeaderText.number(seconds[0], as: UInt64.self), total < 1 << 32,
            seconds.count == 1 || seconds[1].utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        if parts.count == 3 {
            guard let hours = HeaderText.number(parts[0], as: UInt64.self), hours < 1 << 20,
                let minutes = HeaderText.number(parts[1], as: UInt64.self), minutes < 60, total < 60
            else { return nil }
            total += hours * 3600 + minutes * 60
        }
        let digits = String(fraction) + String(repeating: "0", count: 9 - fraction.count)
        return .nanoseconds(total * 1_000_000_000 + (UInt64(digits) ?? 0))
    }

    /// `10:12:33`, `10:12:33:20`, `10:12:33:20.05`.
    private static func isSMPTE(_ text: Substring) -> Bool {
        let halves = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let parts = halves[0].split(separator: ":", omittingEmptySubsequences: false) + halves.dropFirst()
        return (3...5).contains(parts.count)
            && parts.allSatisfy { $0.utf8.count <= 2 && HeaderText.number($0, as: UInt8.self) != nil }
    }

    /// `19961108T143720.25Z`.
    private static func isUTC(_ text: Substring) -> Bool {
        guard text.utf8.last == UInt8(ascii: "Z") else { return false }
        let parts = text.dropLast().split(separator: "T", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 8, text.utf8.count <= 32 else { return false }
        let time = parts[1].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        return time[0].utf8.count == 6
            && ([parts[0]] + time).allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
    }
}

extension RangeHeader: CustomStringConvertible {
    public var description: String {
        let range =
            switch value {
            case .npt(let start, let end): "npt=\(start?.description ?? "")-\(end?.description ?? "")"
            case .smpte(let type, let start, let end): "\(type)=\(start)-\(end ?? "")"
            case .clock(let start, let end): "clock=\(start)-\(end ?? "")"
            }
        return range + (time.map { ";time=\($0)" } ?? "")
    }
}

extension RangeHeader.PlayTime: CustomStringConvertible {
    private func fractionLength(_ text: String) -> Int { text.utf8.reversed().prefix { $0 != UInt8(ascii: ".") }.count }

    public var description: String {
        guard case .nanoseconds(let value) = self else { return "now" }
        let fraction = String(value % 1_000_000_000)
        var text = "\(value / 1_000_000_000)." + String(repeating: "0", count: 9 - fraction.count) + fraction
        // Three decimals at least, as most players write them: some servers compare the text.
        while text.hasSuffix("0"), fractionLength(text) > 3 { text.removeLast() }
        return text
    }
}
