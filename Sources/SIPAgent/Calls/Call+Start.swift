// A call from its INVITE to its branches.

import AgentSupport
import Logging
import RTPWire
import SIPCore
import Timing

extension Call {
    /// Takes the INVITE up: the caller's side, the offer, and the first destinations.
    func start() async {
        guard let initial else { return }
        let request = initial.request
        context.counters.add(to: .calls)
        context.transactions.observe(initial.id, by: ladder)
        context.add(invite: initial.id, of: self)
        caller.note(initial)
        caller.note(request.headers)
        guard
            let dialog = Dialog(
                received: request.withContact(at: initial.source), tag: context.tag(), state: .early)
        else {
            return await refuse(SIPRefusal(SIPStatus(400, "Bad Request (no Contact)")))
        }
        caller.dialog = dialog
        context.add(caller, as: dialog.id)
        caller.contact = Self.contact(facing: initial.source, isSecure: caller.isSecure)
        do throws(SIPRefusal) {
            if let policy = context.configuration.sessionTimer { _ = try SessionTimer.answer(request, policy: policy) }
            if let offer = request.sessionDescription { _ = try media.receiveOffer(offer, from: .caller, on: nil) }
        } catch { return await refuse(error) }
        _ = caller.gate.receiveInvite(hasOffer: hasInitialOffer, retryAfter: 0)
        caller.invited = initial
        await callNext()
    }

    /// The Contact by which the node names itself towards the sender of a request.
    static func contact(facing source: SIPSource, isSecure: Bool) -> SIPURI {
        let destination = SIPDestination(
            transport: source.transport, address: source.address, transportPort: source.transportPort, name: "")
        return SIPPath(destination: destination, localAddress: source.localAddress, localPort: source.localPort)
            .contact(isSecure: isSecure)
    }

    // MARK: Branches

    /// Calls the next destinations, as far as nobody has answered.
    func callNext() async {
        while initial != nil, !branchSet.isClosed, branchSet.isIdle, !stages.isEmpty {
            let stage = stages.removeFirst()
            noteDecision(in: stage.map(\.ringTime).max() ?? 0)
            let started = stage.map { target in
                let branch = CallBranch(branches.count, call: self, target: target)
                branches.append(branch)
                branchSet.add(branch.number)
                return branch
            }
            for branch in started where !branch.isOver { await start(branch) }
        }
    }

    /// Until when those who are called now must have decided: ringing, and what ends it, included.
    private func noteDecision(in ringTime: Int) {
        let seconds = Duration.seconds(max(ringTime, 0)).saturatedNanoseconds
        let rest = context.times.timeout.saturatedNanoseconds.multipliedSaturating(by: 4)
        undecidedUntil = Deadline(seconds.addingSaturating(rest), after: MonotonicClock.now)
    }

    private func start(_ branch: CallBranch) async {
        if let credentials = branch.target.credentials {
            branch.authentication = context.authentication(credentials)
        }
        if let connection = branch.target.connection, let path = context.transports.path(on: connection) {
            branch.destinations = [path.destination]
        } else {
            do throws(ResolutionError) {
                let found = try await context.resolver.destinations(
                    for: branch.target.destination,
                    namedBy: branch.target.isConfigured ? nil : branch.target.redirector ?? callerAddress)
                branch.destinations = context.permitted(found, for: branch.target)
                if branch.destinations.isEmpty {
                    note("\(branch.target.requestURI): a 3xx named it, and it is in no network of allow")
                    return await failed(branch, with: SIPResponse(.temporarilyUnavailable, toNothingOf: self))
                }
            } catch {
                note("\(branch.target.requestURI): \(error)")
                return await failed(branch, with: SIPResponse(.serviceUnavailable, toNothingOf: self))
            }
        }
        await tryNext(branch)
        guard !branch.isOver else { return }
        branch.ringsUntil = MonotonicClock.now.addingSaturating(
            Duration.seconds(max(branch.target.ringTime, 0)).saturatedNanoseconds)
    }

