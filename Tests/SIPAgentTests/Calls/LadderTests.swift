// What operators see of a call's messages.

import AgentSupport
import SIPCore
import Testing

@testable import SIPAgent

@Suite("Ladders") @AgentActor struct LadderTests {
    @Test("Credentials, keys and passwords are left out, also in folded fields")
    func secrets() {
        let message = """
            INVITE sip:bob:secret@10.0.0.1 SIP/2.0\r
            From: <sip:alice:hidden@10.0.0.2>;tag=1\r
            Authorization: Digest username="alice",\r
             response="0123456789abcdef"\r
            Proxy-Authorization: Digest nonce="x"\r
            Subject: open\r
            \r
            v=0\r
            a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r
            k=clear:key\r
            a=sendrecv\r

            """
        let text = MessageSecrets.removed(from: Array(message.utf8))
        for secret in ["secret", "hidden", "0123456789abcdef", "nonce", "WVNf", "clear:key"] {
            #expect(!text.contains(secret), "\(secret)")
        }
        for kept in ["INVITE sip:bob:…@10.0.0.1 SIP/2.0\r\n", "Subject: open\r\n", "a=sendrecv", "a=crypto:…"] {
            #expect(text.contains(kept), "\(kept)")
        }
    }

    @Test(
        "Credentials are hidden by the name of their field, whatever its case and the blanks before the colon; controls are gone"
    )
    func names() {
        let message =
            "REGISTER sip:x SIP/2.0\r\naUTHORIZATION \t: Digest response=\"TOPSECRET1\"\r\n"
            + "Proxy-Authorization:Digest TOPSECRET2\r\nUser-Agent: \u{1b}[31mred\u{9b}2J\r\n\r\n"
        let text = MessageSecrets.removed(from: Array(message.utf8))
        #expect(!text.contains("TOPSECRET"))
        #expect(text.contains("User-Agent: ?[31mred?2J\r\n"))
    }

    @Test("A ladder keeps the first messages and the latest ones, and is bounded")
    func bounds() {
        let ladder = MessageLadder()
        for number in 0..<500 {
            let body = [UInt8](repeating: 0x78, count: 2000)
            ladder.sent(Array("INFO sip:\(number) SIP/2.0\r\n\r\n".utf8) + body, to: "UDP")
        }
        let lines = ladder.entries.map(\.firstLine)
        #expect(lines.first == "INFO sip:0 SIP/2.0")
        #expect(lines.last == "INFO sip:499 SIP/2.0")
        #expect(lines.count + ladder.omitted == 500)
        #expect(ladder.entries.reduce(0) { $0 + $1.message.utf8.count } < 64_000)
    }

    @Test("The ladder of a call tells both sides' messages in order, and can be read after its end")
    func ofACall() async throws {
        let call = try await TestCall()
        call.a.send(.bye)
        call.callee.respond(.ok, to: try await call.callee.request(.bye))
        _ = try await call.caller.response(200, to: .bye)
        #expect(try await call.node.eventually { await call.node.agent.sessions().isEmpty })
        let entries = try #require(await call.node.agent.messages(ofCall: "sip-1"))
        let methods = entries.map { entry in
            "\(entry.direction.rawValue) \(entry.firstLine.split(separator: " ").prefix(2).joined(separator: " "))"
        }
        #expect(methods.first?.hasPrefix("received INVITE") == true)
        #expect(methods.contains { $0.hasPrefix("sent INVITE") })
        #expect(methods.contains("received SIP/2.0 180"))
        #expect(methods.contains("sent SIP/2.0 200"))
        #expect(methods.contains { $0.hasPrefix("sent BYE") })
        #expect(await call.node.agent.messages(ofCall: "sip-2") == nil)
        await call.node.stop()
    }
}
