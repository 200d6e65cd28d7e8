// SIP calls and their messages as text.

import SIPAgent
import Sessions
import Testing

@testable import CrosspointCommands

@Suite struct CallTextTests {
    private func call(_ states: [String], lost: Int64 = 0) -> SessionReport {
        let streams = zip(["caller", "callee"], states).map { side, state in
            var stream = SessionReport.Stream(
                index: 0, media: "audio", transport: "udp", address: "10.1.0.7:5004", route: "sip.1.0.\(side)", leg: 1,
                engine: "kernel", engineReason: "a call's media are legs")
            stream.from = side
            stream.to = "10.2.0.5:5004"
            stream.state = state
            stream.reception = SessionReport.Reception(
                packets: side == "caller" ? 1000 : 998, bytes: 1, lostPackets: side == "caller" ? 0 : lost,
                jitter: side == "caller" ? 0.0002 : 0.0015, lastArrival: 0.02)
            return stream
        }
        return SessionReport(
            name: "sip-1", kind: .sipCall, state: "answered", target: "sip:studio2@10.1.0.1", peer: "10.1.0.7:5060",
            startedAt: "2026-01-01T00:00:00Z", streams: streams)
    }

    @Test("The row of a call tells both directions, and what is wrong with its media")
    func row() {
        let cells = CallText.row(call(["ok", "ok"], lost: 2))
        #expect(cells.map(\.text)[2] == "answered")
        #expect(cells.suffix(3).map(\.text) == ["1000/998", "0/2", "200 µs/1.50 ms"])
        #expect(cells[8].colour == .warning)
        let oneWay = CallText.row(call(["one-way", "one-way"]))
        #expect(oneWay[2].text == "answered, one-way")
        #expect(oneWay[2].colour == .warning)
        #expect(CallText.row(call(["one-way", "no media"]))[2].text == "answered, no media")
        #expect(CallText.row(call([])).suffix(3).map(\.text) == ["-", "-", "-"])
    }

    @Test("Each direction of a call has a row with its state, loss and jitter")
    func streams() {
        let lines = CallText.streams(call(["ok", "no media"], lost: 3)).text(colour: false).split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[1].contains("caller") && lines[1].contains(" ok ") && lines[1].contains("200 µs"))
        #expect(
            lines[2].contains("callee") && lines[2].contains("no media") && lines[2].contains("sip.1.0.callee leg 1"))
    }

    @Test("The ladder has an arrow for each message; a peer's text does not steer the terminal")
    func ladder() {
        let entries = [
            SIPLadderEntry(
                time: "2026-01-01T00:00:00.000Z", offset: 0, direction: .received, peer: "UDP 10.1.0.7:5060",
                firstLine: "INVITE sip:b@10.1.0.1 SIP/2.0",
                message: "INVITE sip:b@10.1.0.1 SIP/2.0\r\nX: \u{1B}[2J\r\n\r\n"),
            SIPLadderEntry(
                time: "2026-01-01T00:00:01.250Z", offset: 1.25, direction: .sent, peer: "TCP 10.2.0.15:5060",
                firstLine: "SIP/2.0 486 Busy Here", message: "SIP/2.0 486 Busy Here\r\n\r\n"),
        ]
        #expect(
            MessageLadderText.text(entries, whole: false, colour: false) == """
                +0.000 s  node <----------- UDP 10.1.0.7:5060   INVITE sip:b@10.1.0.1 SIP/2.0
                +1.250 s  node -----------> TCP 10.2.0.15:5060  SIP/2.0 486 Busy Here

                """)
        let whole = MessageLadderText.text(entries, whole: true, colour: true)
        #expect(whole.contains("X: ?[2J"))
        #expect(whole.contains("\u{1B}[31mSIP/2.0 486 Busy Here\u{1B}[0m"))
        #expect(MessageLadderText.text([], whole: false, colour: false) == "no messages\n")
    }
}