    /// Sends the INVITE to the next place of a branch; without one, the branch has failed.
    func tryNext(_ branch: CallBranch) async {
        while !branch.destinations.isEmpty {
            let destination = branch.destinations.removeFirst()
            let connection = branch.target.connection.flatMap { context.transports.path(on: $0) }
            guard let path = connection ?? context.transports.path(to: destination) else { continue }
            branch.destination = destination
            branch.path = path
            // The place before has had an offer, and perhaps this one is in another network.
            if branch.media != nil {
                await release(branch)
                branch.sides = [:]
            }
            do throws(SIPRefusal) {
                var peer = context.mediaPeer(
                    destination.address, isSecure: destination.transport == .tls,
                    isTrusted: branch.target.isConfigured || context.access.isTrusted(destination.address))
                peer.protection = branch.target.protection
                let place = media.addBranch(towards: peer)
                branch.media = place
                if send(branch, body: hasInitialOffer ? try await media.offer(to: .callee, on: place) : []) { return }
            } catch {
                return await failed(branch, with: SIPResponse(error.status, toNothingOf: self, headers: error.headers))
            }
        }
        await failed(branch, with: SIPResponse(.serviceUnavailable, toNothingOf: self))
    }

    /// Sends the INVITE of a branch; false where it cannot be sent.
    func send(_ branch: CallBranch, body: [UInt8]) -> Bool {
        guard let initial, let path = branch.path else { return false }
        let isSecure = branch.target.requestURI.scheme == .sips
        let incoming = initial.request
        var from = incoming.from
        from.parameters = [:]
        from.tag = context.tag()
        var headers: SIPHeaders = ["Max-Forwards": String(LoopDetection.maxForwards(after: incoming))]
        if let route = branch.target.route { headers.append("Route", route) }
        headers.append("Contact", "<\(path.contact(isSecure: isSecure))>")
        headers.append("Allow", CallContext.policy.allow)
        // An offer that comes in a reliable response must be passed on in one.
        let isReliable = hasInitialOffer || callerSupportsReliability
        var extensions: [String] = isReliable ? ["100rel"] : []
        if let policy = context.configuration.sessionTimer {
            extensions.append("timer")
            for field in SessionTimer.request(policy: policy, minimum: branch.minimumInterval).fields {
                headers.append(field.name, field.value)
            }
        }
        if !extensions.isEmpty { headers.append("Supported", extensions.joined(separator: ", ")) }
        headers.append("User-Agent", CallContext.agent)
        PassedHeaders.copy(from: incoming.headers, to: &headers)
        if !body.isEmpty { headers.append("Content-Type", "application/sdp") }
        let via = Via(path.destination.transport, path.sentBy, branch: context.branch(for: incoming))
        var request = SIPRequest(
            .invite, branch.target.requestURI, vias: [via], from: from, to: NameAddress(branch.target.requestURI),
            callID: context.callID(), sequence: 1, headers: headers, body: body)
        branch.authentication?.authorize(&request)
        return begin(branch, request)
    }

    /// Starts the transaction of a branch's INVITE.
    func begin(_ branch: CallBranch, _ request: SIPRequest) -> Bool {
        guard let path = branch.path else { return false }
        branch.invite = ForkedInvite(request)
        branch.sides = [:]
        branch.receivers = [:]
        persistUnanswered()
        branch.id = context.transactions.send(request, on: path, client: branch, observer: ladder)
        if branch.id == nil { return false }
        if let name = branch.destination { context.logger.debug("sip \(self.name): INVITE \(request.uri) to \(name)") }
        return true
    }

    var callerSupportsReliability: Bool {
        guard let headers = initial?.request.headers else { return false }
        return headers.contains("100rel", in: "Supported") || headers.contains("100rel", in: "Require")
    }
}

extension SIPResponse {
    /// A response that nobody has sent, for a branch that has failed before it was called.
    @AgentActor
    init(_ status: SIPStatus, toNothingOf call: Call, headers: SIPHeaders = [:]) {
        let address = NameAddress(SIPURI(.sip, SIPHostPort(.name("invalid"))))
        self.init(
            status, vias: [], from: address, to: address, callID: call.name, cseq: CSeq(1, .invite), headers: headers)
    }
}
