// Registrations.

import Testing

@testable import SIPCore

@Suite struct RegistrarTests {
    private func register(
        _ contacts: [String], expires: String? = nil, callID: String = "r1", sequence: UInt32 = 1,
        to: String = "sip:alice@example.com"
    ) throws -> SIPRequest {
        var headers = SIPHeaders()
        headers["Expires"] = expires
        for contact in contacts { headers.append("Contact", contact) }
        let address = NameAddress(try SIPURI(to))
        return SIPRequest(
            .register, try SIPURI("sip:example.com"), from: address, to: address, callID: callID, sequence: sequence,
            headers: headers)
    }

    private let alice = SIPURI(user: "alice", SIPHostPort(.name("EXAMPLE.com")))

    @Test("S-28: bindings are added, replaced, ordered by q, told in the 200, and end")
    func bindings() throws {
        var registrar = Registrar()
        let contacts = ["<sip:alice@192.0.2.1>;q=0.5;expires=120", "<sip:alice@192.0.2.2>;q=0.75"]
        let headers = try registrar.register(try register(contacts, expires: "600"), now: .seconds(10))
        #expect(headers.all("Contact") == ["<sip:alice@192.0.2.2>;expires=600", "<sip:alice@192.0.2.1>;expires=120"])
        #expect(registrar.bindings(of: alice, now: .seconds(10)).map(\.preference) == [750, 500])
        #expect(registrar.bindings(of: alice, now: .seconds(200)).map(\.preference) == [750])
        _ = try registrar.register(try register(["<sip:ALICE@192.0.2.1>"], sequence: 2), now: .seconds(300))
        _ = try registrar.register(try register(["<sip:alice@192.0.2.2>"], sequence: 3), now: .seconds(300))
        #expect(registrar.bindings(of: alice, now: .seconds(300)).count == 2)
        #expect(try registrar.register(try register([], sequence: 4), now: .seconds(301)).all("Contact").count == 2)
        #expect(registrar.bindings(of: alice, now: .seconds(4000)).isEmpty)
    }

    @Test("S-28: Expires 0 removes one binding, * all; * with anything else is 400")
    func removal() throws {
        var registrar = Registrar()
        _ = try registrar.register(try register(["<sip:a@192.0.2.1>", "<sip:a@192.0.2.2>"]), now: .zero)
        _ = try registrar.register(try register(["<sip:a@192.0.2.1>;expires=0"], sequence: 2), now: .zero)
        #expect(registrar.bindings(of: alice, now: .zero).map(\.contact.description) == ["sip:a@192.0.2.2"])
        for (contacts, expires) in [(["*"], "1"), (["*"], nil), (["*", "<sip:a@192.0.2.1>"], "0")] {
            let refusal = try #require(throws: SIPRefusal.self) {
                _ = try registrar.register(try register(contacts, expires: expires, sequence: 3), now: .zero)
            }
            #expect(refusal.status.code == 400)
        }
        #expect(try registrar.register(try register(["*"], expires: "0", sequence: 4), now: .zero).fields.isEmpty)
        #expect(registrar.bindings(of: alice, now: .zero).isEmpty)
    }

    @Test("S-28: too brief is 423 with Min-Expires, too long is cut, and a refusal changes nothing")
    func intervals() throws {
        var registrar = Registrar()
        let brief = try register(["<sip:a@192.0.2.1>", "<sip:a@192.0.2.2>;expires=5"])
        let refusal = try #require(throws: SIPRefusal.self) { _ = try registrar.register(brief, now: .zero) }
        #expect(refusal == SIPRefusal(.intervalTooBrief, headers: ["Min-Expires": "60"]))
        #expect(registrar.bindings(of: alice, now: .zero).isEmpty)
        let long = try registrar.register(try register(["<sip:a@192.0.2.1>;expires=280297596632815"]), now: .zero)
        #expect(long["Contact"] == "<sip:a@192.0.2.1>;expires=3600")
    }

    @Test("A REGISTER that was overtaken changes nothing; the number of bindings and addresses is bounded")
    func orderAndBounds() throws {
        var registrar = Registrar(policy: Registrar.Policy(addresses: 1, bindingsOfAddress: 1))
        _ = try registrar.register(try register(["<sip:a@192.0.2.1>"], sequence: 5), now: .zero)
        #expect(throws: SIPRefusal(.serverInternalError)) {
            try registrar.register(try register(["<sip:a@192.0.2.1>;expires=0"], sequence: 4), now: .zero)
        }
        _ = try registrar.register(try register(["<sip:a@192.0.2.1>"], callID: "new", sequence: 1), now: .zero)
        #expect(throws: SIPRefusal(.forbidden)) {
            try registrar.register(try register(["<sip:a@192.0.2.2>"], sequence: 6), now: .zero)
        }
        let other = try register(["<sip:b@192.0.2.1>"], to: "sip:bob@example.com")
        #expect(throws: SIPRefusal(.serviceUnavailable)) { try registrar.register(other, now: .zero) }
        _ = try registrar.register(other, now: .seconds(3601))
        #expect(registrar.bindings(of: other.to.uri, now: .seconds(3601)).count == 1)
    }

    @Test("RFC 4475 escnull: names with an escaped null are whole names")
    func escapedNull() throws {
        var registrar = Registrar()
        let request = try SIPParser.request(ValidMessages.escnull)
        #expect(try registrar.register(request, now: .zero).all("Contact").count == 2)
        #expect(registrar.bindings(of: try SIPURI("sip:null-@example.com"), now: .zero).isEmpty)
        #expect(registrar.bindings(of: try SIPURI("sip:null-%00-null@EXAMPLE.com;x=1"), now: .zero).count == 2)
    }
}
