// Requests within the dialogs of a call, from both sides and to both sides.

import AgentSupport
import RTPWire
import SIPCore

extension Call {
    // MARK: Received

    /// A request of a peer within its dialog.
    func received(_ server: ServerRequest, on side: CallSide) async {
        let request = server.request
        context.transactions.observe(server.id, by: ladder)
        side.note(server)
        guard side.dialog?.state != .terminated, state != .ended || request.method == .bye else {
            return respond(request.method == .bye ? .ok : .transactionDoesNotExist, to: server)
        }
        if let refusal = CallContext.policy.refusal(of: request) { return respond(refusal, to: server) }
        if let refusal = side.dialog?.receive(request) { return respond(refusal, to: server) }
        switch request.method {
        case .bye: await received(bye: server, on: side)
        case .invite: await received(invite: server, on: side)
        case .update: await received(update: server, on: side)
        case .prack where side.side == .caller: await received(prack: server, on: side)
        case .options:
            respond(SIPResponse(.ok, to: request, tag: nil, headers: CallContext.policy.capabilities), to: server)
        case .info, .message: await relay(server, from: side)
        default: respond(.transactionDoesNotExist, to: server)
        }
    }

    /// An ACK of a 2xx.
    func received(acknowledgement request: SIPRequest, on side: CallSide) async {
        guard side.success?.retransmission.isAcknowledged(by: request) == true else { return }
        side.success = nil
        // The offer of the other side's 2xx is answered by this ACK.
        guard let other = other(of: side), let sequence = other.awaitsAnswer else { return }
        other.awaitsAnswer = nil
        do throws(SIPRefusal) {
            guard let description = request.sessionDescription, let place = side.media else { throw noDescription }
            let body = try await media.receiveAnswer(description, from: side.side, on: place)
            side.gate.settled()
            other.gate.settled()
            persist()
            await acknowledge(other, sequence: sequence, body: body)
        } catch {
            if let place = side.media { media.withdrawOffer(on: place) }
            await acknowledge(other, sequence: sequence)
            await close(reason: "the \(side.side.rawValue) did not answer the offer")
        }
    }

    /// Passes a request on to the other side, whose answer becomes the answer.
    private func relay(_ server: ServerRequest, from side: CallSide) async {
        guard let other = other(of: side), other.dialog != nil else {
            return respond(SIPRefusal(.serverInternalError, headers: ["Retry-After": "2"]), to: server)
        }
        if let allowed = other.allowed, !allowed.contains(server.request.method) {
            return respond(SIPRefusal(.methodNotAllowed, headers: ["Allow": CallContext.policy.allow]), to: server)
        }
        var headers = SIPHeaders()
        PassedHeaders.copy(from: server.request.headers, to: &headers, withBody: true)
        await send(
            server.request.method, on: other, headers: headers, body: server.request.body,
            purpose: .relay(server, from: side))
    }

    // MARK: Answering

    func respond(_ status: SIPStatus, to server: ServerRequest) {
        respond(SIPResponse(status, to: server.request, tag: nil), to: server)
    }

    func respond(_ refusal: SIPRefusal, to server: ServerRequest) {
        respond(SIPResponse(refusal.status, to: server.request, tag: nil, headers: refusal.headers), to: server)
    }

    func respond(_ response: SIPResponse, to server: ServerRequest) {
        if server.request.method == .invite, response.status.isFinal { context.remove(invite: server.id) }
        context.transactions.respond(response, to: server.id)
    }

    // MARK: Sent

    /// Sends a request within the dialog of a side. One that cannot be sent has failed as if nobody had answered.
    @discardableResult
    func send(
        _ method: SIPMethod, on side: CallSide, headers: SIPHeaders = [:], body: [UInt8] = [],
        purpose: OutgoingRequest.Purpose
    ) async -> OutgoingRequest? {
        guard let dialog = side.dialog else { return nil }
        let path = await context.path(to: dialog.nextHop, of: side)
        let transport = path?.destination.transport ?? .udp
        let sentBy = path?.sentBy ?? SIPHostPort(.name("invalid"))
        var fields = SIPHeaders()
        if method.isTargetRefresh, let contact = side.contact { fields.append("Contact", "<\(contact)>") }
        if method == .invite || method == .update { fields.append("Allow", CallContext.policy.allow) }
        fields.append("User-Agent", CallContext.agent)
        for field in headers.fields { fields.append(field.name, field.value) }
        guard
            var request = side.dialog?.request(
                method, via: Via(transport, sentBy, branch: context.branch()), headers: fields, body: body)
        else { return nil }
        side.authentication?.authorize(&request)
        let outgoing = OutgoingRequest(request, call: self, side: side, purpose: purpose)
        if method == .invite { side.inviting = outgoing }
        if let path { outgoing.id = context.transactions.send(request, on: path, client: outgoing, observer: ladder) }
        if outgoing.id == nil { post(.response(outgoing, nil, .undeliverable, nil)) }
        return outgoing
    }

