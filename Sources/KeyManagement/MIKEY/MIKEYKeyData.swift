// A key as MIKEY carries it.

/// A key data sub-payload (RFC 3830 section 6.13).
public struct MIKEYKeyData: Hashable, Sendable {
    public enum Kind: UInt8, Hashable, Sendable {
        /// A TEK generation key: keys of streams are derived from it.
        case tgk = 0
        /// The key of a stream itself.
        case tek = 2
    }

    /// When, and by which name, a key holds (section 6.14).
    public enum Validity: Hashable, Sendable {
        case unlimited
        /// Packets name the key by this MKI, at most 255 bytes.
        case identifier([UInt8])
        /// From one packet index to another, each at most 255 bytes.
        case interval(from: [UInt8], to: [UInt8])
    }

    public var kind: Kind
    /// At most 65,535 bytes.
    public var key: [UInt8]
    /// At most 65,535 bytes; nil where none is carried.
    public var salt: [UInt8]?
    public var validity: Validity

    public init(kind: Kind, key: [UInt8], salt: [UInt8]? = nil, validity: Validity = .unlimited) {
        self.kind = kind
        self.key = key
        self.salt = salt
        self.validity = validity
    }

    /// Reads what follows the next payload's type.
    init(reading reader: inout MIKEYReader) throws(KeyManagementError) {
        let types = try reader.byte(of: "the type of a key")
        // The lower bit says whether there is a salt.
        guard let kind = Kind(rawValue: types >> 4 & 0b1110) else {
            throw KeyManagementError(.unsupported, "MIKEY: a key of the type \(types >> 4), which is not known")
        }
        self.kind = kind
        key = try reader.bytes(Int(reader.half(of: "the length of a key")), of: "a key")
        if types >> 4 & 1 != 0 {
            salt = try reader.bytes(Int(reader.half(of: "the length of a salt")), of: "a salt")
        }
        switch types & 0xf {
        case 0: validity = .unlimited
        case 1: validity = .identifier(try reader.bytes(Int(reader.byte(of: "the length of an MKI")), of: "an MKI"))
        case 2:
            let from = try reader.bytes(
                Int(reader.byte(of: "the length of a start")), of: "the start of a key's validity")
            let to = try reader.bytes(Int(reader.byte(of: "the length of an end")), of: "the end of a key's validity")
            validity = .interval(from: from, to: to)
        case let type:
            throw KeyManagementError(.unsupported, "MIKEY: a key's validity is of the type \(type), which is not known")
        }
    }

    /// Everything after the next payload's type.
    var bytes: [UInt8] {
        let validityType: UInt8 =
            switch validity {
            case .unlimited: 0
            case .identifier: 1
            case .interval: 2
            }
        var bytes = [(kind.rawValue | (salt == nil ? 0 : 1)) << 4 | validityType]
        bytes.append(half: key.count)
        bytes += key
        if let salt {
            bytes.append(half: salt.count)
            bytes += salt
        }
        func append(_ value: [UInt8]) {
            precondition(value.count <= 255, "a length of eight bits")
            bytes.append(UInt8(value.count))
            bytes += value
        }
        switch validity {
        case .unlimited: break
        case .identifier(let identifier): append(identifier)
        case .interval(let from, let to):
            append(from)
            append(to)
        }
        return bytes
    }
}

extension MIKEYKeyData: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Says how long it is, and nothing else.
    public var description: String { "a \(kind) of \(key.count) bytes" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
