// One session of a player or a publisher, with what carries its media.

import AgentSupport
import FoundationEssentials
import RTSPCore
import Sessions
import Timing

/// The state of a session (`core`) and the deliveries that it owns.
@AgentActor
final class ProxySession {
    /// The name by which operators refer to it: its identifier is a secret.
    let name: String
    let path: Path
    var core: ServerSession
    /// A player's.
    var deliveries: [Int: any StreamDelivery] = [:]
    /// A publisher's.
    let publisher: PublisherSource?
    /// The connection that used it last.
    weak var connection: ClientConnection? { didSet { wasConnected = wasConnected || connection != nil } }
    private var wasConnected = false
    /// True once its peer's connection is closed. A session that an earlier daemon left had none in this one.
    var isDisconnected: Bool { wasConnected && connection?.isClosed ?? true }
    /// The connection that began it.
    weak var origin: ClientConnection?
    /// The connection that its interleaved streams are on.
    weak var carrier: ClientConnection?
    var agent: String?
    private(set) var isEnded = false
    private var notes: [String] = []
    private let startedAt: String
    /// The number of packets of a publisher on UDP when it was looked at last.
    var seenPackets: UInt64 = 0

    /// The requests that wait for the one that is carried out to be done.
    private var isBusy = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(
        name: String, path: Path, core: ServerSession, publisher: PublisherSource? = nil,
        startedAt: String = Date.now.formatted(.iso8601)
    ) {
        self.startedAt = startedAt
        self.name = name
        self.path = path
        self.core = core
        self.publisher = publisher
    }

    /// Waits until nothing else is done with the session; `unlock` lets the next one.
    func lock() async {
        guard isBusy else {
            isBusy = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func unlock() {
        if waiting.isEmpty { isBusy = false } else { waiting.removeFirst().resume() }
    }

    /// False when it had ended already.
    func markEnded() -> Bool {
        defer { isEnded = true }
        return !isEnded
    }

    static let maximumNotes = 16

    /// Keeps what an operator should know; the latest ones.
    func note(_ text: String) {
        notes.append(text)
        if notes.count > Self.maximumNotes { notes.removeFirst() }
    }

    func report(now: UInt64) -> SessionReport {
        SessionReport(
            name: name, kind: core.role == .player ? .rtspPlayer : .rtspPublisher, state: core.state.rawValue,
            target: path.path, peer: connection?.peerText ?? "\(core.peer)", user: core.user, agent: agent,
            startedAt: startedAt,
            expiresIn: core.deadline.map { Double(Deadline(at: $0).remaining(at: now)) / 1e9 },
            streams: publisher?.streamReports(core.streams)
                ?? deliveries.sorted { $0.key < $1.key }.map(\.value.report),
            notes: notes)
    }

    /// The record that the journal keeps; nil where nothing of the session outlives the daemon.
    var record: SessionRecord? {
        if let publisher {
            // Before RECORD nothing depends on it, and what is interleaved ends with the connection.
            guard core.state == .recording, core.interleavedStreams.isEmpty else { return nil }
            return SessionRecord(
                name: name, core: core, agent: agent, startedAt: startedAt, deliveries: [], publisher: publisher.record)
        }
        let kept = deliveries.sorted { $0.key < $1.key }.compactMap(\.value.record)
        guard !kept.isEmpty else { return nil }
        return SessionRecord(name: name, core: core, agent: agent, startedAt: startedAt, deliveries: kept)
    }
}
