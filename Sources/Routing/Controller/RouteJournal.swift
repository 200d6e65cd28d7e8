// What a restarted daemon must know to go on: one file per route in the runtime directory.

import FoundationEssentials
import Glibc

/// One route as the journal keeps it.
struct JournalEntry: Codable, Hashable {
    struct Leg: Codable, Hashable {
        var number: UInt32
        var to: LegSpecification
        var counter: UInt32
    }

    var route: RouteSpecification
    var owner: RouteOwner
    var nextLegNumber: UInt32
    var legs: [Leg]
}

/// Writes each route's state before its effect is acknowledged, and reads them all at a start.
public struct RouteJournal: Sendable {
    private let directory: String

    /// A journal in `directory`, which is made with mode 0700 if need be.
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

    func write(_ entry: JournalEntry) throws(RoutingError) {
        let path = path(entry.route.name)
        do {
            // Renamed into place: a reader finds the old file or the new one, never half of one.
            try JSONEncoder().encode(entry).write(to: URL(filePath: path), options: .atomic)
            chmod(path, 0o600)
        } catch {
            throw RoutingError(.failed, "journal \(path): cannot be written; check space and mode: \(error)")
        }
    }

    func remove(_ name: String) { unlink(path(name)) }

    /// Every route that is in the journal, by name, and a line for each file that cannot be read.
    func read() -> (entries: [JournalEntry], problems: [String]) {
        var entries: [JournalEntry] = []
        var problems: [String] = []
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
        for name in names where name.hasSuffix(".json") {
            do {
                let data = try Data(contentsOf: URL(filePath: "\(directory)/\(name)"))
                entries.append(try JSONDecoder().decode(JournalEntry.self, from: data))
            } catch {
                problems.append("journal \(directory)/\(name): cannot be read, the route is not taken over: \(error)")
            }
        }
        return (entries, problems)
    }
}
