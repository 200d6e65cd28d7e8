// RFC 4475 section 3.1.1: messages that must be understood.

import RTPWire
import Testing

@testable import SIPCore

@Suite("S-10: RFC 4475 section 3.1.1") struct ValidMessageTests {
    @Test("wsinv: folding, white space, compact forms, empty values")
    func wsinv() throws {
        let request = try SIPParser.request(ValidMessages.wsinv)
        #expect(request.method == .invite)
        #expect(request.uri.description == "sip:vivekg@chair-dnrc.example.com;unknownparam")
        #expect(request.uri.parameters.contains("UnknownParam"))
        #expect(request.to.tag == "1918181833n")
        #expect(request.to.uri.description == "sip:vivekg@chair-dnrc.example.com")
        #expect(request.from.displayName == #"J Rosenberg \""#)
        #expect(request.from.tag == "98asjd8")
        #expect(request.headers.maxForwards == 68)
        #expect(request.sequence == 9)
        #expect(request.vias.map(\.transport) == [.udp, .tcp, .udp])
        #expect(request.vias.map(\.branch) == [nil, "z9hG4bK9ikj8", "z9hG4bK30239"])
        #expect(request.vias.map(\.sentBy.description) == ["192.0.2.2", "spindle.example.com", "192.168.255.111"])
        #expect(request.headers["Subject"] == "")
        #expect(request.headers["newfangledheader"] == "newfangled value continued newfangled value")
        #expect(request.headers["UnknownHeaderWithUnusualValue"] == ";;,,;;,;")
        let contact = try #require(request.headers.contact)
        #expect(contact.displayName == #"Quoted string """#)
        #expect(contact.parameters["newparam"] == "newvalue")
        #expect(contact.parameters.contains("secondparam"))
        #expect(contact.parameters["q"] == "0.33")
        #expect(request.nextHop.description.hasPrefix("sip:services.example.com;lr;unknownwith=value"))
        #expect(request.body.count == 150)
    }

    @Test("intmeth: every character that the grammar allows")
    func intmeth() throws {
        let request = try SIPParser.request(ValidMessages.intmeth)
        #expect(request.method == .other("!interesting-Method0123456789_*+`.%indeed'~"))
        #expect(request.uri.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*")
        #expect(request.uri.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)")
        #expect(request.uri.place?.description == "example.com")
        #expect(request.vias[0].branch == "z9hG4bK-.!%66*_+`'~")
        #expect(request.to.displayName == "BEL:\u{7} NUL:\u{0} DEL:\u{7f}")
        #expect(request.from.displayName == "token1~` token2'+_ token3*%!.-")
        #expect(request.from.parameters["fromParam''~+*_!.-%"] == "работающий")
        #expect(request.from.tag == "_token~1'+`*%!-.")
        #expect(request.callID == #"intmeth.word%ZK-!.*_+'@word`~)(><:\/"][?}{"#)
        #expect(request.headers["extensionHeader-!.%*+_`'~"] == "\u{feff}大停電")
        let refusal = RequestPolicy(methods: [.invite, .bye], extensions: []).refusal(of: request)
        #expect(refusal == SIPRefusal(.notImplemented, headers: ["Allow": "INVITE, BYE"]))
        #expect(try SIPParser.request(request.bytes) == request)
    }

    @Test("esc01: escapes are kept as written and undone once")
    func esc01() throws {
        let request = try SIPParser.request(ValidMessages.esc01)
        #expect(request.uri.user == "sips%3Auser%40example.com")
        #expect(request.uri.userName == "sips:user@example.com")
        #expect(request.uri.place?.description == "example.net")
        #expect(request.to.uri.isEquivalent(to: try SIPURI("sip:user@example.com")))
        #expect(request.from.uri.userName == "I have spaces")
        let contact = try #require(request.headers.contact)
        #expect(contact.uri.isEquivalent(to: try SIPURI("sip:caller@host5.example.net;lr;name=value%2541")))
        #expect(!contact.uri.isEquivalent(to: try SIPURI("sip:caller@host5.example.net;lr;name=valueA")))
        #expect(request.body.count == 150)
    }

