// Times for people and programs: RFC 3339, in UTC.

/// Writes and reads times.
public enum RFC3339 {
    /// `2026-11-21T02:16:18.123Z`: the time that is `nanoseconds` after the Unix epoch, cut to milliseconds.
    public static func text(unixNanoseconds nanoseconds: UInt64) -> String {
        let milliseconds = nanoseconds / 1_000_000
        let seconds = milliseconds / 1000
        let (year, month, day) = date(daysSinceEpoch: Int(seconds / 86_400))
        let second = Int(seconds % 86_400)
        return
            "\(year)-\(padded(month, 2))-\(padded(day, 2))T\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2))"
            + ":\(padded(second % 60, 2)).\(padded(Int(milliseconds % 1000), 3))Z"
    }

    /// The nanoseconds after the Unix epoch of a time such as `2026-11-21T02:16:18.123Z` or `2026-11-21T03:16:18+01:00`; nil for what is
    /// not a time (RFC 3339 section 5.6) or lies before the epoch. Fractions are read to nanoseconds; a leap second is read as the second
    /// before it.
    public static func unixNanoseconds(_ text: String) -> UInt64? {
        var rest = Substring(text)
        func number(_ width: Int, _ range: ClosedRange<Int>) -> Int? {
            let digits = rest.prefix(width)
            guard digits.count == width, digits.allSatisfy({ $0.isASCII && $0.isNumber }), let value = Int(digits),
                range.contains(value)
            else { return nil }
            rest = rest.dropFirst(width)
            return value
        }
        func separator(_ characters: String) -> Character? {
            guard let first = rest.first, characters.contains(first) else { return nil }
            rest = rest.dropFirst()
            return first
        }
        guard let year = number(4, 1970...9999), separator("-") != nil, let month = number(2, 1...12),
            separator("-") != nil, let day = number(2, 1...days(in: month, of: year)), separator("Tt ") != nil,
            let hour = number(2, 0...23), separator(":") != nil, let minute = number(2, 0...59),
            separator(":") != nil, let second = number(2, 0...60)
        else { return nil }
        var fraction = 0
        if separator(".") != nil {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard !digits.isEmpty, digits.count <= 18 else { return nil }
            rest = rest.dropFirst(digits.count)
            fraction = Int((digits + "000000000").prefix(9)) ?? 0
        }
        var offset = 0
        switch separator("Zz+-") {
        case "Z", "z": break
        case let sign?:
            guard let hours = number(2, 0...23), separator(":") != nil, let minutes = number(2, 0...59) else {
                return nil
            }
            offset = (hours * 60 + minutes) * (sign == "+" ? 60 : -60)
        case nil: return nil
        }
        guard rest.isEmpty else { return nil }
        let seconds =
            daysSinceEpoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + min(second, 59) - offset
        guard seconds >= 0 else { return nil }
        return UInt64(seconds).multipliedSaturating(by: 1_000_000_000).addingSaturating(UInt64(fraction))
    }

    private static func days(in month: Int, of year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    /// The days from the epoch to a Gregorian date: `date(daysSinceEpoch:)` the other way round.
    private static func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let yearOfEra = year % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return year / 400 * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The Gregorian date, by the era arithmetic in which a year begins in March.
    private static func date(daysSinceEpoch: Int) -> (year: Int, month: Int, day: Int) {
        let days = daysSinceEpoch + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
