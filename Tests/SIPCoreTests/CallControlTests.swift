// Forking, reliable provisional responses, session timers, loops.

import Testing

@testable import SIPCore

@Suite struct CallControlTests {
    private func response(_ code: UInt16, headers: SIPHeaders = [:]) throws -> SIPResponse {
        SIPResponse(SIPStatus(code, "x"), to: try .sample(), tag: "t", headers: headers)
    }

    // MARK: Forking

    @Test("S-25: the first 2xx is forwarded and cancels the others; a second is not")
    func firstSuccess() throws {
        var branches = BranchSet<Int>()
        for branch in 1...3 { branches.add(branch) }
        let ringing = try response(180)
        #expect(branches.receive(ringing, from: 1, isLast: true) == [.forward(ringing, from: 1)])
        #expect(branches.receive(try response(100), from: 2, isLast: true).isEmpty)
        let ok = try response(200)
        let actions = branches.receive(ok, from: 2, isLast: true)
        #expect(actions.first == .forward(ok, from: 2))
        #expect(Set(actions.dropFirst()) == [.cancel(1), .cancel(3)])
        #expect(branches.receive(try response(487), from: 1, isLast: true).isEmpty)
        #expect(branches.receive(ok, from: 3, isLast: true).isEmpty)
    }

    @Test("S-25: a 6xx cancels the others and is forwarded when they have ended")
    func globalFailure() throws {
        var branches = BranchSet<Int>()
        branches.add(1)
        branches.add(2)
        #expect(branches.receive(try response(603), from: 1, isLast: false) == [.cancel(2)])
        #expect(branches.isClosed)
        let actions = branches.receive(try response(487), from: 2, isLast: false)
        #expect(actions == [.forward(try response(603), from: 1)])
    }

    @Test("S-25: the lowest class is best; 503 becomes 500; nothing at all is 408")
    func bestFailure() throws {
        var branches = BranchSet<Int>()
        for branch in 1...3 { branches.add(branch) }
        #expect(branches.receive(try response(503), from: 1, isLast: true).isEmpty)
        #expect(branches.receive(try response(486), from: 2, isLast: true).isEmpty)
        #expect(branches.timedOut(3, isLast: true) == [.forward(try response(486), from: 2)])
        var unavailable = BranchSet<Int>()
        unavailable.add(1)
        var expected = try response(503)
        expected.status = .serverInternalError
        #expect(unavailable.receive(try response(503), from: 1, isLast: true) == [.forward(expected, from: 1)])
        var silent = BranchSet<Int>()
        silent.add(1)
        #expect(silent.timedOut(1, isLast: true) == [.timedOut])
    }

    @Test("S-25: in sequence: a failure waits for the next destination")
    func sequence() throws {
        var branches = BranchSet<Int>()
        branches.add(1)
        #expect(branches.receive(try response(486), from: 1, isLast: false).isEmpty)
        #expect(branches.isIdle)
        branches.add(2)
        #expect(branches.receive(try response(404), from: 2, isLast: true) == [.forward(try response(486), from: 1)])
    }

    @Test("A-05: challenges of all forks reach the caller together")
    func challenges() throws {
        var branches = BranchSet<Int>()
        branches.add(1)
        branches.add(2)
        _ = branches.receive(try response(401, headers: ["WWW-Authenticate": "Digest a"]), from: 1, isLast: true)
        let actions = branches.receive(
            try response(407, headers: ["Proxy-Authenticate": "Digest b"]), from: 2, isLast: true)
        guard case .forward(let best, from: 1) = actions.first else { throw TestFailure("nothing") }
        #expect(best.headers["WWW-Authenticate"] == "Digest a")
        #expect(best.headers["Proxy-Authenticate"] == "Digest b")
    }

    // MARK: 100rel

    @Test("S-29: reliable provisional responses are sent one at a time, repeated, and end in 504")
    func reliableSender() throws {
        var sender = ReliableProvisionalSender(firstSequence: 813)
        let progress = try response(183)
        guard case .send(let first, .milliseconds(500))? = sender.send(progress) else { throw TestFailure("") }
        #expect(first.headers["RSeq"] == "813")
        #expect(first.headers.contains("100rel", in: "Require"))
        #expect(sender.send(try response(180)) == nil)
        #expect(sender.isUnacknowledged)
        #expect(sender.receive(RAck(812, first.cseq)).isMatching == false)
        #expect(sender.receive(RAck(813, CSeq(1, .invite))).isMatching == false)
        let (isMatching, next) = sender.receive(RAck(813, first.cseq))
        #expect(isMatching)
        guard case .send(let second, _)? = next else { throw TestFailure("") }
        #expect(second.headers["RSeq"] == "814")
        #expect(second.status.code == 180)
        var count = 0
        while case .send? = sender.step() { count += 1 }
        #expect(count == 6)
        #expect(!sender.isUnacknowledged)
    }

