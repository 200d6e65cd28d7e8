// The lines of a journal, and the sums that find a damaged one.
//
// A batch is a line `SUM = COUNT` and as many lines `SUM + KIND NAME VERSION JSON` or `SUM - KIND NAME`. SUM is the first
// four bytes of the SHA-256 of the rest of the line, in hexadecimal digits.

import Crypto

/// A line of a journal.
enum JournalLine: Equatable {
    /// As many lines of one batch follow.
    case batch(Int)
    case change(JournalChange)

    /// The line with its sum and its end.
    var bytes: [UInt8] {
        var body: [UInt8]
        switch self {
        case .batch(let count): body = Array("= \(count)".utf8)
        case .change(let change):
            if let value = change.value {
                body = Array("+ \(change.key.kind) \(change.key.name) \(value.version) ".utf8) + value.json
            } else {
                body = Array("- \(change.key.kind) \(change.key.name)".utf8)
            }
        }
        body.append(UInt8(ascii: "\n"))
        return Self.sum(of: body.dropLast()) + [UInt8(ascii: " ")] + body
    }

    /// The line that the bytes are, without its end; nil if it is damaged.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count > 10, bytes.dropFirst(8).first == UInt8(ascii: " "),
            Self.sum(of: bytes.dropFirst(9)).elementsEqual(bytes.prefix(8))
        else { return nil }
        let parts = bytes.dropFirst(9).split(
            separator: UInt8(ascii: " "), maxSplits: 4, omittingEmptySubsequences: false
        )
        .map { $0 }
        func text(_ index: Int) -> String { String(decoding: parts[index], as: UTF8.self) }
        switch (text(0), parts.count) {
        case ("=", 2):
            guard let count = Int(text(1)), count > 0 else { return nil }
            self = .batch(count)
        case ("-", 3): self = .change(JournalChange(JournalKey(text(1), text(2)), nil))
        case ("+", 5):
            guard let version = Int(text(3)) else { return nil }
            self = .change(
                JournalChange(JournalKey(text(1), text(2)), JournalValue(version: version, json: Array(parts[4]))))
        default: return nil
        }
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private static func sum(of body: ArraySlice<UInt8>) -> [UInt8] {
        SHA256.hash(data: body).prefix(4).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
}
