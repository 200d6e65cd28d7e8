// Assignment of requests: to calls that begin, to calls that are under way, and to the node itself.

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
    private var messagesOfSource: [SourceKey: Int] = [:]

    init(context: CallContext) { self.context = context }

    /// The methods and extensions that the node understands outside of calls.
    private var policy: RequestPolicy {
        var policy = CallContext.policy
        if context.configuration.registrar != nil { policy.methods.append(.register) }
        return policy
    }

    // MARK: Transactions.Core

    func received(_ request: SIPRequest, isMerged: Bool, raw: [UInt8], from source: SIPSource) {
        if let side = context.side(of: request), request.method != .cancel, let call = side.call,
            context.mayCome(from: source, on: side)
        {
            return received(request, raw: raw, from: source, on: side, of: call)
        }
        let now = MonotonicClock.now
        switch context.access.screen(request, from: source.address, now: now) {
        case .proceed: break
        case .drop: return
        case .answer(let refusal, let pause): return refuse(refusal, request, source, after: pause)
        }
        count(request)
        // A request that belongs to a dialog or an INVITE that is not there.
        guard request.to.tag == nil, request.method != .cancel else {
            return refuse(SIPRefusal(.transactionDoesNotExist), request, source)
        }
        guard !isMerged else { return refuse(SIPRefusal(.loopDetected), request, source) }
        if let refusal = policy.refusal(of: request) { return refuse(refusal, request, source) }
        switch request.method {
        case .invite: begin(request, raw: raw, from: source)
        case .options: refuse(SIPRefusal(.ok, headers: policy.capabilities), request, source)
        case .register: register(request, from: source, now: now)
        case .message: relay(request, from: source)
        default: refuse(SIPRefusal(.transactionDoesNotExist), request, source)
        }
    }

    /// A request within a dialog, from who signals there.
    private func received(
        _ request: SIPRequest, raw: [UInt8], from source: SIPSource, on side: CallSide, of call: Call
    ) {
        count(request)
        guard let id = context.transactions.accept(request, from: source, isTrusted: true) else {
            return refuse(Self.noRoom, request, source)
        }
        call.ladder.received(raw, from: source.text)
        call.post(.request(ServerRequest(id: id, request: request, source: source), side))
    }

    private func register(_ request: SIPRequest, from source: SIPSource, now: UInt64) {
        let isTrusted = context.access.isTrusted(source.address)
        guard context.transactions.hasRoom(for: source.address, isTrusted: isTrusted) else {
            return refuse(Self.noRoom, request, source)
        }
        switch registrations.register(request, from: source, now: now) {
        case .accepted(let headers):
            guard let id = context.transactions.accept(request, from: source, isTrusted: isTrusted) else { return }
            context.transactions.respond(
                SIPResponse(.ok, to: request, tag: context.tag(), headers: headers), to: id)
        case .refuse(let refusal, let pause): refuse(refusal, request, source, after: pause)
        case .drop: break
        }
    }

    private func count(_ request: SIPRequest) {
        context.counters.add(to: .requests, ["method": Self.countedName(request.method)])
    }

    /// Nothing more can be remembered, or no more calls can be made.
    private static let noRoom = SIPRefusal(.serviceUnavailable, headers: ["Retry-After": "10"])

    func answersMalformed(from source: SIPSource) -> Bool {
        context.access.answersMalformed(from: source.address, now: MonotonicClock.now)
    }

    func received(acknowledgement request: SIPRequest, raw: [UInt8], from source: SIPSource) {
        guard let side = context.side(of: request), let call = side.call, context.mayCome(from: source, on: side) else {
            return
        }
        source.connection.map { context.transports.used($0) }
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

    /// Answers a request that nothing is remembered of.
    private func refuse(
        _ refusal: SIPRefusal, _ request: SIPRequest, _ source: SIPSource, after pause: Duration = .zero
    ) {
        let transactions = context.transactions
        guard pause > .zero else { return transactions.answer(request, refusal, to: source) }
        context.timers.schedule(after: pause) { transactions.answer(request, refusal, to: source) }
    }

    // MARK: Calls

    /// Whom a request is for, and the user that it is from; nil where it has been answered, or is not to be.
    private func admit(
        _ request: SIPRequest, from source: SIPSource, hasRoom: Bool
    ) -> (id: TransactionID, stages: [[CallTarget]], user: String?)? {
        let isTrusted = context.access.isTrusted(source.address)
        if context.isLoop(request) {
            refuse(SIPRefusal(.loopDetected), request, source)
            return nil
        }
        guard hasRoom, context.transactions.hasRoom(for: source.address, isTrusted: isTrusted) else {
            refuse(Self.noRoom, request, source)
            return nil
        }
        switch context.access.admit(request, from: source.address, now: MonotonicClock.now) {
        case .call(let decision, let user):
            let stages = context.stages(of: decision)
            if stages.isEmpty {
                refuse(SIPRefusal(.temporarilyUnavailable), request, source)
            } else if let id = context.transactions.accept(request, from: source, isTrusted: isTrusted) {
                return (id, stages, user)
            }
        case .refuse(let refusal, let pause): refuse(refusal, request, source, after: pause)
        case .drop: break
        }
        return nil
    }

    /// Passes a MESSAGE on that belongs to no call.
    private func relay(_ request: SIPRequest, from source: SIPSource) {
        let key = SourceKey(source.address)
        let limits = context.configuration.limits
        let hasRoom = messages < limits.calls && messagesOfSource[key, default: 0] < limits.callsPerSource
        guard let (id, stages, _) = admit(request, from: source, hasRoom: hasRoom) else { return }
        let message = RelayedMessage(request, id, stages: stages, context: context)
        messages += 1
        messagesOfSource[key, default: 0] += 1
        Task { @AgentActor in
            await message.run()
            messages -= 1
            let rest = messagesOfSource[key, default: 1] - 1
            messagesOfSource[key] = rest > 0 ? rest : nil
        }
    }

    private func begin(_ request: SIPRequest, raw: [UInt8], from source: SIPSource) {
        guard let (id, stages, user) = admit(request, from: source, hasRoom: context.hasRoom(for: source.address))
        else { return }
        let name = context.nextName()
        let ladder = MessageLadder()
        ladder.received(raw, from: source.text)
        let media = CallMedia(
            name: name, context: context.media,
            caller: context.mediaPeer(
                source.address, isSecure: source.transport == .tls, isTrusted: context.access.isAllowed(source.address))
        )
        let call = Call(
            name: name, context: context, media: media,
            initial: ServerRequest(id: id, request: request, source: source), stages: stages, user: user, ladder: ladder
        )
        context.add(call)
        context.add(invite: id, of: call)
        call.post(.start)
    }
}
