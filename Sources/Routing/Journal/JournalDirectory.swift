// Records from which a restarted daemon continues: one file per record.

import FoundationEssentials
import Glibc

/// A directory of records, each in a JSON file of its own with mode 0600, which is written before the effect that it describes
/// is acknowledged. A reader finds the old record or the new one, never half of one.
public struct JournalDirectory<Record: Codable & Sendable>: Sendable {
    private let directory: String

    /// The records in `directory`, which is made with mode 0700 if need be.
    public init(directory: String) throws(RoutingError) {
        self.directory = directory
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw RoutingError(
                .unavailable, "journal \(directory): cannot be made; check the runtime directory's owner and mode")
        }
    }

    private func path(_ name: String) -> String { "\(directory)/\(name).json" }

    /// Writes the record of the name, which is a file name without `/`.
    public func write(_ record: Record, as name: String) throws(RoutingError) {
        let path = path(name)
        do {
            try JournalFile.write(try JSONEncoder().encode(record), to: path)
        } catch {
            throw RoutingError(.failed, "journal \(path): cannot be written; check space and mode: \(error)")
        }
    }

    public func remove(_ name: String) { unlink(path(name)) }

    /// Every record that can be read, by name, and a line for each that cannot.
    public func read() -> (records: [(name: String, record: Record)], problems: [String]) {
        var records: [(name: String, record: Record)] = []
        var problems: [String] = []
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
        for name in names where name.hasSuffix(".json") {
            do {
                let data = try Data(contentsOf: URL(filePath: "\(directory)/\(name)"))
                records.append((String(name.dropLast(5)), try JSONDecoder().decode(Record.self, from: data)))
            } catch {
                problems.append("journal \(directory)/\(name): cannot be read and is not taken over: \(error)")
            }
        }
        return (records, problems)
    }
}
