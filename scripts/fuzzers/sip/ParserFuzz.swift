// Datagrams: what can be read is printed so that it says the same, what cannot be is answered with SIP, and everything that a node
// looks at in a message can be looked at.

import RTPWire
import SDP
import SIPCore

enum ParserFuzz {
    private static let policy = RequestPolicy(
        methods: [.invite, .ack, .bye, .cancel, .options, .update, .prack, .register], extensions: ["100rel", "timer"])
    private static let peer = IPAddress(192, 0, 2, 7)

    static func run(_ bytes: [UInt8]) {
        do throws(SIPParseError) {
            guard let message = try SIPParser.parse(datagram: bytes) else { return }
            check(message)
            switch message {
            case .request(let request): look(at: request)
            case .response(let response): look(at: response)
            }
        } catch {
            answer(error)
        }
    }

    /// Printed and read again, a message says the same.
    static func check(_ message: SIPMessage) {
        // The printed message is longer: compact names are written out, and it has a Content-Length.
        let limits = SIPLimits(headerBytes: 1 << 20, headerFields: 1024, vias: 100, bodyBytes: 1 << 20)
        guard let again = try? SIPParser.parse(datagram: message.bytes, limits: limits) else {
            preconditionFailure("what is printed can be read")
        }
        precondition(again.bytes == message.bytes, "what is printed stays the same")
    }

    /// The answer to what could not be read is one response, which goes where the topmost Via says.
    static func answer(_ error: SIPParseError) {
        guard let reply = error.reply else { return }
        _ = reply.via.responseDestination
        let bytes = reply.bytes(error.status, tag: "fuzz", from: peer, transportPort: 5060)
        precondition(bytes.starts(with: Array("SIP/2.0 \(error.status.code) ".utf8)), "it is a response")
        var ends = 0
        for index in bytes.indices.dropLast() where bytes[index] == 0x0d && bytes[index + 1] == 0x0a { ends += 1 }
        // Start line, fields, Content-Length, the empty line: nothing that the peer wrote has become a line of its own.
        precondition(ends == reply.fields.count + 3, "every field is one line")
    }

    private static func look(at received: SIPRequest) {
        var request = received
        request.noteSource(peer, transportPort: 5060)
        check(.request(request))
        let places = [request.vias[0].sentBy]
        _ = LoopDetection.isLoop(request, ownPlaces: places)
        let hops = LoopDetection.maxForwards(after: request)
        precondition(hops < 255, "every hop counts")
        request.takeOwnRoute(ownPlaces: places)
        _ = (request.nextHop, request.vias[0].responseDestination, request.sessionDescription)
        precondition(request.uri.isEquivalent(to: request.uri), "a URI is itself")
        if let refusal = policy.refusal(of: request) {
            check(.response(refusal.response(to: request, tag: "fuzz")))
        }
        if request.method == .register { register(request) }
        guard var dialog = Dialog(received: request, tag: "local", state: .confirmed) else { return }
        let via = Via(.udp, places[0], branch: "z9hG4bKfuzz")
        check(.request(dialog.request(.bye, via: via)))
        _ = (dialog.nextHop, dialog.isSecure)
    }

    private static func register(_ request: SIPRequest) {
        var registrar = Registrar()
        for now in [Duration.zero, .seconds(30)] {
            do throws(SIPRefusal) {
                let headers = try registrar.register(request, now: now)
                check(.response(SIPResponse(.ok, to: request, tag: "fuzz", headers: headers)))
            } catch {
                check(.response(error.response(to: request, tag: "fuzz")))
            }
        }
        registrar.expire(now: .seconds(100_000_000_000))
        precondition(registrar.bindings(of: request.to.uri, now: .seconds(100_000_000_000)).isEmpty, "bindings end")
    }

    private static func look(at response: SIPResponse) {
        _ = response.sessionDescription
        // As if it answered an INVITE of this node.
        let invite = SIPRequest(
            .invite, response.to.uri, vias: [response.vias[0]], from: response.from, to: response.to,
            callID: response.callID, sequence: response.cseq.sequence)
        var fork = ForkedInvite(invite)
        for _ in 0..<2 { _ = fork.receive(response) }
        precondition(fork.dialogs.count <= 1, "one tag is one dialog")
        if !response.status.isProvisional, !response.status.isSuccess {
            check(.request(invite.acknowledgement(ofFailure: response)))
        }
    }
}
