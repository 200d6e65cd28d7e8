// Reads and writes captures: classic pcap files, in either byte order, with micro- or nanoseconds.

import Glibc

/// The packets of a capture.
public struct CaptureFile: Sendable {
    /// One captured frame.
    public struct Record: Sendable, Hashable {
        /// Nanoseconds since the epoch.
        public var time: UInt64
        /// The bytes that were kept.
        public var bytes: [UInt8]
        /// How many there were on the wire.
        public var originalLength: Int

        public init(time: UInt64, bytes: [UInt8]) {
            self.time = time
            self.bytes = bytes
            originalLength = bytes.count
        }
    }

    /// Why a capture could not be read.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    public var records: [Record]

    public init(records: [Record]) { self.records = records }

    /// Reads a classic pcap file of Ethernet frames.
    public init(path: String) throws {
        let data = try Self.contents(path)
        guard data.count >= 24 else { throw Failure(description: "\(path): too short for a capture") }
        let magic = data.bigEndian(at: 0, as: UInt32.self)
        let isLittle = [0x4d3c_b2a1, 0xd4c3_b2a1].contains(magic)
        guard isLittle || [0xa1b2_3c4d, 0xa1b2_c3d4].contains(magic) else {
            throw Failure(description: "\(path): not a classic pcap file")
        }
        let isNanoseconds = [0x4d3c_b2a1, 0xa1b2_3c4d].contains(magic)
        func number(_ offset: Int) -> UInt32 {
            let value = data.bigEndian(at: offset, as: UInt32.self)
            return isLittle ? value.byteSwapped : value
        }
        guard number(20) & 0xffff == 1 else { throw Failure(description: "\(path): not Ethernet") }
        records = []
        var offset = 24
        while offset + 16 <= data.count {
            let kept = Int(number(offset + 8))
            guard offset + 16 + kept <= data.count else { throw Failure(description: "\(path): cut off") }
            let fraction = UInt64(number(offset + 4)) * (isNanoseconds ? 1 : 1000)
            var record = Record(
                time: UInt64(number(offset)) * 1_000_000_000 + fraction,
                bytes: Array(data[offset + 16..<offset + 16 + kept]))
            record.originalLength = Int(number(offset + 12))
            records.append(record)
            offset += 16 + kept
        }
    }

    /// Writes a classic pcap file with nanoseconds.
    public func write(to path: String) throws {
        var data: [UInt8] = []
        data.append(bigEndian: UInt32(0xa1b2_3c4d))
        data.append(bigEndian: UInt16(2))
        data.append(bigEndian: UInt16(4))
        for number: UInt32 in [0, 0, 65535, 1] { data.append(bigEndian: number) }
        for record in records {
            data.append(bigEndian: UInt32(record.time / 1_000_000_000))
            data.append(bigEndian: UInt32(record.time % 1_000_000_000))
            data.append(bigEndian: UInt32(record.bytes.count))
            data.append(bigEndian: UInt32(record.originalLength))
            data += record.bytes
        }
        guard let file = fopen(path, "wb") else { throw SystemFailure("open \(path)") }
        defer { fclose(file) }
        guard fwrite(data, 1, data.count, file) == data.count else { throw SystemFailure("write \(path)") }
    }

    private static func contents(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "rb") else { throw SystemFailure("open \(path)") }
        defer { fclose(file) }
        fseek(file, 0, SEEK_END)
        let size = ftell(file)
        rewind(file)
        var bytes = [UInt8](repeating: 0, count: size)
        guard fread(&bytes, 1, size, file) == size else { throw SystemFailure("read \(path)") }
        return bytes
    }
}
