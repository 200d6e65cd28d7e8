// Numbers in network byte order, read and written one after the other.

/// Reads from the front of bytes; nil where there are too few.
struct WireReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func byte() -> UInt8? { rest.popFirst() }

    mutating func word() -> UInt32? { bytes(4)?.reduce(0) { $0 << 8 | UInt32($1) } }
}

extension [UInt8] {
    mutating func append(half value: UInt16) { append(contentsOf: [UInt8(value >> 8), UInt8(value & 0xff)]) }

    mutating func append(word value: UInt32) {
        append(half: UInt16(value >> 16))
        append(half: UInt16(truncatingIfNeeded: value))
    }

    /// Adds zeros up to a multiple of four bytes.
    mutating func padToWord() { append(contentsOf: repeatElement(0, count: -count & 3)) }
}
