// The node's reports to a source: one receiver, whatever the number of players.

import RTPWire
import Routing

/// The content of a receiver report, and the time at which it is due (RFC 3550 section 6).
///
/// Only the fast path sees the packets, so that the numbers are its statistics; sender reports come to the daemon.
struct SourceReporter: Sendable {
    /// The node as a member of the session, and its name: random, for want of anything that should say more (RFC 7022 section 4.2).
    let ssrc: UInt32
    let name: String
    private var schedule: RTCPSchedule?
    /// The last sender report, and whose it is.
    private var sender: (ssrc: UInt32, report: ReceptionReport.LastSenderReport)?
    /// The counts that were reported last, and their SSRC.
    private var reported: (ssrc: UInt32, counts: ReceptionReport.Counts)?

    init() {
        ssrc = .random(in: 1...UInt32.max)
        name = String(UInt64.random(in: 0...UInt64.max), radix: 16) + "@crosspoint"
    }

    /// Begins with another session.
    mutating func restart() { (schedule, sender, reported) = (nil, nil, nil) }

    /// RTCP of the source. A packet that is not RTCP is left to the source's own trouble.
    mutating func receive(_ packet: [UInt8], at arrival: UInt64) {
        guard let compound = try? RTCPCompound(parsing: packet) else { return }
        schedule?.received(size: packet.count + Self.headers)
        for case .senderReport(let report) in compound.packets {
            sender = (report.ssrc, .init(middle: report.ntpTimestamp.middle, arrival: arrival))
        }
    }

    /// The compound packet to send, when one is due; asked from time to time.
    ///
    /// - Parameters:
    ///   - progress: What came of the source's RTP.
    ///   - clockRate: In Hz, from the description.
    mutating func report(
        _ progress: FlowProgress?, clockRate: UInt32?, at now: UInt64,
        using generator: inout some RandomNumberGenerator
    ) -> [UInt8]? {
        guard let progress, progress.hasRTP else { return nil }
        guard var schedule else {
            let average = Double(progress.bytes) / Double(max(progress.packets, 1))
            self.schedule = RTCPSchedule(
                bandwidth: average * Double(progress.packetRate) * 0.05, averageSize: 128, isSender: false, now: now,
                using: &generator)
            self.schedule?.setMembers(2, senders: 1, isSender: false, now: now)
            return nil
        }
        guard schedule.next <= now else { return nil }
        defer { self.schedule = schedule }
        guard schedule.expired(now: now, using: &generator) else { return nil }
        let packet = compound(progress, clockRate: clockRate, at: now, isLeaving: false)
        schedule.sent(size: packet.count + Self.headers)
        return packet
    }

    /// The packets that a member that has reported sends when it leaves (section 6.3.7).
    mutating func farewell(_ progress: FlowProgress?, clockRate: UInt32?, at now: UInt64) -> [UInt8]? {
        guard reported != nil, let progress, progress.hasRTP else { return nil }
        return compound(progress, clockRate: clockRate, at: now, isLeaving: true)
    }

    private mutating func compound(
        _ progress: FlowProgress, clockRate: UInt32?, at now: UInt64, isLeaving: Bool
    ) -> [UInt8] {
        let counts = ReceptionReport.Counts(expected: progress.expected, received: progress.received)
        // The fast path counts again from the start with each SSRC and each restart of the sequence.
        let previous =
            reported.flatMap { $0.ssrc == progress.ssrc && $0.counts.expected <= counts.expected ? $0.counts : nil }
        reported = (progress.ssrc, counts)
        let block = ReceptionReport.make(
            ssrc: progress.ssrc, extendedHighestSequence: progress.extendedHighestSequence, counts: counts,
            previous: previous ?? .init(expected: 0, received: 0), jitterNanoseconds: progress.jitter,
            clockRate: progress.clockRate ?? clockRate ?? 90_000,
            lastSenderReport: sender.flatMap { $0.ssrc == progress.ssrc ? $0.report : nil }, now: now)
        return RTCPCompound.report(
            ssrc: ssrc, canonicalName: name, reports: [block], leaving: isLeaving
        ).bytes
    }

    /// Of IPv4 and UDP, which count (section 6.2).
    private static let headers = 28
}
