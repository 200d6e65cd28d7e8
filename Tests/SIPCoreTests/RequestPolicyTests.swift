// What is refused before anything is done.

import Testing

@testable import SIPCore

@Suite struct RequestPolicyTests {
    private let policy = RequestPolicy(
        methods: [.invite, .ack, .bye, .cancel, .options, .info], extensions: ["100rel", "timer"])

    @Test("S-11: a known method that is not served is 405, an unknown one 501, both with Allow")
    func methods() throws {
        let allow: SIPHeaders = ["Allow": "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO"]
        #expect(policy.refusal(of: try .sample(.refer)) == SIPRefusal(.methodNotAllowed, headers: allow))
        #expect(policy.refusal(of: try .sample(.other("DANCE"))) == SIPRefusal(.notImplemented, headers: allow))
        #expect(policy.refusal(of: try .sample(.bye)) == nil)
    }

    @Test("S-11: only the extensions that are not understood are listed; ACK is never refused")
    func extensions() throws {
        let headers: SIPHeaders = ["Require": "100REL, gruu", "Proxy-Require": "sec-agree"]
        let refusal = policy.refusal(of: try .sample(headers: headers))
        #expect(refusal == SIPRefusal(.badExtension, headers: ["Unsupported": "gruu, sec-agree"]))
        #expect(policy.refusal(of: try .sample(.ack, headers: headers)) == nil)
    }

    @Test("S-11: scheme 416, body 415 with Accept, encoding 415 with Accept-Encoding, Accept 406")
    func content() throws {
        #expect(policy.refusal(of: try .sample(uri: "http://example.com"))?.status == .unsupportedURIScheme)
        #expect(policy.refusal(of: try .sample(uri: "tel:+1-201-555-0123")) == nil)
        var request = try SIPRequest.sample(headers: ["Content-Type": "Text/Plain"])
        request.body = [65]
        #expect(
            policy.refusal(of: request) == SIPRefusal(.unsupportedMediaType, headers: ["Accept": "application/sdp"]))
        request.headers["Content-Disposition"] = "render;handling=optional"
        #expect(policy.refusal(of: request) == nil)
        request.headers = ["Content-Type": "application/sdp", "Content-Encoding": "gzip"]
        #expect(policy.refusal(of: request)?.headers["Accept-Encoding"] == "identity")
        #expect(policy.refusal(of: try .sample(headers: ["Accept": "text/plain"]))?.status == .notAcceptable)
        #expect(policy.refusal(of: try .sample(headers: ["Accept": "application/*;q=0.5"])) == nil)
        var info = try SIPRequest.sample(.info, headers: ["Content-Type": "application/dtmf-relay"])
        info.body = [65]
        #expect(policy.refusal(of: info) == nil)
    }

    @Test("S-28: what OPTIONS is answered with")
    func capabilities() {
        #expect(policy.capabilities["Allow"] == policy.allow)
        #expect(policy.capabilities["Supported"] == "100rel, timer")
    }

    @Test(
        "S-11: a missing mandatory field is 400 with the reason", arguments: ["Via", "From", "To", "Call-ID", "CSeq"])
    func missing(name: String) throws {
        let text = String(decoding: try SIPRequest.sample().bytes, as: UTF8.self)
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("\(name):") }
        let error = try SIPParser.failure(Array(lines.joined(separator: "\r\n").utf8))
        #expect(error.status == SIPStatus(400, "Bad Request (\(name) is missing)"))
        #expect((error.reply == nil) == (name == "Via"))
    }
}
