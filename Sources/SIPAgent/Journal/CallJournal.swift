// The journal of calls: written before the message that makes a change known.

import AgentSupport
import FoundationEssentials
import Glibc
import Logging
import Routing

/// One file that is only ever added to, a line for each change of a call and for its end: a call costs three short writes. When most of
/// the file is past, what holds is written into a new one.
@AgentActor
final class CallJournal {
    /// The position of a call's latest record in the file.
    private struct Place {
        var offset: Int
        var length: Int
    }

    private let path: String
    private let logger: Logger
    private var descriptor: Int32 = -1
    private var size = 0
    private var places: [String: Place] = [:]
    private var heldBytes = 0
    private let encoder = JSONEncoder()
    /// One line is enough to say that the disk is full.
    private var hasFailed = false

    /// Below this size a file is not worth being written again.
    private static let smallest = 1 << 20

    /// - Throws: that the directory cannot be made, or the file not be opened.
    init(runtimeDirectory: String, logger: Logger) throws(RoutingError) {
        let directory = "\(runtimeDirectory)/sip"
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw RoutingError(
                .unavailable, "journal \(directory): cannot be made; check the runtime directory's owner and mode")
        }
        path = "\(directory)/calls.journal"
        self.logger = logger
        try open()
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private func open() throws(RoutingError) {
        descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw RoutingError(
                .unavailable, "journal \(path): \(String(cString: strerror(errno))); check owner and mode")
        }
    }

    // MARK: Reading

    /// The calls that an earlier daemon left, once, before anything is written. A last line without an end was being written when it
    /// died, and describes nothing that anybody has learned of. The content that is read holds until it is written
    /// again or removed.
    func read() -> [JournalledCall] {
        guard let data = try? Data(contentsOf: URL(filePath: path)) else { return [] }
        var records: [String: JournalledCall] = [:]
        let decoder = JSONDecoder()
        let end = data.lastIndex(of: 0x0a).map { $0 + 1 } ?? data.startIndex
        for line in data[..<end].split(separator: 0x0a) {
            guard let sign = line.first else { continue }
            let content = line.dropFirst()
            if sign == UInt8(ascii: "-") {
                let name = String(decoding: content, as: UTF8.self)
                records[name] = nil
                forget(name)
            } else if let record = Self.record(sign, Data(content), decoder) {
                records[record.name] = record
                note(record.name, Place(offset: line.startIndex - data.startIndex, length: line.count + 1))
            } else {
                logger.error("journal \(path): a line cannot be read and is not taken over")
            }
        }
        size = end - data.startIndex
        ftruncate(descriptor, off_t(size))
        return records.values.sorted { $0.startedAt < $1.startedAt }
    }

    private static func record(_ sign: UInt8, _ content: Data, _ decoder: JSONDecoder) -> JournalledCall? {
        switch sign {
        case JournalledCall.answeredSign:
            (try? decoder.decode(CallRecord.self, from: content)).map { .answered($0) }
        case JournalledCall.unansweredSign:
            (try? decoder.decode(UnansweredCallRecord.self, from: content)).map { .unanswered($0) }
        default: nil
        }
    }

    // MARK: Writing

    /// Writes a call's record. A call that cannot be written continues; it is lost with the daemon, which the log says.
    func write(_ record: CallRecord) {
        if let data = try? encoder.encode(record) { write(record.name, JournalledCall.answeredSign, data) }
    }

    /// The same of a call that nobody has answered yet.
    func write(_ record: UnansweredCallRecord) {
        if let data = try? encoder.encode(record) { write(record.name, JournalledCall.unansweredSign, data) }
    }

    private func write(_ name: String, _ sign: UInt8, _ data: Data) {
        var line = [UInt8](unsafeUninitializedCapacity: data.count + 2) { buffer, count in
            buffer[0] = sign
            _ = data.copyBytes(to: UnsafeMutableBufferPointer(rebasing: buffer[1...]))
            buffer[data.count + 1] = 0x0a
            count = data.count + 2
        }
        let offset = size
        guard append(&line) else { return }
        note(name, Place(offset: offset, length: line.count))
        compactIfWorthwhile()
    }

    /// The call is over.
    func remove(_ name: String) {
        guard places[name] != nil else { return }
        forget(name)
        var line = Array("-\(name)\n".utf8)
        _ = append(&line)
        compactIfWorthwhile()
    }

    private func note(_ name: String, _ place: Place) {
        forget(name)
        places[name] = place
        heldBytes += place.length
    }

    private func forget(_ name: String) {
        if let place = places.removeValue(forKey: name) { heldBytes -= place.length }
    }

    private func append(_ line: inout [UInt8]) -> Bool {
        let written = line.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard written == line.count else {
            if !hasFailed { logger.error("journal \(path): cannot be written: \(String(cString: strerror(errno)))") }
            hasFailed = true
            // Half a line would take the next one with it.
            if written > 0 { ftruncate(descriptor, off_t(size)) }
            return false
        }
        hasFailed = false
        size += line.count
        return true
    }

    /// Writes what holds into a new file, which takes the place of the old one at once.
    private func compactIfWorthwhile() {
        guard size > Self.smallest, size > heldBytes * 4 else { return }
        let temporary = path + ".new"
        let file = Glibc.open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        var moved: [String: Place] = [:]
        var bytes: [UInt8] = []
        for (name, place) in places {
            let line = [UInt8](unsafeUninitializedCapacity: place.length) { buffer, count in
                count = max(0, pread(descriptor, buffer.baseAddress, place.length, off_t(place.offset)))
            }
            guard line.count == place.length else { continue }
            moved[name] = Place(offset: bytes.count, length: place.length)
            bytes += line
        }
        let written = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        guard written == bytes.count, rename(temporary, path) == 0 else {
            close(file)
            unlink(temporary)
            return
        }
        close(descriptor)
        descriptor = file
        places = moved
        size = bytes.count
        heldBytes = bytes.count
    }
}