    @Test("escnull: an escaped null does not end a name")
    func escnull() throws {
        let request = try SIPParser.request(ValidMessages.escnull)
        #expect(request.to.uri.userName == "null-\0-null")
        let contacts = try request.headers.addresses("Contact")
        #expect(contacts.map(\.uri.userName) == ["\0", "\0\0"])
        #expect(!contacts[0].uri.isEquivalent(to: contacts[1].uri))
    }

    @Test("esc02: a percent sign is no escape in methods, names of fields and display names")
    func esc02() throws {
        let request = try SIPParser.request(ValidMessages.esc02)
        #expect(request.method == .other("RE%47IST%45R"))
        #expect(request.to.displayName == "%Z%45")
        #expect(try request.headers.addresses("Contact").map(\.uri.user) == ["alias1", "alias3"])
        #expect(request.headers["C%6Fntact"] == "<sip:alias2@host2.example.com>")
        #expect(RequestPolicy(methods: [.register], extensions: []).refusal(of: request)?.status.code == 501)
    }

    @Test("lwsdisp: no space between display name and <")
    func lwsdisp() throws {
        let request = try SIPParser.request(ValidMessages.lwsdisp)
        #expect(request.from.displayName == "caller")
        #expect(request.from.tag == "323")
    }

    @Test("longreq: long values and many Vias")
    func longreq() throws {
        let request = try SIPParser.request(ValidMessages.longreq)
        #expect(request.vias.count == 34)
        #expect(request.vias[33].received == IPAddress(192, 0, 2, 5))
        #expect(request.vias[33].parameters["branch"]?.utf8.count == 215)
        #expect(request.to.uri.place?.transportPort == 6000)
        #expect(request.to.uri.parameters.all.count == 3)
        #expect(request.from.tag?.utf8.count == 155)
        #expect(request.callID.utf8.count == 141)
        #expect(try SIPParser.request(request.bytes) == request)
    }

    @Test("dblreq: what follows the body in a datagram is cut off")
    func dblreq() throws {
        let request = try SIPParser.request(ValidMessages.dblreq)
        #expect(request.method == .register)
        #expect(request.callID == "dblreq.0ha0isndaksdj99sdfafnl3lk233412")
        #expect(request.body.isEmpty)
    }

    @Test("semiuri: a semicolon in the user part begins no parameter")
    func semiuri() throws {
        let request = try SIPParser.request(ValidMessages.semiuri)
        #expect(request.uri.user == "user;par=u%40example.net")
        #expect(request.uri.place?.description == "example.com")
        #expect(request.uri.parameters.all.isEmpty)
        #expect(request.headers.list("Accept").count == 6)
    }

    @Test("transports: unknown transports in Via")
    func transports() throws {
        let request = try SIPParser.request(ValidMessages.transports)
        #expect(request.vias.map(\.transport) == [.udp, .other("SCTP"), .tls, .other("UNKNOWN"), .tcp])
    }

    @Test("mpart01: a binary body is framed by its length")
    func mpart01() throws {
        let request = try SIPParser.request(ValidMessages.mpart01)
        #expect(request.body.count == 553)
        #expect(request.body.contains(0))
        #expect(request.headers.contentType?.parameters["boundary"] == "7a9cbec02ceef655")
        #expect(try SIPParser.request(request.bytes).body == request.body)
    }

    @Test("unreason: UTF-8 in the reason phrase")
    func unreason() throws {
        let response = try SIPParser.response(ValidMessages.unreason)
        #expect(response.status == SIPStatus(200, "= 2**3 * 5**2 но сто девяносто девять - простое"))
        #expect(response.cseq == CSeq(35, .invite))
    }

    @Test("noreason: an empty reason phrase")
    func noreason() throws {
        let response = try SIPParser.response(ValidMessages.noreason)
        #expect(response.status == SIPStatus(100, ""))
        #expect(String(decoding: response.bytes.prefix(13), as: UTF8.self) == "SIP/2.0 100 \r")
    }
}
