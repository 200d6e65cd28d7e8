// The four transaction machines, as tables of events and actions.

import Testing

@testable import SIPCore

@Suite struct TransactionTests {
    private let times = TransactionTimes()
    private func milliseconds(_ count: Int) -> Duration { .milliseconds(count) }

    /// Fires `timer` until `stop` fires in virtual time, and returns the times of every message sent.
    private func sendTimes<Machine>(
        _ machine: inout Machine, _ actions: [TransactionAction],
        fire: (inout Machine, TransactionTimer) -> [TransactionAction]
    ) -> (sent: [Duration], end: [TransactionAction], at: Duration) {
        var now = Duration.zero
        var timers: [TransactionTimer: Duration] = [:]
        var sent: [Duration] = []
        var pending = actions
        while true {
            for action in pending {
                switch action {
                case .send: sent.append(now)
                case .setTimer(let timer, let after): timers[timer] = now + after
                case .cancelTimer(let timer): timers[timer] = nil
                default: break
                }
            }
            if pending.contains(.terminated) { return (sent, pending, now) }
            guard let next = timers.min(by: { $0.value < $1.value }) else { return (sent, pending, now) }
            timers[next.key] = nil
            now = next.value
            pending = fire(&machine, next.key)
        }
    }

    @Test("S-01: an INVITE that nobody answers is sent seven times over UDP, and timer B gives up after 32 s")
    func inviteTimeout() throws {
        var machine = InviteClientTransaction(try .sample(), isReliable: false, times: times)
        let run = sendTimes(&machine, machine.start()) { $0.fired($1) }
        #expect(run.sent == [0, 500, 1500, 3500, 7500, 15500, 31500].map(milliseconds))
        #expect(run.at == .seconds(32))
        #expect(run.end == [.cancelTimer(.a), .timedOut, .terminated])
    }

    @Test("S-01: over TCP an INVITE is sent once")
    func inviteTimeoutReliable() throws {
        var machine = InviteClientTransaction(try .sample(), isReliable: true, times: times)
        let run = sendTimes(&machine, machine.start()) { $0.fired($1) }
        #expect(run.sent == [.zero])
        #expect(run.at == .seconds(32))
    }

