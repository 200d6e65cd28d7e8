// When a participant reports: the interval, and its reconsideration when others come and go.

import Timing

/// The timer of a participant's reports (RFC 3550 sections 6.3.2 to 6.3.6 and appendix A.7). Times are nanoseconds of one clock.
public struct RTCPSchedule: Hashable, Sendable {
    /// The values that the interval depends on now. Members and senders are the caller's to count; `setMembers` reconsiders.
    public private(set) var interval: RTCPInterval
    /// When to call `expired`.
    public private(set) var next: UInt64
    private var previous: UInt64
    private var previousMembers: Int

    /// A participant that joins at `now`; `bandwidth` and `averageSize` as for `RTCPInterval`, the latter a guess.
    public init(
        bandwidth: Double, averageSize: Double, isSender: Bool, now: UInt64,
        using generator: inout some RandomNumberGenerator
    ) {
        interval = RTCPInterval(
            members: 1, senders: isSender ? 1 : 0, bandwidth: bandwidth, isSender: isSender, averageSize: averageSize,
            isInitial: true)
        previous = now
        previousMembers = 1
        next = now.addingSaturating(interval.next(using: &generator))
    }

    /// A compound packet came: `size` in bytes, with UDP and IP headers (section 6.3.3).
    public mutating func received(size: Int) { average(size) }

    /// The numbers of members and senders are others now, this participant included. Fewer members bring the next report forward
    /// (section 6.3.4).
    public mutating func setMembers(_ members: Int, senders: Int, isSender: Bool, now: UInt64) {
        interval.members = max(members, 1)
        interval.senders = senders
        interval.isSender = isSender
        guard interval.members < previousMembers else { return }
        let share = Double(interval.members) / Double(previousMembers)
        next = now.addingSaturating(Self.part(share, of: Deadline(at: next).remaining(at: now)))
        previous = now.subtractingSaturating(Self.part(share, of: now.subtractingSaturating(previous)))
        previousMembers = interval.members
    }

    /// A part below one of a time; a time of centuries, which is none, is as good as the longest that a day's intervals make.
    private static func part(_ share: Double, of time: UInt64) -> UInt64 {
        UInt64(share * Double(min(time, 1 << 60)))
    }

    /// The time `next` has come: whether to report now. If not, or after the report, there is another `next` (section 6.3.6).
    public mutating func expired(now: UInt64, using generator: inout some RandomNumberGenerator) -> Bool {
        let due = previous.addingSaturating(interval.next(using: &generator))
        previousMembers = interval.members
        guard due <= now else {
            next = due
            return false
        }
        previous = now
        interval.isInitial = false
        next = now.addingSaturating(interval.next(using: &generator))
        return true
    }

    /// A report was sent: `size` in bytes, with UDP and IP headers.
    public mutating func sent(size: Int) { average(size) }

    private mutating func average(_ size: Int) {
        interval.averageSize += (Double(size) - interval.averageSize) / 16
    }
}
