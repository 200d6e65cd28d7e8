// RFC 4475 sections 3.2 to 3.4: well-formed messages that the layers above must handle.

import Testing

@testable import SIPCore

@Suite("S-10: RFC 4475 sections 3.2 to 3.4") struct ApplicationMessageTests {
    private let policy = RequestPolicy(
        methods: [.invite, .ack, .bye, .cancel, .options, .register], extensions: ["100rel", "timer"])

    @Test("badbranch: a branch of the cookie alone identifies nothing")
    func badbranch() throws { #expect(try SIPParser.request(ApplicationMessages.badbranch).vias[0].branch == nil) }

    @Test("insuf: mandatory fields are missing")
    func insuf() throws {
        let error = try SIPParser.failure(ApplicationMessages.insuf)
        #expect(error.status.code == 400)
        #expect(error.description == "From is missing")
        #expect(try #require(error.reply).fields.map(\.name) == ["CSeq", "Via"])
    }

    @Test("unkscm and novelsc: unknown schemes are 416", arguments: ["unkscm", "novelsc"])
    func unknownScheme(name: String) throws {
        let bytes = name == "unkscm" ? ApplicationMessages.unkscm : ApplicationMessages.novelsc
        #expect(policy.refusal(of: try SIPParser.request(bytes))?.status == .unsupportedURIScheme)
    }

    @Test("unksm2: unknown schemes in To, From and Contact are no syntax error")
    func unksm2() throws {
        let request = try SIPParser.request(ApplicationMessages.unksm2)
        #expect(request.to.uri.scheme == .other("isbn"))
        #expect(request.from.uri.opaque == "//www.example.com")
        #expect(request.headers.contact?.uri.scheme == .other("name"))
    }

    @Test("bext01: unknown extensions are listed")
    func bext01() throws {
        let refusal = policy.refusal(of: try SIPParser.request(ApplicationMessages.bext01))
        let tags = "nothingSupportsThis, nothingSupportsThisEither, noProxiesSupportThis, norDoAnyProxiesSupportThis"
        #expect(refusal == SIPRefusal(.badExtension, headers: ["Unsupported": tags]))
    }

    @Test("invut: an unknown body is 415 with Accept")
    func invut() throws {
        let refusal = policy.refusal(of: try SIPParser.request(ApplicationMessages.invut))
        #expect(refusal == SIPRefusal(.unsupportedMediaType, headers: ["Accept": "application/sdp"]))
    }

    @Test("regaut01: an unknown scheme of authorization is no syntax error")
    func regaut01() throws {
        let request = try SIPParser.request(ApplicationMessages.regaut01)
        #expect(request.headers["Authorization"] == "NoOneKnowsThisScheme opaque-data=here")
    }

    @Test("multi01: values that may stand once stand twice")
    func multi01() throws {
        let error = try SIPParser.failure(ApplicationMessages.multi01)
        #expect(error.status.code == 400)
        #expect(error.description.hasSuffix("stands twice"))
        #expect(error.reply != nil)
    }

    @Test("mcl01: two values of Content-Length; a connection cannot go on")
    func mcl01() throws {
        #expect(try SIPParser.failure(ApplicationMessages.mcl01).description == "Content-Length stands twice")
        var decoder = SIPStreamDecoder()
        decoder.append(ApplicationMessages.mcl01)
        let error = try #require(throws: SIPParseError.self) { try decoder.next() }
        #expect(error.reply != nil)
    }

    @Test("bcast: a response with two Vias is not for a user agent")
    func bcast() throws {
        let response = try SIPParser.response(ApplicationMessages.bcast)
        #expect(response.vias.count == 2)
    }

    @Test("zeromf: OPTIONS may be answered, anything else is 483 (S-07)")
    func zeromf() throws {
        var request = try SIPParser.request(ApplicationMessages.zeromf)
        #expect(policy.refusal(of: request) == nil)
        request.method = .invite
        #expect(policy.refusal(of: request)?.status == .tooManyHops)
    }

    @Test("cparam01 and cparam02: parameters belong to the field or to the URI")
    func cparam() throws {
        let field = try #require(try SIPParser.request(ApplicationMessages.cparam01).headers.contact)
        #expect(field.parameters.contains("unknownparam"))
        #expect(field.uri.parameters.all.isEmpty)
        let uri = try #require(try SIPParser.request(ApplicationMessages.cparam02).headers.contact)
        #expect(uri.uri.parameters.contains("unknownparam"))
        #expect(uri.parameters.all.isEmpty)
    }

    @Test("regescrt: header fields in a Contact URI are kept")
    func regescrt() throws {
        let contact = try #require(try SIPParser.request(ApplicationMessages.regescrt).headers.contact)
        #expect(contact.uri.headers == "Route=%3Csip:sip.example.com%3E")
        #expect(contact.description == "<sip:user@example.com?Route=%3Csip:sip.example.com%3E>")
    }

    @Test("sdp01: a peer that takes no session description is refused with 406")
    func sdp01() throws {
        #expect(policy.refusal(of: try SIPParser.request(ApplicationMessages.sdp01))?.status == .notAcceptable)
    }

    @Test("inv2543: a request of RFC 2543")
    func inv2543() throws {
        let request = try SIPParser.request(ApplicationMessages.inv2543)
        #expect(request.from.tag == nil)
        #expect(request.vias[0].branch == nil)
        #expect(request.body.count == 105)
        #expect(policy.refusal(of: request) == nil)
        #expect(LoopDetection.maxForwards(after: request) == 70)
    }
}
