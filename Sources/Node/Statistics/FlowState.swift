// What an operator wants to know of a flow before any number.

import FastPath

/// How a flow fares, judged by two readings.
public enum FlowState: String, Hashable, Sendable, Codable {
    /// Nothing arrives.
    case noSignal = "no-signal"
    /// Packets arrive, none missing since the first reading.
    case ok
    /// Packets were missing since the first reading.
    case loss
    /// More than one source sends to the flow.
    case twoSenders = "two-senders"

    /// The state's name in tables.
    public var label: String {
        switch self {
        case .noSignal: "no signal"
        case .ok: "ok"
        case .loss: "loss"
        case .twoSenders: "two senders"
        }
    }

    /// How long a flow may be silent before it counts as having no signal, in nanoseconds: a second, but reports of RTCP may be
    /// half a minute apart (RFC 3550 section 6.2 asks for five seconds on average; large groups send less often).
    static func patience(payload: String) -> UInt64 { payload == "rtcp" ? 30_000_000_000 : 1_000_000_000 }

    /// Judges `new` by what changed since `old`, the reading before of the same flow.
    static func judge(_ new: FlowStatistics, since old: FlowStatistics?) -> FlowState {
        let isMoving = old.map { new.packets > $0.packets } ?? false
        guard isMoving || new.lastPacketAgeNanoseconds.map({ $0 < patience(payload: new.payload) }) == true else {
            return .noSignal
        }
        guard let old else { return .ok }
        if new.wrongSourcePackets > old.wrongSourcePackets { return .twoSenders }
        guard let newRTP = new.rtp, let oldRTP = old.rtp else { return .ok }
        // One change is a sender that started anew; two between readings are two that take turns.
        if newRTP.sourceChanges > oldRTP.sourceChanges + 1 || newRTP.ssrcChanges > oldRTP.ssrcChanges + 1 {
            return .twoSenders
        }
        return newRTP.lostPackets > oldRTP.lostPackets || newRTP.lossEvents > oldRTP.lossEvents ? .loss : .ok
    }
}
