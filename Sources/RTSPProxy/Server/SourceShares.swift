// Shares that one source may have of the proxy's resources.

import AgentSupport
import RTPWire

/// The shares and rates of sources (`SourceKey`), so that no client takes what all need: connections, sessions, paths and memory.
///
/// Sources of `trusted-networks` are bound by the totals alone.
@AgentActor
final class SourceShares {
    var connections: ShareTable
    var sessions: ShareTable
    /// Bytes of requests that are not complete, or wait; and of answers and packets that peers do not take.
    var received = ShareTable(limit: 32 << 20, share: 2 << 20)
    var sent = ShareTable(limit: 96 << 20, share: 24 << 20)
    /// Requests, and wrong passwords: one guess in five seconds after the first ten.
    private var requests: RateTable
    private var guesses = RateTable(interval: 5_000_000_000, burst: 10)
    /// Lines of the log about refusals.
    private var lines = RateTable(rate: 1, burst: 20)
    private var untold = 0
    private let trusted: [IPNetwork]

    /// Up to so much memory of a connection counts as nothing.
    static let freeBytes = 4 << 10
    /// The number of sessions that one connection may begin.
    static let sessionsPerConnection = 64

    init(_ configuration: RTSPConfiguration) {
        connections = ShareTable(
            limit: configuration.maximumConnections, share: configuration.maximumConnectionsPerAddress)
        sessions = ShareTable(limit: configuration.maximumSessions, share: configuration.maximumSessionsPerAddress)
        requests = RateTable(
            rate: configuration.maximumRequestsPerSecond, burst: configuration.maximumRequestsPerSecond)
        trusted = configuration.trustedNetworks
    }

    /// True for addresses that the limits of one source do not bind.
    func isTrusted(_ address: IPAddress) -> Bool { trusted.contains { $0.contains(address) } }

    /// Notes requests that have come from a peer, and returns for how many nanoseconds its next ones should wait.
    func delay(after count: Int, from peer: IPAddress, now: UInt64) -> UInt64 {
        isTrusted(peer) ? 0 : requests.charge(count, to: SourceKey(peer), now: now)
    }

    /// For how many seconds no password of a peer is looked at; 0: it is.
    func pause(ofGuessesFrom peer: IPAddress, now: UInt64) -> UInt64 {
        (guesses.wait(of: SourceKey(peer), now: now) + 999_999_999) / 1_000_000_000
    }

    /// Notes a wrong password.
    func noteWrongPassword(from peer: IPAddress, now: UInt64) { _ = guesses.take(SourceKey(peer), now: now) }

    /// Notes a right one: what was wrong before was a mistake.
    func noteRightPassword(from peer: IPAddress) { guesses.forgive(SourceKey(peer)) }

    /// Answers if the log gets another line about a refusal to a peer, and the number of lines left out since the last one.
    func mayLog(refusalTo peer: IPAddress, now: UInt64) -> (isAllowed: Bool, untold: Int) {
        guard lines.take(SourceKey(peer), now: now) else {
            untold += 1
            return (false, 0)
        }
        defer { untold = 0 }
        return (true, untold)
    }

    /// Changes what a source holds of `table` from one amount to another; false where it may not have more, and nothing changes.
    func change(
        _ table: ReferenceWritableKeyPath<SourceShares, ShareTable>, of peer: IPAddress, from old: Int, to new: Int
    ) -> Bool {
        let source = SourceKey(peer)
        if new < old {
            self[keyPath: table].giveBack(old - new, from: source)
        } else if new > old {
            return self[keyPath: table].take(new - old, for: source, isExempt: isTrusted(peer)) == nil
        }
        return true
    }
}
