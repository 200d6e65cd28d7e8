// A call's media without its signalling.

import AgentSupport
import Logging
import RTPWire
import Routing
import SDP
import SIPCore
import Testing

@testable import SIPAgent

/// A caller at 10.1.0.5 and callees at 10.2.0.5 and elsewhere, with a node between them that gives UDP ports from 20000 on.
@AgentActor
final class MediaBench {
    let routes = FakeRoutes()
    let context: MediaContext
    let media: CallMedia
    private(set) var events: [MediaEvent] = []

    static let callerAddress = IPAddress(10, 1, 0, 5)
    static let calleeAddress = IPAddress(10, 2, 0, 5)

    init(
        caller: MediaPeer = MediaBench.peer(callerAddress), policy: MediaPolicy = MediaPolicy(),
        udpPorts: ClosedRange<UInt16> = 20_000...20_999
    ) {
        context = MediaContext(
            routing: routes, udpPorts: udpPorts, policy: policy, agent: "node.studio", logger: Logger(label: "test"))
        media = CallMedia(name: "c", context: context, caller: caller)
        media.onEvent = { [weak self] event in self?.events.append(event) }
    }

    nonisolated static func peer(
        _ address: IPAddress, isSecure: Bool = false, sources: MediaSources = .strict,
        allows: @escaping @Sendable (IPAddress) -> Bool = { _ in true }
    ) -> MediaPeer {
        MediaPeer(signalling: address, isSecure: isSecure, sources: sources, allows: allows)
    }

    /// A description with lines of media behind its session part.
    static func sdp(_ address: String, version: Int = 1, _ media: String...) -> [UInt8] {
        let family = address.contains(":") ? "IP6" : "IP4"
        let lines = ["v=0", "o=- 7 \(version) IN \(family) \(address)", "s=-", "c=IN \(family) \(address)", "t=0 0"]
        return Array((lines + media).joined(separator: "\r\n").utf8) + Array("\r\n".utf8)
    }

    static let offer = sdp("10.1.0.5", "m=audio 4000 RTP/AVP 0 8 101", "a=rtpmap:101 telephone-event/8000")
    static let answer = sdp("10.2.0.5", "m=audio 6000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000")

    /// A call with one callee that has answered.
    func establish(
        offer: [UInt8] = MediaBench.offer, answer: [UInt8] = MediaBench.answer,
        callee: MediaPeer = MediaBench.peer(calleeAddress)
    ) async throws -> MediaBranch {
        try media.receiveOffer(offer, from: .caller)
        let branch = media.addBranch(towards: callee)
        _ = try await media.offer(to: .callee, on: branch)
        _ = try await media.receiveAnswer(answer, from: .callee, on: branch)
        try await media.choose(branch)
        return branch
    }

    /// Another offer of a side, and the other side's answer; what both get.
    @discardableResult
    func change(
        _ branch: MediaBranch, offer: [UInt8], from side: SIPSide = .caller, answer: [UInt8]
    ) async throws -> (offer: SessionDescription, answer: SessionDescription) {
        try media.receiveOffer(offer, from: side, on: branch)
        let offered = try await media.offer(to: side.other, on: branch)
        let answered = try await media.receiveAnswer(answer, from: side.other, on: branch)
        return try (SessionDescription(parsing: offered), SessionDescription(parsing: answered))
    }

    /// The refusal of what should be refused.
    func refusal(_ body: () async throws -> Void) async -> SIPRefusal? {
        do {
            try await body()
            return nil
        } catch {
            return error as? SIPRefusal
        }
    }
}

extension SIPRefusal {
    /// The status and the code of the Warning: `488 305`.
    var summary: String {
        "\(status.code) \(headers.all("Warning").first?.prefix(3) ?? "-")"
    }
}

/// Whether `condition` comes true; what it waits for happens at once or never.
@AgentActor
func eventually(_ condition: @AgentActor () async -> Bool) async -> Bool {
    for _ in 0..<10_000 {
        if await condition() { return true }
        try? await Task.sleep(for: .milliseconds(1))
    }
    return false
}
