// Sources that leave.

/// A BYE packet (RFC 3550 section 6.6).
public struct Goodbye: Hashable, Sendable {
    /// The sources that leave; 31 at most.
    public var ssrcs: [UInt32]
    /// The reason, as UTF-8, at most 255 bytes; nil if it is not said.
    public var reason: [UInt8]?

    public init(ssrcs: [UInt32], reason: String? = nil) {
        self.ssrcs = ssrcs
        self.reason = reason.map { Array($0.utf8.prefix(255)) }
    }

    init?(_ reader: inout WireReader, count: Int) {
        guard reader.rest.count >= count * 4 else { return nil }
        ssrcs = (0..<count).compactMap { _ in reader.word() }
        guard let length = reader.byte() else { return }
        guard let text = reader.bytes(Int(length)) else { return nil }
        reason = Array(text)
    }

    func write(to bytes: inout [UInt8]) {
        for ssrc in ssrcs { bytes.append(word: ssrc) }
        guard let text = reason?.prefix(255) else { return }
        bytes += [UInt8(text.count)] + text
        bytes.padToWord()
    }
}
