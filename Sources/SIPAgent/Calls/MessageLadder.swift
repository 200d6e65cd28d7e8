// The messages of a call.

import AgentSupport
import SIPCore

/// Keeps what was sent and received, up to a number of messages and bytes; the first ones stay, since they say what the call is, and
/// of the others the latest.
@AgentActor
final class MessageLadder: MessageObserver {
    private struct Rung {
        var time: UInt64
        var isSent: Bool
        var peer: String
        var bytes: [UInt8]
    }

    private var first: [Rung] = []
    private var latest: [Rung] = []
    private var latestBytes = 0
    /// The number of messages that were left out between the first and the latest.
    private(set) var omitted = 0

    private static let firstCount = 8
    private static let latestCount = 24
    private static let largestBytes = 24_576
    private static let largestMessage = 8192

    init() {}

    func sent(_ bytes: [UInt8], to peer: String) { add(bytes, peer, isSent: true) }
    func received(_ bytes: [UInt8], from peer: String) { add(bytes, peer, isSent: false) }

    private func add(_ bytes: [UInt8], _ peer: String, isSent: Bool) {
        let kept = bytes.count <= Self.largestMessage ? bytes : Array(bytes.prefix(Self.largestMessage))
        let rung = Rung(time: WallClock.nanoseconds, isSent: isSent, peer: peer, bytes: kept)
        if first.count < Self.firstCount { return first.append(rung) }
        latest.append(rung)
        latestBytes += kept.count
        while latest.count > Self.latestCount || (latestBytes > Self.largestBytes && latest.count > 1) {
            latestBytes -= latest.removeFirst().bytes.count
            omitted += 1
        }
    }

    /// From the first to the last.
    var entries: [SIPLadderEntry] {
        let start = first.first?.time ?? 0
        return (first + latest).map { rung in
            let text = MessageSecrets.removed(from: rung.bytes)
            let line = text.prefix { $0 != "\r\n" && $0 != "\n" && $0 != "\r" }
            return SIPLadderEntry(
                time: WallClock.text(rung.time), offset: Double(rung.time &- start) / 1e9,
                direction: rung.isSent ? .sent : .received, peer: rung.peer, firstLine: String(line), message: text)
        }
    }
}
