// Fields of MIKEY, read one after the other.

/// Reads from the front of bytes; throws where there are too few.
struct MIKEYReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// - Parameter field: what is read, for the error.
    mutating func bytes(_ count: Int, of field: String) throws(KeyManagementError) -> [UInt8] {
        guard rest.count >= count else {
            throw KeyManagementError(.malformed, "MIKEY: \(field) wants \(count) bytes where \(rest.count) are left")
        }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    mutating func byte(of field: String) throws(KeyManagementError) -> UInt8 {
        guard let byte = rest.popFirst() else {
            throw KeyManagementError(.malformed, "MIKEY: \(field) is missing: the message ends before it")
        }
        return byte
    }

    mutating func half(of field: String) throws(KeyManagementError) -> UInt16 {
        try bytes(2, of: field).reduce(0) { $0 << 8 | UInt16($1) }
    }

    mutating func word(of field: String) throws(KeyManagementError) -> UInt32 {
        try bytes(4, of: field).reduce(0) { $0 << 8 | UInt32($1) }
    }
}

extension [UInt8] {
    mutating func append(half value: Int) {
        precondition(0...0xffff ~= value, "a length of 16 bits")
        append(contentsOf: [UInt8(value >> 8), UInt8(value & 0xff)])
    }

    mutating func append(word value: UInt32) {
        append(half: Int(value >> 16))
        append(half: Int(value & 0xffff))
    }
}
