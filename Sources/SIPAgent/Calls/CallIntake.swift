// What requests are for: calls that begin, calls that are under way, and the node itself.

import AgentSupport
import Logging
import RTPWire
import SIPCore

/// The user agent core: answers what concerns nobody else, begins calls, and hands on what belongs to them.
@AgentActor
final class CallIntake: Transactions.Core {
    private let context: CallContext
    private var registrations: RegistrationService { context.registrations }
    /// Messages on their way.
    private var messages = 0

    init(context: CallContext) { self.context = context }

    /// What the node understands outside of calls.
    private var policy: RequestPolicy {
        var policy = CallContext.policy
        if context.configuration.registrar != nil { policy.methods.append(.register) }
        return policy
    }

    // MARK: Transactions.Core

    func screen(_ request: SIPRequest, from source: SIPSource) -> Screening {
        let now = MonotonicClock.now
        guard request.to.tag != nil || request.method == .cancel else {
            return context.access.screen(request, from: source.address, now: now)
        }
        // What belongs to a call is its peers' matter; from others it is as if there were no call.
        if let side = context.side(of: request), side.call != nil, context.mayBe(source, side) { return .proceed }
        switch context.access.screen(request, from: source.address, now: now) {
        case .proceed where context.access.mayAsk(source.address):
            return .answer(SIPRefusal(.transactionDoesNotExist), after: .zero)
        case .proceed, .drop: return .drop
        case .answer(let refusal, let pause): return .answer(refusal, after: pause)
        }
    }

    func mayAnswer(malformed text: [UInt8], from source: SIPSource) -> Bool {
        context.access.mayAnswer(malformed: text, from: source.address, now: MonotonicClock.now)
    }

    func connectionsInUse() -> Set<UInt64> {
        registrations.connections.union(context.connections)
    }

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
        case .message: relay(request, id, from: source)
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
        let transactions = context.transactions
        guard pause > .zero else { return transactions.refuse(refusal, request, id) }
        context.timers.schedule(after: pause) { transactions.refuse(refusal, request, id) }
    }

    // MARK: Calls

    /// Whom a request is for, and the user that it is from; nil where it has been answered, or is not to be.
    private func admit(
        _ request: SIPRequest, _ id: TransactionID, from source: SIPSource, hasRoom: Bool
    ) -> (stages: [[CallTarget]], user: String?)? {
        if context.isLoop(request) {
            respond(.loopDetected, to: request, id)
            return nil
        }
        guard hasRoom else {
            refuse(SIPRefusal(.serviceUnavailable, headers: ["Retry-After": "10"]), request, id)
            return nil
        }
        switch context.access.admit(request, from: source.address, now: MonotonicClock.now) {
        case .call(let decision, let user):
            let stages = context.stages(of: decision)
            if !stages.isEmpty { return (stages, user) }
            respond(.temporarilyUnavailable, to: request, id)
        case .refuse(let refusal, let pause): refuse(refusal, request, id, after: pause)
        case .drop: context.transactions.forget(id)
        }
        return nil
    }

    /// Passes a MESSAGE on that belongs to no call.
    private func relay(_ request: SIPRequest, _ id: TransactionID, from source: SIPSource) {
        let hasRoom = messages < context.configuration.limits.calls
        guard let (stages, _) = admit(request, id, from: source, hasRoom: hasRoom) else { return }
        let message = RelayedMessage(request, id, stages: stages, context: context)
        messages += 1
        Task { @AgentActor in
            await message.run()
            messages -= 1
        }
    }

    private func begin(_ request: SIPRequest, _ id: TransactionID, raw: [UInt8], from source: SIPSource) {
        guard
            let (stages, user) = admit(request, id, from: source, hasRoom: context.hasRoom(for: source.address))
        else { return }
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
}