    @Test("S-29: reliable provisional responses are acknowledged in order; others before their turn are dropped")
    func reliableReceiver() throws {
        var receiver = ReliableProvisionalReceiver()
        func reliable(_ sequence: Int) throws -> SIPResponse {
            try response(183, headers: ["Require": "100rel", "RSeq": "\(sequence)"])
        }
        #expect(receiver.receive(try response(180)) == .unreliable)
        let cseq = CSeq(314159, .invite)
        #expect(receiver.receive(try reliable(5)) == .acknowledge(RAck(5, cseq)))
        #expect(receiver.receive(try reliable(5)) == .drop)
        #expect(receiver.receive(try reliable(7)) == .drop)
        #expect(receiver.receive(try reliable(6)) == .acknowledge(RAck(6, cseq)))
        #expect(RAck(6, cseq).description == "6 314159 INVITE")
        #expect(try RAck("776656  1 INVITE") == RAck(776656, CSeq(1, .invite)))
    }

    // MARK: Session timers

    @Test("S-27: an interval below the minimum is 422 with Min-SE, and the client raises its own")
    func tooSmall() throws {
        let policy = SessionTimer.Policy(interval: 1800, minimum: 120)
        let request = try SIPRequest.sample(headers: ["Supported": "timer", "Session-Expires": "100"])
        let refusal = try #require(throws: SIPRefusal.self) { try SessionTimer.answer(request, policy: policy) }
        #expect(refusal == SIPRefusal(.sessionIntervalTooSmall, headers: ["Min-SE": "120"]))
        let minimum = SessionTimer.minimum(of: refusal.response(to: request, tag: "t"))
        #expect(minimum == 120)
        let again = SessionTimer.request(policy: SessionTimer.Policy(interval: 100, minimum: 90), minimum: minimum)
        #expect(again["Session-Expires"] == "120")
        #expect(again["Min-SE"] == "120")
    }

    @Test("S-27: who refreshes: as the client says, else the client where it can, else this node")
    func refresher() throws {
        func answer(_ headers: SIPHeaders) throws -> (SessionTimer, SIPHeaders) {
            try SessionTimer.answer(try .sample(headers: headers), policy: SessionTimer.Policy())
        }
        let (byClient, one) = try answer(["Supported": "timer", "Session-Expires": "600"])
        #expect(!byClient.isRefresher)
        #expect(one["Session-Expires"] == "600;refresher=uac")
        #expect(one["Require"] == "timer")
        let (byServer, two) = try answer(["k": "timer", "x": "4000;refresher=uas"])
        #expect(byServer.isRefresher)
        #expect(two["Session-Expires"] == "1800;refresher=uas")
        let (unsupported, three) = try answer([:])
        #expect(unsupported.isRefresher)
        #expect(three["Require"] == nil)
        let (raised, _) = try answer(["Supported": "timer", "Session-Expires": "3600", "Min-SE": "2400"])
        #expect(raised.interval == 2400)
    }

    @Test("S-27: refresh at half the interval, BYE shortly before its end; no Session-Expires, no timer")
    func times() throws {
        let accepted = try response(200, headers: ["Session-Expires": "90;refresher=uac"])
        let timer = try #require(SessionTimer(accepted: accepted))
        #expect(timer.isRefresher)
        #expect(timer.refreshAfter == .seconds(45))
        #expect(timer.expireAfter == .seconds(60))
        let long = try response(200, headers: ["Session-Expires": "1800 ; refresher = uas"])
        #expect(SessionTimer(accepted: long)?.isRefresher == false)
        #expect(SessionTimer(accepted: long)?.expireAfter == .seconds(1768))
        #expect(SessionTimer(accepted: try response(200)) == nil)
    }

    @Test("S-27: no peer makes a session last longer than a day without a refresh")
    func longest() throws {
        let endless = try response(200, headers: ["Session-Expires": "4294967295;refresher=uas"])
        #expect(SessionTimer(accepted: endless)?.expireAfter == .seconds(86_400 - 32))
        let request = try SIPRequest.sample(headers: ["Supported": "timer", "Min-SE": "4294967295"])
        #expect(try SessionTimer.answer(request, policy: .init()).timer.interval == 86_400)
    }

    // MARK: Loops

    @Test("S-07: a request that comes back to the same Request-URI is a loop, to another a spiral")
    func loops() throws {
        let own = [SIPHostPort(.name("node.example.com"), 5060)]
        let incoming = try SIPRequest.sample()
        let branch = LoopDetection.branch(for: incoming, unique: "8f1e6c0a9b3d4e72")
        #expect(branch.hasPrefix("z9hG4bK"))
        var back = try SIPRequest.sample(fromTag: "othertag", callID: "other")
        back.vias = [back.vias[0], Via(.udp, SIPHostPort(.name("Node.example.com")), branch: branch)]
        #expect(LoopDetection.isLoop(back, ownPlaces: own))
        #expect(!LoopDetection.isLoop(incoming, ownPlaces: own))
        back.uri = try SIPURI("sip:carol@biloxi.example.com")
        #expect(!LoopDetection.isLoop(back, ownPlaces: own))
    }

    @Test("S-07: Max-Forwards goes down by one, and is 70 where it is missing")
    func maxForwards() throws {
        #expect(LoopDetection.maxForwards(after: try .sample()) == 70)
        #expect(LoopDetection.maxForwards(after: try .sample(headers: ["Max-Forwards": "8"])) == 7)
        let policy = RequestPolicy(methods: [.invite], extensions: [])
        #expect(policy.refusal(of: try .sample(headers: ["Max-Forwards": "0"]))?.status == .tooManyHops)
    }
}
