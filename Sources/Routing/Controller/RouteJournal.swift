// What a restarted daemon must know to go on: one file per route in the runtime directory, with a line for each change.

import FoundationEssentials
import Glibc

/// One route as the journal keeps it.
struct JournalEntry: Codable, Hashable {
    struct Leg: Codable, Hashable {
        var number: UInt32
        var to: LegSpecification
        var counter: UInt32
        /// Whether it was added shut; the fast path knows whether its session has opened it since.
        var isShut: Bool?
    }

    var route: RouteSpecification
    var owner: RouteOwner
    var nextLegNumber: UInt32
    var legs: [Leg]

    mutating func apply(_ change: JournalChange) {
        switch change {
        case .leg(let leg):
            if let index = legs.firstIndex(where: { $0.number == leg.number }) {
                legs[index] = leg
            } else {
                legs.append(leg)
                nextLegNumber = max(nextLegNumber, leg.number + 1)
            }
        case .removed(let number): legs.removeAll { $0.number == number }
        }
        route.legs = legs.map(\.to)
    }
}

/// One change of a route's legs: what is appended instead of writing a route with hundreds of legs anew.
enum JournalChange: Codable, Hashable {
    /// The leg is new, or replaces the one of its number.
    case leg(JournalEntry.Leg)
    /// The leg of that number is gone.
    case removed(UInt32)
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
            try JournalFile.write(try JSONEncoder().encode(entry), to: path)
        } catch {
            throw RoutingError(.failed, "journal \(path): cannot be written; check space and mode: \(error)")
        }
    }

    /// Appends a change to a route that was written before.
    func append(_ change: JournalChange, to name: String) throws(RoutingError) {
        let path = path(name)
        let file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard file >= 0 else {
            throw RoutingError(.failed, "journal \(path): cannot be written; check its mode: \(SystemError(errno))")
        }
        defer { close(file) }
        // The line's end stands first, so that what a crash cut off spoils no other line.
        guard let line = try? JSONEncoder().encode(change) else {
            throw RoutingError(.failed, "journal \(path): a leg cannot be encoded")
        }
        let bytes = [UInt8(ascii: "\n")] + line
        guard Glibc.write(file, bytes, bytes.count) == bytes.count else {
            throw RoutingError(.failed, "journal \(path): cannot be written; check space and mode")
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
                let lines = data.split(separator: UInt8(ascii: "\n"))
                var entry = try JSONDecoder().decode(JournalEntry.self, from: lines.first ?? Data())
                for line in lines.dropFirst() {
                    // A line that was cut off tells of a change that nobody was told of.
                    guard let change = try? JSONDecoder().decode(JournalChange.self, from: line) else { continue }
                    entry.apply(change)
                }
                entries.append(entry)
            } catch {
                problems.append("journal \(directory)/\(name): cannot be read, the route is not taken over: \(error)")
            }
        }
        return (entries, problems)
    }
}
