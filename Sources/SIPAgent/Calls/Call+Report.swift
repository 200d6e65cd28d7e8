// A call as operators see it.

import AgentSupport
import RTPWire
import SIPCore
import Sessions

extension Call {
    /// The current state of the call.
    func report() async -> SessionReport {
        var streams: [SessionReport.Stream] = []
        if state != .ended { streams = await media.streams() }
        let text: String =
            switch state {
            case .calling: "calling"
            case .ringing: "ringing"
            case .answered: mediaState == .ok ? "answered" : mediaState.rawValue
            case .ended: "ended"
            }
        let expiry = [caller, callee].compactMap { $0?.timer.map { Double($0.interval) } }.min()
        return SessionReport(
            name: name, kind: .sipCall, state: text, target: target,
            peer: "\(callerAddress.bracketed):\(caller.source?.transportPort ?? 0)",
            user: user, agent: caller.agent, startedAt: WallClock.text(startedAt),
            expiresIn: state == .answered ? expiry : nil, streams: streams, notes: notes)
    }
}
