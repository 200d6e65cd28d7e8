// The proxy's journal: sessions and upstreams, written before what they describe is acknowledged.

import AgentSupport
import Logging
import Routing

/// Two directories under the runtime directory, with a file for each session and each upstream.
@AgentActor
final class ProxyJournal {
    private let sessions: JournalDirectory<SessionRecord>
    private let paths: JournalDirectory<PathRecord>
    private let logger: Logger
    /// The records that were written last: most requests change nothing that must be known after a restart.
    private var written: [String: SessionRecord] = [:]

    init(runtimeDirectory: String, logger: Logger) throws(RoutingError) {
        sessions = try JournalDirectory(directory: "\(runtimeDirectory)/rtsp/sessions")
        paths = try JournalDirectory(directory: "\(runtimeDirectory)/rtsp/upstreams")
        self.logger = logger
    }

    /// A session that cannot be written continues; it is lost with the daemon, which the log says.
    func write(_ record: SessionRecord) {
        guard written[record.name] != record else { return }
        written[record.name] = record
        attempt { () throws(RoutingError) in try sessions.write(record, as: record.name) }
    }

    func remove(session name: String) {
        if written.removeValue(forKey: name) != nil { sessions.remove(name) }
    }

    func write(_ record: PathRecord) {
        attempt { () throws(RoutingError) in try paths.write(record, as: record.routeName) }
    }

    func remove(path routeName: String) { paths.remove(routeName) }

    private func attempt(_ write: () throws(RoutingError) -> Void) {
        do throws(RoutingError) { try write() } catch { logger.error("\(error)") }
    }

    /// The records that an earlier daemon left.
    func read() -> (sessions: [SessionRecord], paths: [PathRecord]) {
        let (sessions, paths) = (sessions.read(), paths.read())
        for problem in sessions.problems + paths.problems { logger.warning("\(problem)") }
        for (name, record) in sessions.records { written[name] = record }
        return (sessions.records.map(\.record), paths.records.map(\.record))
    }
}
