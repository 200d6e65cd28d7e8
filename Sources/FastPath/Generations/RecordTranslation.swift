// From a record of one layout to the same record of another.

import Glibc

/// Copies what two layouts of a record have in common, by the names of fields.
///
/// A field keeps its meaning as long as it has its name, so that one of another meaning has another name. Numbers are
/// little-endian: a wider field gets zeros above, a narrower one the lower bits. Fields that the source does not have become 0.
struct RecordTranslation: Hashable, Sendable {
    private struct Move: Hashable, Sendable {
        var from: Int
        var to: Int
        var count: Int
    }

    let fromSize: Int
    let toSize: Int
    private var moves: [Move] = []

    /// The translation of a map's records; nil where one of the layouts does not have the map.
    init?(ofMap name: String, from: TableLayout, to: TableLayout) {
        guard let source = from.record(ofMap: name), let target = to.record(ofMap: name) else { return nil }
        fromSize = source.size
        toSize = target.size
        add(source, at: 0, of: from, target, at: 0, of: to, depth: 0)
    }

    private mutating func add(
        _ source: TableLayout.Record, at sourceOffset: Int, of from: TableLayout, _ target: TableLayout.Record,
        at targetOffset: Int, of to: TableLayout, depth: Int
    ) {
        for field in target.fields {
            guard let match = source.field(field.name) else { continue }
            let fromStart = sourceOffset + match.offset
            let toStart = targetOffset + field.offset
            if field.size == match.size, field.record == nil, match.record == nil {
                move(fromStart, toStart, min(field.count, match.count) * field.size)
            } else if let inner = field.record.flatMap({ to.records[$0] }),
                let otherInner = match.record.flatMap({ from.records[$0] })
            {
                // A text that nests a record in itself is nobody's layout.
                guard depth < 4 else { continue }
                for element in 0..<min(field.count, match.count) {
                    add(
                        otherInner, at: fromStart + element * match.size, of: from, inner,
                        at: toStart + element * field.size, of: to, depth: depth + 1)
                }
            } else if field.record == nil, match.record == nil {
                if field.count > 1, field.count == match.count {
                    for element in 0..<field.count {
                        move(
                            fromStart + element * match.size, toStart + element * field.size,
                            min(field.size, match.size))
                    }
                } else {
                    // One number, in whatever parts.
                    move(fromStart, toStart, min(field.count * field.size, match.count * match.size))
                }
            }
        }
    }

    private mutating func move(_ from: Int, _ to: Int, _ count: Int) {
        if let last = moves.last, last.from + last.count == from, last.to + last.count == to {
            moves[moves.count - 1].count += count
        } else {
            moves.append(Move(from: from, to: to, count: count))
        }
    }

    /// Writes the translation of the record at `from` to `to`, which has room for one record.
    func write(_ from: UnsafeRawPointer, to: UnsafeMutableRawPointer) {
        memset(to, 0, toSize)
        for move in moves { memcpy(to + move.to, from + move.from, move.count) }
    }
}
