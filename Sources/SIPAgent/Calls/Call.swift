// One call: two dialogs with this node between them.

import AgentSupport
import Logging
import RTPWire
import SIPCore
import Sessions
import Timing

/// A back-to-back user agent for one call (RFC 3261 section 6). Its events are handled one after the other, also where the media
/// has to be waited for.
@AgentActor
final class Call {
    enum State: String, Hashable, Sendable {
        /// Nobody has answered.
        case calling, ringing
        case answered
        /// Only what the other side of a transaction still has to say is waited for.
        case ended
    }

    let name: String
    let context: CallContext
    let media: CallMedia
    let ladder: MessageLadder
    /// The caller and the called party, for people.
    let target: String
    let user: String?
    let callerAddress: IPAddress
    let startedAt: UInt64
    /// The dialog with the caller: the one of the fork that has answered, or the first.
    var caller: CallSide
    /// All dialogs with the caller: one for each fork that has shown itself.
    var callers: [CallSide]
    /// The one who has answered, or whose offer or answer the caller has got last.
    var callee: CallSide?
    var state = State.calling
    var notes: [String] = []

    // MARK: Before the answer

    /// The INVITE that began the call; nil when it has its final response.
    var initial: ServerRequest?
    let hasInitialOffer: Bool
    var branches: [CallBranch] = []
    var branchSet = BranchSet<Int>()
    /// The next destinations to be called, each group at once.
    var stages: [[CallTarget]]
    /// The number of destinations that were added since others named them (3xx).
    var redirections = 0
    /// The reason for which the call has ended, for people.
    var endReason: String?
    var isForgotten = false
    /// When the call ended, and until when somebody must have answered it: nanoseconds of the monotonic clock.
    var endedAt: UInt64?
    var undecidedUntil = Deadline.never
    /// When the caller is told again that the call rings: nanoseconds of the monotonic clock.
    var remindAt = MonotonicClock.now.addingSaturating(Call.reminderInterval)
    /// The tasks that wait for the end.
    var endWaiters: [CheckedContinuation<Void, Never>] = []
    /// The state of the media: if they come as they were negotiated.
    var mediaState = MediaState.ok

    // MARK: Events

    private var events: [CallEvent] = []
    private var isHandling = false
    private static let maximumEvents = 256

    /// A call that begins with an INVITE.
    init(
        name: String, context: CallContext, media: CallMedia, initial: ServerRequest, stages: [[CallTarget]],
        user: String?, ladder: MessageLadder
    ) {
        self.name = name
        self.context = context
        self.media = media
        self.ladder = ladder
        self.stages = stages
        self.initial = initial
        self.user = user
        target = initial.request.uri.description
        callerAddress = initial.source.address
        startedAt = WallClock.nanoseconds
        hasInitialOffer = initial.request.sessionDescription != nil
        caller = CallSide(.caller, isSecure: initial.request.uri.scheme == .sips)
        callers = [caller]
        caller.call = self
        media.onEvent = { [weak self] event in self?.received(event) }
    }

    /// An answered call of an earlier daemon.
    init(adopting record: CallRecord, address: IPAddress, context: CallContext, media: CallMedia) {
        name = record.name
        self.context = context
        self.media = media
        ladder = MessageLadder()
        stages = []
        user = record.user
        target = record.target
        callerAddress = address
        startedAt = record.startedAt
        hasInitialOffer = true
        state = .answered
        let (caller, callee) = (CallSide(.caller, adopting: record.caller), CallSide(.callee, adopting: record.callee))
        self.caller = caller
        self.callee = callee
        callers = [caller]
        for (side, other) in [(caller, callee), (callee, caller)] {
            side.call = self
            side.counterpart = other
            side.media = media.chosen
            side.authentication = side.credentials.flatMap { context.authentication($0) }
        }
        media.onEvent = { [weak self] event in self?.received(event) }
    }

    /// An unanswered call of an earlier daemon, which is to be given up.
    init(
        adopting record: UnansweredCallRecord, initial: ServerRequest?, address: IPAddress, context: CallContext,
        media: CallMedia
    ) {
        name = record.name
        self.context = context
        self.media = media
        self.initial = initial
        ladder = MessageLadder()
        stages = []
        user = record.user
        target = record.target
        callerAddress = address
        startedAt = record.startedAt
        hasInitialOffer = true
        caller = CallSide(.caller)
        callers = [caller]
        caller.call = self
        if let initial, let tag = record.tag {
            caller.dialog = Dialog(received: initial.request, tag: tag, state: .early)
            caller.source = initial.source
        }
    }

    /// Adds an event; it is handled when those before it have been.
    func post(_ event: CallEvent) {
        guard events.count < Self.maximumEvents || event.isOwn else {
            // A peer that sends faster than it is served; a request must not stay without an answer.
            if case .request(let server, _) = event {
                respond(SIPRefusal(.serviceUnavailable, headers: ["Retry-After": "5"]), to: server)
            }
            return
        }
        events.append(event)
        guard !isHandling else { return }
        isHandling = true
        Task { @AgentActor in
            while !events.isEmpty {
                let waiting = events
                events = []
                for event in waiting { await handle(event) }
            }
            isHandling = false
        }
    }

    private func handle(_ event: CallEvent) async {
        switch event {
        case .start: await start()
        case .request(let request, let side): await received(request, on: side)
        case .acknowledgement(let request, let side): await received(acknowledgement: request, on: side)
        case .cancelled(let id): await cancelled(id)
        case .unanswerable(let id): await unanswerable(id)
        case .branch(let branch, let id, let outcome, let source): await received(outcome, id, of: branch, from: source)
        case .response(let request, let id, let outcome, let source):
            await received(outcome, id, to: request, from: source)
        case .timer(let timer): await fired(timer)
        case .tick(let now): await passed(now)
        case .restarted: await giveUp()
        case .close(let reason): await close(reason: reason)
        }
    }

    /// Takes an event of the media.
    private func received(_ event: MediaEvent) {
        switch event {
        case .recordChanged: persist()
        case .state(let state):
            if state != mediaState { note("media: \(state.rawValue)") }
            mediaState = state
        case .abandoned: post(.close(reason: "no media for \(context.configuration.noMediaTimeout ?? 0) s"))
        }
    }

    // MARK: Sides

    /// The other side, as far as there is one.
    func other(of side: CallSide) -> CallSide? { side.counterpart }

    /// Both dialogs of an answered call, or what there is of them.
    var sides: [CallSide] { [caller, callee].compactMap { $0 } }

    /// Sets a timer of seconds, not minutes; it comes as an event.
    func setTimer(_ timer: CallTimer, after time: Duration) {
        context.timers.schedule(after: time) { [weak self] in self?.post(.timer(timer)) }
    }

    func note(_ text: String) {
        let text = ControlCharacters.removed(from: text)
        if notes.count < 16 { notes.append(text) }
        context.logger.info("sip \(name): \(text)")
    }
}
