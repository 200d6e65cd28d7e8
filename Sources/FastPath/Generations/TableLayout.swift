// Layout of the records of one generation's tables in memory, as text that later and earlier versions can read.

import CLibBPF
import CrosspointShim
import Glibc

/// The records of a generation's tables: sizes, and the names and places of their fields.
///
/// Comes from the BTF of the programs that use them, and is pinned beside the tables, so that another version can carry over
/// what it finds without having the header. The text's lines are `abi NUMBER`, `map NAME RECORD`, `record RECORD BYTES`,
/// `field NAME OFFSET BYTES COUNT [RECORD]` (of the record above) and `reason NUMBER NAME`. A reader passes over lines of other kinds: later
/// versions may add some, and must not change these.
struct TableLayout: Hashable, Sendable {
    /// One field of a record; an array has several elements.
    struct Field: Hashable, Sendable {
        var name: String
        /// Bytes from the record's beginning.
        var offset: Int
        /// Bytes of one element.
        var size: Int
        var count: Int
        /// The record that an element is; nil for a number.
        var record: String?
    }

    struct Record: Hashable, Sendable {
        var size: Int
        var fields: [Field] = []

        func field(_ name: String) -> Field? { fields.first { $0.name == name } }
    }

    /// The version of the layout (`CROSSPOINT_ABI_VERSION`).
    var version: UInt32
    /// The names of the records by the names of the arrays that hold them.
    var maps: [String: String] = [:]
    var records: [String: Record] = [:]
    /// The names of reasons by their numbers.
    var reasons: [Int: String] = [:]

    /// Reads a text; nil where it is none.
    init?(text: String) {
        version = 0
        var record = ""
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            let numbers = words.map { Int($0) }
            switch (words.first, words.count) {
            case ("abi", 2): version = UInt32(words[1]) ?? 0
            case ("map", 3): maps[words[1]] = words[2]
            case ("record", 3):
                guard let size = numbers[2], size > 0 else { return nil }
                record = words[1]
                records[record] = Record(size: size)
            case ("field", 5...6):
                guard let offset = numbers[2], let size = numbers[3], let count = numbers[4],
                    let known = records[record], offset >= 0, size > 0, count > 0,
                    // In this order no sum and no product can be too large.
                    size <= known.size, offset <= known.size - size, count <= (known.size - offset) / size
                else { return nil }
                records[record]?.fields.append(
                    Field(
                        name: words[1], offset: offset, size: size, count: count,
                        record: words.count == 6 ? words[5] : nil))
            case ("reason", 3):
                guard let number = numbers[1] else { return nil }
                reasons[number] = words[2]
            default: break
            }
        }
        guard version != 0, isWhole else { return nil }
    }

    /// True if every map's record is described, and fields that are records have their sizes.
    private var isWhole: Bool {
        maps.values.allSatisfy { records[$0] != nil }
            && records.values.allSatisfy { record in
                record.fields.allSatisfy { field in field.record.map { records[$0]?.size == field.size } ?? true }
            }
    }

    /// The text of an opened object's layout.
    static func text(of object: OpaquePointer, version: UInt32) -> String {
        var room = [CChar](repeating: 0, count: crosspoint_bpf_describe_maps(object, nil, 0) + 1)
        let length = crosspoint_bpf_describe_maps(object, &room, room.count)
        var text = "abi \(version)\n"
        text += String(decoding: room.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
        for reason in DropReason.all { text += "reason \(reason.number) \(reason.name)\n" }
        return text
    }

    /// The record of a map.
    func record(ofMap name: String) -> Record? { maps[name].flatMap { records[$0] } }

    /// True if two layouts have the same record for a map, down to the fields of records in it.
    func hasSameRecord(_ map: String, as other: TableLayout) -> Bool {
        guard let one = maps[map], let two = other.maps[map] else { return false }
        return isSame(one, as: two, of: other)
    }

    private func isSame(_ name: String, as otherName: String, of other: TableLayout) -> Bool {
        guard let one = records[name], let two = other.records[otherName], one.size == two.size,
            one.fields.count == two.fields.count
        else { return false }
        return zip(one.fields, two.fields).allSatisfy { field, match in
            guard field.name == match.name, field.offset == match.offset, field.size == match.size,
                field.count == match.count
            else { return false }
            switch (field.record, match.record) {
            case (nil, nil): return true
            case (let inner?, let otherInner?): return isSame(inner, as: otherInner, of: other)
            default: return false
            }
        }
    }

    /// True if every reason that both layouts have has the same number in both.
    func hasSameReasons(as other: TableLayout) -> Bool {
        reasons.allSatisfy { number, name in other.reasons[number].map { $0 == name } ?? true }
    }
}
