// Content of the bytes of a journal, damaged or not.

/// The state that a journal's lines lead to.
public struct JournalContents: Equatable, Sendable {
    /// The value that each key has.
    public private(set) var values: [JournalKey: JournalValue] = [:]
    /// Keys that had a value and were removed: what is found of them was on its way out.
    public private(set) var removed: Set<JournalKey> = []
    /// A line for each damage, for a person.
    public private(set) var problems: [String] = []
    /// The number of bytes up to the end of the last whole batch; what follows was cut off.
    public private(set) var wholeLength = 0

    public init() {}

    /// Reads the bytes of a journal. A damaged line is left out alone, and a batch that is cut off at the end is left out as a whole.
    public init(_ bytes: [UInt8]) {
        var number = 0
        var batch: (missing: Int, changes: [JournalChange]) = (0, [])
        var start = 0
        while start < bytes.count {
            number += 1
            guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else {
                problems.append("line \(number) is cut off and left out")
                break
            }
            let line = JournalLine(bytes[start..<end])
            start = end + 1
            switch line {
            case .batch(let count):
                if batch.missing > 0 { batch.changes.forEach { take($0) } }
                batch = (count, [])
                continue
            case .change(let change): batch.changes.append(change)
            case nil: problems.append("line \(number) is damaged and left out")
            }
            batch.missing -= 1
            guard batch.missing <= 0 else { continue }
            batch.changes.forEach { take($0) }
            batch = (0, [])
            wholeLength = start
        }
        if batch.missing > 0 { problems.append("the last change is cut off and left out: its batch is not complete") }
    }

    /// Makes one change.
    mutating func take(_ change: JournalChange) {
        if let value = change.value {
            values[change.key] = value
            removed.remove(change.key)
        } else {
            values[change.key] = nil
            removed.insert(change.key)
        }
    }

    /// The bytes of a journal that says the same; of what was removed, only what has not been forgotten. Each record is a batch of its own, so that damage to one is
    /// no other's.
    func compacted() -> [UInt8] {
        var bytes: [UInt8] = []
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            bytes += JournalLine.batch(1).bytes
            bytes += JournalLine.change(JournalChange(key, value)).bytes
        }
        for key in removed.sorted() {
            bytes += JournalLine.batch(1).bytes
            bytes += JournalLine.change(JournalChange(key, nil)).bytes
        }
        return bytes
    }

    /// The removed keys need no memory any more: what they named is gone.
    mutating func forgetRemoved() { removed.removeAll() }
}
