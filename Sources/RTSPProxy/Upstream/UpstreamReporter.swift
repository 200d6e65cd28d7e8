// The node's reports to a source: one receiver, whatever the number of players.

import NIOCore
import RTPWire
import Routing

/// When a receiver report is due and what it says (RFC 3550 section 6).
///
/// Only the fast path sees the packets, so that the numbers are its statistics; sender reports come to the daemon.
@RTSPActor
final class UpstreamReporter {
    /// The node as a member of the session.
    private let ssrc = UInt32.random(in: 1...UInt32.max)
    private var interval = ReportInterval()
    private var due: UInt64?
    private var state = ReceptionState()

    /// Begins with another source.
    func restart() {
        due = nil
        interval = ReportInterval()
        state = ReceptionState()
    }

    /// RTCP of the source.
    func receive(_ packet: ByteBuffer, at arrival: UInt64) {
        interval.sawPacket(bytes: packet.readableBytes)
        state.receive(Array(packet.readableBytesView), at: arrival)
    }

    /// The compound packet to send, when one is due.
    func report(_ progress: FlowProgress?, minimum: UInt64, at now: UInt64) -> ByteBuffer? {
        guard let due else {
            self.due = now + interval.next(minimum: minimum, bandwidth: 0, isInitial: true)
            return nil
        }
        guard due <= now, let progress, progress.hasRTP else { return nil }
        let packet = state.report(progress, from: ssrc, name: name, at: now)
        interval.sawPacket(bytes: packet.count)
        self.due = now + interval.next(minimum: minimum, bandwidth: state.bandwidth, isInitial: false)
        return ByteBuffer(bytes: packet)
    }

    /// What a member that reported sends when it leaves (section 6.3.7).
    func farewell(_ progress: FlowProgress?, at now: UInt64) -> ByteBuffer? {
        guard let progress, progress.hasRTP else { return nil }
        return ByteBuffer(bytes: state.report(progress, from: ssrc, name: name, at: now, isLeaving: true))
    }

    /// Random, for want of anything that says more of nothing (RFC 7022 section 4.2).
    private let name = String(UInt64.random(in: 0...UInt64.max), radix: 16) + "@crosspoint"
}
