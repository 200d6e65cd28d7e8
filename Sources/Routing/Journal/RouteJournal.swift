// Records of routes from which a restarted daemon continues.

import FoundationEssentials
import Glibc
import Journal

/// The place of a node's routes: a journal (`JournalLog`) in a folder of the runtime directory.
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

    func open() throws(RoutingError) -> RouteLog {
        do { return try RouteLog(JournalLog(path: "\(directory)/journal"), directory: directory) } catch {
            throw RoutingError(.unavailable, "\(error)")
        }
    }
}

/// The open journal of the routes.
final class RouteLog {
    private let log: JournalLog
    private let directory: String

    init(_ log: JournalLog, directory: String) {
        self.log = log
        self.directory = directory
    }

    /// The contents of the journal.
    struct Contents {
        var routes: [JournalledRoute] = []
        /// Configured routes that were removed at run time.
        var withdrawn: [String: RouteSpecification] = [:]
        /// Routes that this version does not understand, and why. Their records stay as they are.
        var unreadable: [String: String] = [:]
        /// A line for each damage.
        var problems: [String] = []
    }

    /// Reads every route, those of earlier versions' files included.
    func read() -> Contents {
        var contents = Contents()
        contents.problems = log.contents.problems.map { "journal \(log.path): \($0)" }
        var legs: [String: [LegRecord]] = [:]
        let values = log.contents.values.sorted { $0.key < $1.key }
        for (key, value) in values where key.kind == LegRecord.kind {
            let route = String(key.name.prefix { $0 != "/" })
            if let leg = decode(LegRecord.self, LegRecord.version, value, of: route, &contents) {
                legs[route, default: []].append(leg)
            }
        }
        for (key, value) in values {
            switch key.kind {
            case LegRecord.kind: break
            case RouteRecord.kind:
                guard let record = decode(RouteRecord.self, RouteRecord.version, value, of: key.name, &contents),
                    contents.unreadable[key.name] == nil
                else { continue }
                contents.routes.append(Self.route(record, legs[key.name] ?? []))
            case WithdrawnRecord.kind:
                let record = try? JSONDecoder().decode(WithdrawnRecord.self, from: Data(value.json))
                contents.withdrawn[key.name] = record?.route
            default: contents.problems.append("journal \(log.path): \(key): is of another version, and kept")
            }
        }
        readFilesOfRoutes(&contents)
        return contents
    }

    private static func route(_ record: RouteRecord, _ legs: [LegRecord]) -> JournalledRoute {
        let legs = legs.sorted { $0.number < $1.number }
        var specification = record.route
        specification.legs = legs.map(\.to)
        return JournalledRoute(
            intent: RouteIntent(
                id: record.id, specification: specification, owner: record.owner, configured: record.configured,
                revision: legs.compactMap(\.revision).reduce(record.revision, max), author: record.author),
            nextLegNumber: max(record.nextLegNumber, (legs.last?.number ?? 0) + 1),
            legs: legs)
    }

    private func decode<Record: Decodable>(
        _ type: Record.Type, _ version: Int, _ value: JournalValue, of route: String, _ contents: inout Contents
    ) -> Record? {
        guard value.version <= version else {
            contents.unreadable[route] = "its journal record has version \(value.version), newer than this program's"
            return nil
        }
        do { return try JSONDecoder().decode(type, from: Data(value.json)) } catch {
            contents.unreadable[route] = "its journal record is not understood: \(Self.text(error))"
            return nil
        }
    }

    private static func text(_ error: any Error) -> String {
        switch error {
        case let error as SpecificationError: "\(error)"
        case DecodingError.dataCorrupted(let context): context.debugDescription
        case DecodingError.keyNotFound(let key, _): "'\(key.stringValue)' is missing"
        default: "\(error)"
        }
    }

    // MARK: Writing

    /// Writes changes: all of them, or none.
    func append(_ changes: [JournalChange]) throws(RoutingError) {
        do { try log.append(changes) } catch { throw RoutingError(.failed, "\(error)") }
    }

    static func change(_ state: RouteState) throws(RoutingError) -> JournalChange {
        var route = state.specification
        route.legs = []
        let intent = state.intent
        return try change(
            RouteRecord.key(route.name), RouteRecord.version,
            RouteRecord(
                id: intent.id, revision: intent.revision, route: route, owner: intent.owner,
                configured: intent.configured, nextLegNumber: state.nextLegNumber, author: intent.author))
    }

