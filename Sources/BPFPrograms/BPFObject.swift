// The compiled BPF programs that the binary carries.

/// One compiled BPF object: an ELF file for libbpf to load.
public struct BPFObject: Sendable {
    /// The name of its source without `.bpf.c`.
    public let name: String
    /// The first digits of the object's SHA-256: equal programs have equal versions.
    public let version: String
    /// The ELF file.
    public let bytes: [UInt8]

    init(name: String, version: String, base64: StaticString) {
        self.name = name
        self.version = version
        self.bytes = base64.withUTF8Buffer(Self.decode)
    }

    /// The same programs under another version: what an upgrade looks like to the fast path, for its tests.
    package init(_ object: BPFObject, version: String) {
        name = object.name
        bytes = object.bytes
        self.version = version
    }

    /// Other programs in place of an object's: what a benchmark compares.
    package init(_ object: BPFObject, version: String, bytes: [UInt8]) {
        name = object.name
        self.version = version
        self.bytes = bytes
    }

    /// Decodes what `scripts/embed-bpf` encoded (RFC 4648 section 4); anything outside the alphabet is passed over.
    private static func decode(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var accumulated: UInt32 = 0
        var bits = 0
        for character in text {
            let value: UInt8
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = character - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = character - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: continue
            }
            accumulated = accumulated << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: accumulated >> UInt32(bits)))
            }
        }
        return bytes
    }
}
