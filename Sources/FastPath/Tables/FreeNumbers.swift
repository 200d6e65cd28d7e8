// Free numbers of a range, as bits.

/// A set of small numbers that knows its lowest one.
///
/// A user that always takes that one keeps the numbers in use at the front of its array, and what was made together
/// lies together: thousands of flows share fewer cache lines and pages than if they were scattered.
struct FreeNumbers {
    private var words: [UInt64]
    /// The first word that has a bit; behind the last one where none has.
    private var firstWord: Int
    private(set) var count = 0

    /// None of `0..<capacity`.
    init(capacity: Int) {
        words = Array(repeating: 0, count: (capacity + 63) / 64)
        firstWord = words.count
    }

    /// The lowest; nil when there is none.
    var first: Int? {
        firstWord < words.count ? firstWord * 64 + words[firstWord].trailingZeroBitCount : nil
    }

    /// Adds `number`, which is not in the set.
    mutating func insert(_ number: Int) {
        words[number / 64] |= 1 << UInt64(number % 64)
        firstWord = min(firstWord, number / 64)
        count += 1
    }

    /// Removes `number`; false when it is not in the set.
    mutating func remove(_ number: Int) -> Bool {
        let bit: UInt64 = 1 << UInt64(number % 64)
        guard words[number / 64] & bit != 0 else { return false }
        words[number / 64] &= ~bit
        while firstWord < words.count, words[firstWord] == 0 { firstWord += 1 }
        count -= 1
        return true
    }
}