    static func change(_ leg: LegState, of state: RouteState) throws(RoutingError) -> JournalChange {
        try change(
            LegRecord.key(leg.number, of: state.specification.name), LegRecord.version,
            leg.record(at: state.intent.revision))
    }

    static func withdrawal(of route: RouteSpecification) throws(RoutingError) -> JournalChange {
        try change(WithdrawnRecord.key(route.name), WithdrawnRecord.version, WithdrawnRecord(route: route))
    }

    private static func change(
        _ key: JournalKey, _ version: Int, _ record: some Encodable
    ) throws(RoutingError) -> JournalChange {
        guard let json = try? JSONEncoder().encode(record) else {
            throw RoutingError(.failed, "journal: \(key): cannot be encoded")
        }
        return JournalChange(key, JournalValue(version: version, json: Array(json)))
    }

    /// The changes that remove whatever the journal has of a route.
    func removal(of route: String) -> [JournalChange] {
        [JournalChange(RouteRecord.key(route), nil)]
            + log.contents.values.keys.filter { $0.kind == LegRecord.kind && $0.name.hasPrefix("\(route)/") }
            .map { JournalChange($0, nil) }
    }

    /// Forgets a route that this version does not understand.
    func discard(unreadable route: String) throws(RoutingError) {
        try append(removal(of: route))
        unlink(path(route))
    }

    /// True where the journal says that the route was removed.
    func wasRemoved(_ route: String) -> Bool { log.contents.removed.contains(RouteRecord.key(route)) }

    /// Forgets removed routes: they are gone from the fast path.
    func forgetRemoved() { log.forgetRemoved() }
}

// MARK: Files of earlier versions

extension RouteLog {
    /// A route as versions before the journal kept it: a JSON object in a file of its own, and a line for each change of a leg.
    private struct RouteFile: Decodable {
        var route: RouteSpecification
        var owner: RouteOwner
        var nextLegNumber: UInt32
        var legs: [LegRecord]

        mutating func apply(_ change: Change) {
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
        }

        enum Change: Decodable {
            case leg(LegRecord)
            case removed(UInt32)
        }
    }

    private func path(_ route: String) -> String { "\(directory)/\(route).json" }

    /// Reads the files of earlier versions, and writes them into the journal. A file that is not understood stays where it is.
    private func readFilesOfRoutes(_ contents: inout Contents) {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
        var found: [JournalledRoute] = []
        for file in names where file.hasSuffix(".json") {
            let name = String(file.dropLast(5))
            guard log.contents.values[RouteRecord.key(name)] == nil else { continue }
            do {
                found.append(try readFile(of: name))
            } catch {
                contents.unreadable[name] = "its file \(path(name)) is not understood: \(Self.text(error))"
            }
        }
        contents.routes += found
        do throws(RoutingError) {
            for route in found { try take(over: route) }
        } catch {
            contents.problems.append("\(error)")
        }
    }

    private func readFile(of name: String) throws -> JournalledRoute {
        let lines = try Data(contentsOf: URL(filePath: path(name))).split(separator: UInt8(ascii: "\n"))
        var file = try JSONDecoder().decode(RouteFile.self, from: lines.first ?? Data())
        for line in lines.dropFirst() {
            // A line that was cut off is of a change that was never acknowledged.
            if let change = try? JSONDecoder().decode(RouteFile.Change.self, from: line) { file.apply(change) }
        }
        file.route.legs = file.legs.map(\.to)
        return JournalledRoute(
            intent: RouteIntent(specification: file.route, owner: file.owner), nextLegNumber: file.nextLegNumber,
            legs: file.legs)
    }

    private func take(over route: JournalledRoute) throws(RoutingError) {
        var state = RouteState(intent: route.intent, parameters: route.intent.specification.flowParameters)
        state.nextLegNumber = route.nextLegNumber
        let name = route.intent.specification.name
        var changes = [try Self.change(state)]
        for leg in route.legs {
            changes.append(try Self.change(LegRecord.key(leg.number, of: name), LegRecord.version, leg))
        }
        try append(changes)
        unlink(path(name))
    }
}
