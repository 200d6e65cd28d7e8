// The client's side: a session whose server says whatever it likes.

import Foundation
import RTSPCore
import SDP

struct ClientFuzz {
    /// Answers every challenge but the one that follows it at once.
    private struct Credentials: ClientAuthenticator {
        private var isChallenged = false
        private var isRefused = false

        mutating func take(challenges: [String]) -> Bool {
            defer { isRefused = true }
            isChallenged = true
            return !isRefused
        }

        mutating func accepted() { isRefused = false }

        func authorization(method: String, uri: String, body: [UInt8]) -> String? { isChallenged ? "Basic eDp5" : nil }
    }

    /// The record that an earlier process may have left of its session.
    private static let journalled = Data(
        """
        {"session": "1234", "timeout": 60, "sequence": 0, "presentation": "rtsp://camera/cam",
         "streams": [{"index": 0, "url": "rtsp://camera/cam/streamid=0", "transport": "udp", "clientUDPPort": 5004}],
         "methods": ["GET_PARAMETER"]}
        """.utf8)

    private var session: ClientSession
    private var decoder = RTSPDecoder(limits: RTSPLimits(header: 4096, body: 4096, fields: 50))
    private var now: UInt64 = 0
    private var hasEnded = false
    private var actionCount = 0
    private var connections = 0

    private init(settings: UInt8) {
        let resumption =
            settings & 1 == 0 ? nil : try? JSONDecoder().decode(ClientResumption.self, from: Self.journalled)
        guard let url = RTSPURL("rtsp://user:secret@camera/cam") else { preconditionFailure("a URL") }
        session = ClientSession(
            url: url, settings: ClientSession.Settings(userAgent: "fuzz"), authenticator: Credentials(),
            resumption: resumption)
        precondition((resumption != nil) == (settings & 1 != 0), "the journal can be read")
        session.isMediaFlowing = settings & 2 != 0
    }

    /// The first byte sets the session up; a zero byte between messages lets the next timer fire.
    static func run(_ bytes: [UInt8]) {
        guard let first = bytes.first else { return }
        var fuzz = ClientFuzz(settings: first)
        fuzz.carryOut(fuzz.session.connected(at: 0))
        for piece in bytes.dropFirst().split(separator: 0, omittingEmptySubsequences: false) {
            fuzz.receive(piece)
            guard !fuzz.hasEnded, let deadline = fuzz.session.deadline else { continue }
            fuzz.now = max(fuzz.now, deadline)
            fuzz.carryOut(fuzz.session.timerFired(at: fuzz.now))
        }
        if !fuzz.hasEnded { fuzz.carryOut(fuzz.session.mediaIsMissing(at: fuzz.now)) }
        if !fuzz.hasEnded { fuzz.carryOut(fuzz.session.close(at: fuzz.now)) }
        if !fuzz.hasEnded { fuzz.carryOut(fuzz.session.connectionLost("over", at: fuzz.now)) }
        precondition(fuzz.hasEnded, "a session that is closed ends")
    }

    private mutating func receive(_ bytes: ArraySlice<UInt8>) {
        decoder.append(bytes)
        while !hasEnded {
            do throws(RTSPDecodingError) {
                guard let message = try decoder.next() else { return }
                let before = actionCount
                carryOut(session.received(message, at: now))
                precondition(actionCount - before < 200, "one message makes few actions")
                now += 1_000_000
            } catch {
                carryOut(session.connectionLost("nonsense", at: now))
                decoder = RTSPDecoder()
                return
            }
        }
    }

    private mutating func carryOut(_ actions: [ClientAction]) {
        var actions = actions[...]
        while let action = actions.popFirst() {
            actionCount += 1
            precondition(!hasEnded, "nothing is done after the end")
            switch action {
            case .send(let message):
                let again = DecoderFuzz.decode([message.encoded[...]], limits: RTSPLimits())
                precondition(again.messages.count == 1 && again.error == nil, "what is sent is one message")
                precondition(
                    !String(decoding: message.encoded, as: UTF8.self).contains("secret"), "the password stays here")
            case .connect(let url, _):
                connections += 1
                precondition(connections < 50, "it does not connect for ever")
                precondition(url.password == nil, "no password in a redirect")
                decoder = RTSPDecoder()
                actions += session.connected(at: now)
            case .described(let sdp): actions += setUp(sdp)
            case .needsUDPPorts(let stream):
                actions +=
                    stream == 3 ? session.cannotOffer("none left", at: now) : session.offer(udpPort: 5004, at: now)
            case .prepared: actions += session.play(at: now)
            case .established: _ = session.resumable
            case .ended: hasEnded = true
            case .packet, .announced, .note: break
            }
        }
    }

    private mutating func setUp(_ sdp: [UInt8]) -> [ClientAction] {
        guard let description = try? SessionDescription(parsing: sdp) else { return session.close(at: now) }
        let plans = description.media.map {
            ClientStreamPlan(control: $0.attribute("control"), transports: [.udp, .multicast, .interleaved])
        }
        return session.setUp(control: description.attribute("control"), streams: plans, at: now)
    }
}
