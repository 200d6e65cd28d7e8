// The requests of a client session.

import Timing

extension ClientSession {
    mutating func send(
        _ method: RTSPMethod, _ url: RTSPURL, purpose: Purpose = .negotiation, headers: RTSPHeaders = [:],
        at now: UInt64
    ) -> ClientAction {
        var headers = headers
        headers["User-Agent"] = settings.userAgent
        if let session { headers["Session"] = session.id }
        let wait =
            switch purpose {
            case .teardown, .probe: settings.teardownTime
            // Some servers never answer it.
            case .negotiation where method == .options: settings.replyTime / 2
            case .negotiation, .keepAlive: settings.replyTime
            }
        return send(
            Pending(
                request: RTSPRequest(method, url.description, headers: headers), purpose: purpose,
                deadline: now.addingSaturating(wait))
        )
    }

    /// Numbers and authenticates a request, again where it is repeated (RFC 2326 section 12.17).
    mutating func send(_ pending: Pending) -> ClientAction {
        var pending = pending
        sequence &+= 1
        pending.request.headers["CSeq"] = "\(sequence)"
        pending.request.headers["Authorization"] = authenticator?.authorization(
            method: pending.request.method.name, uri: pending.request.uri, body: pending.request.body)
        self.pending[sequence] = pending
        return .send(.request(pending.request))
    }

    mutating func describe(at now: UInt64) -> ClientAction {
        state = .describing
        return send(.describe, url, headers: ["Accept": "application/sdp"], at: now)
    }

    /// SETUP of a stream by the first transport of its plan, from `attempt` on, that is still worth trying.
    mutating func setUpStream(_ stream: Int, attempt: Int, at now: UInt64) -> [ClientAction] {
        guard plans.indices.contains(stream) else {
            guard !streams.isEmpty else {
                return tearDown(.end(refusal ?? ClientSessionEnd(.badGateway, "no stream is set up")), at: now)
            }
            state = .prepared
            return [.prepared(streams)]
        }
        var attempt = attempt
        let transports = plans[stream].transports
        if isInterleavedOnly {
            while transports.indices.contains(attempt), transports[attempt] != .interleaved { attempt += 1 }
        }
        guard transports.indices.contains(attempt) else {
            let tried = transports.map(\.rawValue).joined(separator: ", ")
            let end = ClientSessionEnd(.badGateway, "stream \(stream): the upstream accepts none of \(tried)")
            return leaveOut(stream, refusal ?? end, at: now)
        }
        switch transports[attempt] {
        case .udp:
            state = .offering(stream: stream, attempt: attempt)
            return [.needsUDPPorts(stream: stream)]
        case .multicast:
            return sendSetUp(
                stream, attempt, TransportSpecification(delivery: .multicast), at: now)
        case .interleaved:
            let channels = TransportSpecification.Pair(UInt8(stream * 2), UInt8(stream * 2 + 1))
            return sendSetUp(
                stream, attempt,
                TransportSpecification(
                    lowerTransport: .tcp, delivery: .unicast, interleaved: channels), at: now)
        }
    }

    /// Continues without a stream: the refusal of one does not end the others.
    mutating func leaveOut(_ stream: Int, _ end: ClientSessionEnd, at now: UInt64) -> [ClientAction] {
        refusal = refusal ?? end
        let note = ClientAction.note("stream \(stream): left out: \(end.reason)")
        return (plans.count > 1 ? [note] : []) + setUpStream(stream + 1, attempt: 0, at: now)
    }

    mutating func sendSetUp(
        _ stream: Int, _ attempt: Int, _ transport: TransportSpecification, at now: UInt64
    ) -> [ClientAction] {
        guard let url = base.resolving(control: plans[stream].control) else {
            return tearDown(
                .end(
                    ClientSessionEnd(
                        .badGateway,
                        "stream \(stream): the control URL '\(plans[stream].control ?? "")' cannot be read")),
                at: now)
        }
        asked = transport
        asked.profile = plans[stream].profile
        state = .settingUp(stream: stream, attempt: attempt)
        var headers: RTSPHeaders = ["Transport": asked.description]
        if let message = plans[stream].keyManagement {
            headers["KeyMgmt"] = "prot=mikey;uri=\"\(url)\";data=\"\(message)\""
        }
        return [send(.setup, url, headers: headers, at: now)]
    }

    /// Some cameras insist on a Range, and some of these on the form that most players write; some insist on none: both are tried.
    mutating func sendPlay(at now: UInt64) -> ClientAction {
        let beginning = RangeHeader(.npt(.nanoseconds(0), nil))
        return send(.play, presentation, headers: withoutRange ? [:] : ["Range": beginning.description], at: now)
    }

    // MARK: The end

    /// Ends at once.
    mutating func end(_ status: RTSPStatus, _ reason: String, isOfServer: Bool = false) -> [ClientAction] {
        finish(.end(ClientSessionEnd(status, reason, isOfServer: isOfServer)))
    }

    /// Sends a TEARDOWN, where there is a session, and does the rest when it is answered.
    mutating func tearDown(_ closing: Closing, at now: UInt64) -> [ClientAction] {
        switch state {
        case .ended: return []
        case .closing:
            if case .end = closing { state = .closing(closing) }
            return []
        default: break
        }
        guard session != nil, state != .connecting else { return finish(closing) }
        pending = [:]
        keepAliveDue = nil
        state = .closing(closing)
        return [send(.teardown, presentation, purpose: .teardown, at: now)]
    }

    mutating func finish(_ closing: Closing) -> [ClientAction] {
        switch closing {
        case .end(let end):
            reset()
            state = .ended
            return [.ended(end)]
        case .connect(let target, let reason):
            redirect(to: target)
            reset()
            return [.connect(target, reason: reason)]
        }
    }
}