    @Test("S-01: another request doubles up to T2 and times out after 32 s (timers E and F)")
    func requestTimeout() throws {
        var machine = ClientTransaction(try .sample(.options), isReliable: false, times: times)
        let run = sendTimes(&machine, machine.start()) { $0.fired($1) }
        #expect(
            run.sent
                == [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500].map(milliseconds))
        #expect(run.end.contains(.timedOut))
    }

    @Test("S-01: after a provisional response another request is repeated every T2")
    func requestProceeding() throws {
        let request = try SIPRequest.sample(.options)
        var machine = ClientTransaction(request, isReliable: false, times: times)
        _ = machine.start()
        let trying = SIPResponse(.trying, to: request, tag: nil)
        #expect(machine.receive(trying) == [.deliver(trying)])
        #expect(machine.fired(.e) == [.send(.request(request)), .setTimer(.e, after: .seconds(4))])
        let ok = SIPResponse(.ok, to: request, tag: "x")
        #expect(
            machine.receive(ok) == [
                .cancelTimer(.e), .cancelTimer(.f), .deliver(ok), .setTimer(.k, after: .seconds(5)),
            ])
        #expect(machine.receive(ok).isEmpty)
        #expect(machine.fired(.k) == [.terminated])
    }

    @Test("S-01: a failure without ACK is repeated up to T2 and given up by timer H; over TCP it is sent once")
    func failureWithoutAcknowledgement() throws {
        let request = try SIPRequest.sample()
        let busy = SIPResponse(.busyHere, to: request, tag: "b")
        var machine = InviteServerTransaction(request, isReliable: false, times: times)
        _ = machine.start()
        let run = sendTimes(&machine, machine.send(busy)) { $0.fired($1) }
        #expect(
            run.sent
                == [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500].map(milliseconds))
        #expect(run.end == [.cancelTimer(.g), .timedOut, .terminated])
        var reliable = InviteServerTransaction(request, isReliable: true, times: times)
        let once = sendTimes(&reliable, reliable.send(busy)) { $0.fired($1) }
        #expect(once.sent == [.zero])
    }

    @Test("S-01: timers D, I, J and K are zero over TCP: transactions end with their last message")
    func reliableEnds() throws {
        let invite = try SIPRequest.sample()
        let busy = SIPResponse(.busyHere, to: invite, tag: "b")
        var inviteClient = InviteClientTransaction(invite, isReliable: true, times: times)
        #expect(inviteClient.receive(busy).last == .terminated)
        var inviteServer = InviteServerTransaction(invite, isReliable: true, times: times)
        _ = inviteServer.send(busy)
        #expect(inviteServer.receiveAcknowledgement() == [.cancelTimer(.h), .terminated])
        let bye = try SIPRequest.sample(.bye)
        var client = ClientTransaction(bye, isReliable: true, times: times)
        #expect(client.receive(SIPResponse(.ok, to: bye, tag: nil)).last == .terminated)
        var server = ServerTransaction(bye, isReliable: true, times: times)
        #expect(server.send(SIPResponse(.ok, to: bye, tag: nil)).last == .terminated)
    }

    @Test("S-01: timer J absorbs retransmissions over UDP for 32 s")
    func timerJ() throws {
        let bye = try SIPRequest.sample(.bye)
        let ok = SIPResponse(.ok, to: bye, tag: "t")
        var server = ServerTransaction(bye, isReliable: false, times: times)
        #expect(server.receiveRetransmission().isEmpty)
        #expect(server.send(ok) == [.send(.response(ok)), .setTimer(.j, after: .seconds(32))])
        #expect(server.receiveRetransmission() == [.send(.response(ok))])
        #expect(server.send(SIPResponse(.serverInternalError, to: bye, tag: "t")).isEmpty)
        #expect(server.fired(.j) == [.terminated])
    }

    @Test("S-02: a 100 without To tag is sent after 200 ms, unless something was sent before")
    func trying() throws {
        let request = try SIPRequest.sample()
        var machine = InviteServerTransaction(request, isReliable: false, times: times)
        #expect(machine.start() == [.setTimer(.trying, after: .milliseconds(200))])
        guard case .send(.response(let response))? = machine.fired(.trying).first else {
            throw TestFailure("no response")
        }
        #expect(response.status.code == 100)
        #expect(response.to.tag == nil)
        #expect(response.vias == request.vias)
        var early = InviteServerTransaction(request, isReliable: false, times: times)
        let ringing = SIPResponse(.ringing, to: request, tag: "r")
        #expect(early.send(ringing) == [.cancelTimer(.trying), .send(.response(ringing))])
        #expect(early.fired(.trying).isEmpty)
    }

    @Test("S-04: the ACK of a failure copies branch, Request-URI and Route, and takes To from the response")
    func acknowledgement() throws {
        let request = try SIPRequest.sample(headers: ["Route": "<sip:p1.example.com;lr>, <sip:p2.example.com;lr>"])
        var machine = InviteClientTransaction(request, isReliable: false, times: times)
        _ = machine.start()
        let busy = SIPResponse(.busyHere, to: request, tag: "b")
        let actions = machine.receive(busy)
        guard case .send(.request(let ack)) = actions[2] else { throw TestFailure("no ACK") }
        #expect(ack.method == .ack)
        #expect(ack.uri == request.uri)
        #expect(ack.vias == request.vias)
        #expect(ack.to.tag == "b")
        #expect(ack.cseq == CSeq(314159, .ack))
        #expect(ack.headers.list("Route").count == 2)
        #expect(actions.last == .setTimer(.d, after: .seconds(32)))
        #expect(machine.receive(busy) == [.send(.request(ack))])
        #expect(machine.fired(.d) == [.terminated])
    }

    @Test("S-04: RFC 6026: a 2xx is delivered every time, and a retransmitted INVITE is absorbed, for 32 s")
    func accepted() throws {
        let request = try SIPRequest.sample()
        var client = InviteClientTransaction(request, isReliable: false, times: times)
        let one = SIPResponse(.ok, to: request, tag: "1")
        let two = SIPResponse(.ok, to: request, tag: "2")
        #expect(client.receive(one).contains(.setTimer(.m, after: .seconds(32))))
        #expect(client.receive(two) == [.deliver(two)])
        #expect(client.receive(SIPResponse(.busyHere, to: request, tag: "3")).isEmpty)
        #expect(client.fired(.m) == [.terminated])
        var server = InviteServerTransaction(request, isReliable: false, times: times)
        #expect(server.send(one).contains(.setTimer(.l, after: .seconds(32))))
        #expect(server.receiveRetransmission().isEmpty)
        #expect(server.send(one) == [.send(.response(one))])
        #expect(server.send(SIPResponse(.busyHere, to: request, tag: "1")).isEmpty)
        #expect(server.fired(.l) == [.terminated])
    }

    @Test("S-05: a retransmitted INVITE gets the last response again")
    func retransmission() throws {
        let request = try SIPRequest.sample()
        var machine = InviteServerTransaction(request, isReliable: false, times: times)
        #expect(machine.receiveRetransmission().isEmpty)
        let ringing = SIPResponse(.ringing, to: request, tag: "r")
        _ = machine.send(ringing)
        #expect(machine.receiveRetransmission() == [.send(.response(ringing))])
        let busy = SIPResponse(.busyHere, to: request, tag: "r")
        _ = machine.send(busy)
        #expect(machine.receiveRetransmission() == [.send(.response(busy))])
        #expect(
            machine.receiveAcknowledgement() == [
                .cancelTimer(.g), .cancelTimer(.h), .setTimer(.i, after: .seconds(5)),
            ])
        #expect(machine.receiveRetransmission().isEmpty)
        #expect(machine.fired(.i) == [.terminated])
    }

    @Test("A failing transport ends a client transaction at once")
    func transportFailure() throws {
        var invite = InviteClientTransaction(try .sample(), isReliable: true, times: times)
        #expect(invite.transportFailed() == [.transportFailed, .terminated])
        var bye = ClientTransaction(try .sample(.bye), isReliable: true, times: times)
        #expect(bye.transportFailed() == [.transportFailed, .terminated])
        #expect(bye.fired(.f).isEmpty)
    }
}