    /// Acknowledges the 2xx to an INVITE of this node, with an answer where the 2xx had an offer; the credentials are the INVITE's
    /// (RFC 3261 section 22.1).
    func acknowledge(
        _ side: CallSide, sequence: UInt32, body: [UInt8] = [], authenticated: SIPRequest? = nil
    ) async {
        guard let dialog = side.dialog, let path = await context.path(to: dialog.nextHop, of: side)
        else { return }
        var headers = SIPHeaders()
        for name in ["Authorization", "Proxy-Authorization"] {
            for value in (authenticated ?? side.inviting?.request)?.headers.all(name) ?? [] {
                headers.append(name, value)
            }
        }
        if !body.isEmpty { headers.append("Content-Type", "application/sdp") }
        let via = Via(path.destination.transport, path.sentBy, branch: context.branch())
        let request = dialog.acknowledgement(of: sequence, via: via, headers: headers, body: body)
        side.acknowledgement = (request, path)
        context.transactions.send(acknowledgement: request, on: path, observer: ladder)
    }

    // MARK: Responses

    /// A response to a request within a dialog, or none.
    func received(
        _ outcome: CallEvent.Outcome, _ id: TransactionID?, to outgoing: OutgoingRequest, from source: SIPSource?
    ) async {
        guard case .cancel = outgoing.purpose else {
            guard id == outgoing.id else { return }
            let side = outgoing.side
            let response: SIPResponse
            switch outcome {
            case .response(let received): response = received
            // RFC 3261 section 8.1.3.1.
            case .timedOut: response = SIPResponse(.requestTimeout, to: outgoing.request, tag: nil)
            case .undeliverable: response = SIPResponse(.serviceUnavailable, to: outgoing.request, tag: nil)
            }
            if response.status.isProvisional {
                if outgoing.isCancelled, outgoing.request.method == .invite { cancel(outgoing) }
                return
            }
            if let source { side.note(source) }
            if [401, 407].contains(response.status.code), await retry(outgoing, after: response) { return }
            if response.status.isSuccess, side.inviting !== outgoing, outgoing.request.method == .invite {
                // The same 2xx again: so is its ACK.
                if let (request, path) = side.acknowledgement {
                    context.transactions.send(acknowledgement: request, on: path, observer: ladder)
                }
                return
            }
            if case .timedOut = outcome {} else { side.authentication?.accepted() }
            if response.status.isSuccess { side.note(response.headers) }
            side.dialog?.receive(response)
            await settle(outgoing, response)
            return
        }
    }

    /// Sends a request again with credentials; false where there are none that would help.
    private func retry(_ outgoing: OutgoingRequest, after response: SIPResponse) async -> Bool {
        let side = outgoing.side
        guard let dialog = side.dialog, let path = await context.path(to: dialog.nextHop, of: side),
            let again = side.authentication?.retry(
                outgoing.request, after: response,
                via: Via(path.destination.transport, path.sentBy, branch: context.branch()), using: &context.generator)
        else { return false }
        side.dialog?.skipSequence(by: 1)
        outgoing.request = again
        outgoing.id = context.transactions.send(again, on: path, client: outgoing, observer: ladder)
        return outgoing.id != nil
    }

    /// The final response to a request of this node.
    private func settle(_ outgoing: OutgoingRequest, _ response: SIPResponse) async {
        let side = outgoing.side
        switch outgoing.purpose {
        case .bye, .acknowledge, .cancel: break
        case .relay(let server, _):
            var headers = SIPHeaders()
            PassedHeaders.copy(from: response.headers, to: &headers, withBody: true)
            respond(
                SIPResponse(response.status, to: server.request, tag: nil, headers: headers, body: response.body),
                to: server)
        case .change(let server, let from, let hasOffer):
            await changed(outgoing, response, server, from: from, hasOffer: hasOffer)
        case .refresh: await refreshed(outgoing, response)
        }
        guard Dialog.endsDialog(response.status), state == .answered else { return }
        if case .bye = outgoing.purpose { return }
        if case .relay = outgoing.purpose, response.status.code != 481, response.status.code != 408 { return }
        await close(reason: "the \(side.side.rawValue) answered \(response.status.code) \(response.status.phrase)")
    }
}
