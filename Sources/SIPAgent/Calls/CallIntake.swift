// What requests are for: calls that begin, calls that are under way, and the node itself.

import AgentSupport
import Logging
import RTPWire
import SIPCore

/// The user agent core: answers what concerns nobody else, begins calls, and hands on what belongs to them.
@AgentActor
final class CallIntake: Transactions.Core {
    private let context: CallContext

    private let registrations: RegistrationService

    init(context: CallContext, registrations: RegistrationService) {
        self.context = context
        self.registrations = registrations
    }

    /// What the node understands outside of calls.
    private var policy: RequestPolicy {
        var policy = CallContext.policy
        if context.configuration.registrar != nil { policy.methods.append(.register) }
        return policy
    }

    // MARK: Transactions.Core

    func received(_ request: SIPRequest, _ id: TransactionID, raw: [UInt8], from source: SIPSource) {
        context.counters.add(to: .requests, ["method": Self.countedName(request.method)])
        if request.to.tag != nil {
            guard let side = context.side(of: request), let call = side.call else {
                return respond(.transactionDoesNotExist, to: request, id)
            }
            call.ladder.received(raw, from: source.text)
            return call.post(.request(ServerRequest(id: id, request: request, source: source), side))
        }
        let now = MonotonicClock.now
        switch context.access.screen(request, from: source.address, now: now) {
        case .proceed: break
        case .drop: return context.transactions.forget(id)
        case .answer(let refusal, let pause): return refuse(refusal, request, id, after: pause)
        }
        if let refusal = policy.refusal(of: request) { return refuse(refusal, request, id) }
        switch request.method {
        case .invite: begin(request, id, raw: raw, from: source)
        case .options:
            context.transactions.respond(
                SIPResponse(.ok, to: request, tag: context.tag(), headers: policy.capabilities), to: id)
        case .register:
            switch registrations.register(request, from: source, now: now) {
            case .accepted(let headers):
                context.transactions.respond(
                    SIPResponse(.ok, to: request, tag: context.tag(), headers: headers), to: id)
            case .refuse(let refusal, let pause): refuse(refusal, request, id, after: pause)
            case .drop: context.transactions.forget(id)
            }
        case .message: refuse(SIPRefusal(.methodNotAllowed, headers: ["Allow": policy.allow]), request, id)
        default: respond(.transactionDoesNotExist, to: request, id)
        }
    }

    func received(acknowledgement request: SIPRequest, raw: [UInt8], from source: SIPSource) {
        guard let side = context.side(of: request), let call = side.call else { return }
        call.ladder.received(raw, from: source.text)
        call.post(.acknowledgement(request, side))
    }

    func cancelled(_ id: TransactionID) { context.call(invite: id)?.post(.cancelled(id)) }

    /// The dialog may be one that is still there, whose ACK was lost.
    func received(stray response: SIPResponse, from source: SIPSource) {}

    func closed(connection: UInt64) { registrations.connectionClosed(connection) }

    func failed(server id: TransactionID) { context.call(invite: id)?.post(.unanswerable(id)) }

    /// Names come from a fixed set: peers can invent any number of methods.
    private static func countedName(_ method: SIPMethod) -> String {
        if case .other = method { "other" } else { method.name }
    }

    // MARK: Answers

    private func respond(_ status: SIPStatus, to request: SIPRequest, _ id: TransactionID) {
        refuse(SIPRefusal(status), request, id)
    }

    private func refuse(
        _ refusal: SIPRefusal, _ request: SIPRequest, _ id: TransactionID, after pause: Duration = .zero
    ) {
        let (transactions, response) = (context.transactions, refusal.response(to: request, tag: context.tag()))
        guard pause > .zero else { return transactions.respond(response, to: id) }
        context.timers.schedule(after: pause) { transactions.respond(response, to: id) }
    }

    // MARK: Calls

    private func begin(_ request: SIPRequest, _ id: TransactionID, raw: [UInt8], from source: SIPSource) {
        if context.isLoop(request) { return respond(.loopDetected, to: request, id) }
        guard context.hasRoom(for: source.address) else {
            return refuse(SIPRefusal(.serviceUnavailable, headers: ["Retry-After": "10"]), request, id)
        }
        let decision: DialDecision
        let user: String?
        switch context.access.admit(request, from: source.address, now: MonotonicClock.now) {
        case .call(let found, let caller): (decision, user) = (found, caller)
        case .refuse(let refusal, let pause): return refuse(refusal, request, id, after: pause)
        case .drop: return context.transactions.forget(id)
        }
        let stages = stages(of: decision)
        guard !stages.isEmpty else { return respond(.temporarilyUnavailable, to: request, id) }
        let name = context.nextName()
        let ladder = MessageLadder()
        ladder.received(raw, from: source.text)
        let media = CallMedia(
            name: name, context: context.media,
            caller: context.mediaPeer(source.address, isSecure: source.transport == .tls))
        let call = Call(
            name: name, context: context, media: media,
            initial: ServerRequest(id: id, request: request, source: source), stages: stages, user: user, ladder: ladder
        )
        context.add(call)
        context.add(invite: id, of: call)
        call.post(.start)
    }

    /// Who is called, each group at once: next hops as they stand, and registered devices by their preference.
    private func stages(of decision: DialDecision) -> [[CallTarget]] {
        var stages: [[CallTarget]] = []
        for target in decision.targets {
            switch target {
            case .nextHop(let hop):
                stages.append([
                    CallTarget(
                        requestURI: hop.requestURI, destination: hop.destination, credentials: hop.credentials,
                        ringTime: decision.ringTime, protection: decision.protection)
                ])
            case .registered(let address):
                for group in registrations.stages(for: address, now: MonotonicClock.now) {
                    stages.append(
                        group.map { contact in
                            CallTarget(
                                requestURI: contact.uri, destination: contact.destination,
                                connection: contact.connection, ringTime: decision.ringTime,
                                protection: decision.protection)
                        })
                }
            }
        }
        return decision.forking == .parallel && !stages.isEmpty ? [stages.flatMap { $0 }] : stages
    }
}
