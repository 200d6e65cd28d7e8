// Descriptions of sources.

/// Source descriptions (RFC 3550 section 6.5).
public struct SourceDescription: Hashable, Sendable {
    /// The description of one source by itself.
    public struct Chunk: Hashable, Sendable {
        public var ssrc: UInt32
        public var items: [Item]

        public init(ssrc: UInt32, items: [Item]) {
            self.ssrc = ssrc
            self.items = items
        }
    }

    /// One thing that it says: UTF-8, at most 255 bytes.
    public struct Item: Hashable, Sendable {
        /// 1 to 255.
        public var type: UInt8
        public var value: [UInt8]

        /// The name that stays the same when the SSRC changes (section 6.5.1).
        public static let canonicalNameType: UInt8 = 1

        public init(type: UInt8, value: [UInt8]) {
            self.type = type
            self.value = value
        }

        /// A canonical name: `user@host`, or `host`.
        public static func canonicalName(_ name: String) -> Item {
            Item(type: canonicalNameType, value: Array(name.utf8.prefix(255)))
        }
    }

    /// 31 at most.
    public var chunks: [Chunk]

    public init(chunks: [Chunk]) { self.chunks = chunks }

    init?(_ reader: inout WireReader, count: Int) {
        chunks = []
        for _ in 0..<count {
            guard let ssrc = reader.word() else { return nil }
            let start = reader.rest.count
            var items: [Item] = []
            while true {
                guard let type = reader.byte() else { return nil }
                if type == 0 { break }
                guard let length = reader.byte(), let value = reader.bytes(Int(length)) else { return nil }
                items.append(Item(type: type, value: Array(value)))
            }
            // Zeros up to the next word; the packet is whole words, so they are there.
            guard reader.bytes(-(start - reader.rest.count) & 3) != nil else { return nil }
            chunks.append(Chunk(ssrc: ssrc, items: items))
        }
    }

    func write(to bytes: inout [UInt8]) {
        for chunk in chunks {
            bytes.append(word: chunk.ssrc)
            for item in chunk.items where item.type != 0 {
                let value = item.value.prefix(255)
                bytes += [item.type, UInt8(value.count)] + value
            }
            bytes.append(0)
            bytes.padToWord()
        }
    }

    /// The canonical name of a source; nil if it is not in here.
    public func canonicalName(of ssrc: UInt32) -> String? {
        let items = chunks.first { $0.ssrc == ssrc }?.items
        return items?.first { $0.type == Item.canonicalNameType }.map { String(decoding: $0.value, as: UTF8.self) }
    }
}
