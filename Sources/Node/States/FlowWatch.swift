// The state of one flow over time: worse at once, better after a while.

import FastPath
import Timing

/// The state of a flow, with its reason and what was lost.
public struct FlowReport: Hashable, Sendable, Codable {
    /// The name of the route.
    public var route: String
    /// The flow's source.
    public var from: String
    public var state: FlowState
    /// The reason and the remedy, for a person; nil for a flow that is as it should be.
    public var reason: String?
    /// The time since which the state holds, nanoseconds since 1970.
    public var since: UInt64
    /// Loss in the last 10 seconds, minute, 15 minutes and 24 hours; nil for flows whose packets are not numbered.
    public var loss: Loss?
    /// The time since the last loss in seconds; nil where none was seen.
    public var lastLossSeconds: UInt64?

    /// Loss by span of time.
    public struct Loss: Hashable, Sendable, Codable {
        public var tenSeconds: LossWindow
        public var minute: LossWindow
        public var quarterHour: LossWindow
        public var day: LossWindow
    }
}

/// A change of a flow's state.
struct StateEdge: Hashable, Sendable {
    var route: String
    var from: FlowState
    var to: FlowState
    var reason: String?
}

/// Judges one flow by successive readings. Pure: readings and time come in.
struct FlowWatch: Sendable {
    /// The time for which a flow has to be better before it counts as such, in nanoseconds (BCP-008-01 asks for 3 s).
    static let hold: UInt64 = 3_000_000_000

    private(set) var last: FlowStatistics
    private var history = LossHistory()
    private(set) var state: FlowState
    private var reason: String?
    private var since: UInt64
    /// The time since which the flow is better than its state says (monotonic nanoseconds).
    private var betterSince: UInt64?

    /// A watch that begins with a reading at `unix` nanoseconds since 1970.
    init(_ first: FlowStatistics, unix: UInt64) {
        last = first
        since = unix
        (state, reason) = FlowState.judge(first, since: nil, loss: LossWindow(), lastLoss: nil)
    }

    /// Takes the next reading; the edge, if the state changed.
    mutating func take(_ new: FlowStatistics, unix: UInt64, monotonic: UInt64) -> StateEdge? {
        let second = monotonic / 1_000_000_000
        history.add(Self.change(from: last.rtp, to: new.rtp), at: second)
        let ago = history.lastLoss.map { second.subtractingSaturating($0) }
        let (seen, seenReason) = FlowState.judge(
            new, since: last, loss: history.tenSeconds(at: second), lastLoss: ago)
        last = new
        if seen == state {
            (reason, betterSince) = (seenReason, nil)
            return nil
        }
        if seen.rank < state.rank {
            let begun = betterSince ?? monotonic
            betterSince = begun
            guard Deadline(Self.hold, after: begun).hasPassed(at: monotonic) else { return nil }
        }
        let edge = StateEdge(route: new.route, from: state, to: seen, reason: seenReason)
        (state, reason, since, betterSince) = (seen, seenReason, unix, nil)
        return edge
    }

    private static func change(from old: RTPStatistics?, to new: RTPStatistics?) -> LossWindow {
        guard let old, let new, new.sequenceResets == old.sequenceResets else { return LossWindow() }
        return LossWindow(
            expectedPackets: new.expectedPackets.subtractingSaturating(old.expectedPackets),
            lostPackets: UInt64(clamping: new.lostPackets.subtractingReportingOverflow(old.lostPackets).partialValue),
            reorderedPackets: new.reorderedPackets.subtractingSaturating(old.reorderedPackets))
    }

    func report(monotonic: UInt64) -> FlowReport {
        let second = monotonic / 1_000_000_000
        return FlowReport(
            route: last.route, from: last.from, state: state, reason: reason, since: since,
            loss: last.rtp == nil
                ? nil
                : .init(
                    tenSeconds: history.tenSeconds(at: second), minute: history.minute(at: second),
                    quarterHour: history.quarterHour(at: second), day: history.day(at: second)),
            lastLossSeconds: history.lastLoss.map { second.subtractingSaturating($0) })
    }
}
