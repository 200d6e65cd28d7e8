// The node as a client of a camera or of another node: a session from OPTIONS to TEARDOWN.

import Timing

/// A session with a server (RFC 2326), without a connection and without a clock: the driver passes in what happens and carries out the
/// actions that are returned. Instants are nanoseconds of any clock that does not go back.
///
/// One request is under way at a time, and keep-alives beside it.
public struct ClientSession: Sendable {
    public struct Settings: Hashable, Sendable {
        /// The time for which a reply is waited for, and that to a TEARDOWN, in nanoseconds.
        public var replyTime: UInt64 = 10_000_000_000
        public var teardownTime: UInt64 = 2_000_000_000
        public var maximumRedirects = 5
        public var maximumStreams = 32
        public var userAgent: String

        public init(userAgent: String) { self.userAgent = userAgent }
    }

    enum State: Hashable, Sendable {
        /// Waits for the connection.
        case connecting
        case options, describing
        /// Waits for `setUp`.
        case planning
        /// Waits for UDP ports, or for the reply to the SETUP of a stream, by the n-th transport of its plan.
        case offering(stream: Int, attempt: Int)
        case settingUp(stream: Int, attempt: Int)
        /// Waits for `play`.
        case prepared
        case starting, resuming, playing
        case closing(Closing)
        case ended
    }

    /// The step that comes after a TEARDOWN.
    enum Closing: Hashable, Sendable {
        case end(ClientSessionEnd)
        case connect(RTSPURL, reason: String)
    }

    enum Purpose: Hashable, Sendable {
        case negotiation, keepAlive, teardown
        /// Asks if the server still has a session that is to be continued.
        case probe
    }

    struct Pending: Sendable {
        var request: RTSPRequest
        var purpose: Purpose
        var deadline: UInt64
        /// 401s that it has met.
        var challenges = 0
    }

    /// True if packets come: the driver says so. A server whose packets come is not given up for silence.
    public var isMediaFlowing = false
    /// True if packets came at the driver's latest look, about a second ago.
    public var isMediaFresh = false
    /// The URL of the session, after redirects; without credentials.
    public private(set) var url: RTSPURL
    /// `Server`, as it says.
    public internal(set) var serverAgent: String?

    let settings: Settings
    var authenticator: (any ClientAuthenticator)?
    var state = State.connecting
    var sequence: UInt32 = 0
    var pending: [UInt32: Pending] = [:]
    var redirects = 0
    var methods: MethodList?
    var base: RTSPURL
    var presentation: RTSPURL
    var plans: [ClientStreamPlan] = []
    var asked = TransportSpecification()
    var streams: [ClientStream] = []
    var session: SessionHeader?
    /// Set when UDP has failed: the other transports are not tried any more.
    var isInterleavedOnly = false
    var withoutRange = false
    /// The first refusal of a stream: the session's where no stream is set up.
    var refusal: ClientSessionEnd?
    /// The connections that the server closed behind a challenge.
    var closedChallenges = 0
    /// True once a reply had a number.
    var numbersReplies = false
    var resumption: ClientResumption?
    /// When the next keep-alive is due, and how many were not answered in a row.
    var keepAliveDue: UInt64?
    var unansweredKeepAlives = 0
    var keepAlive = KeepAlive()

    /// - Parameters:
    ///   - url: The presentation; user and password in it are not used.
    ///   - authenticator: Answers challenges of the URL's host, and of no other; nil where there are no credentials.
    ///   - resumption: An earlier session to continue, if the server still has it.
    public init(
        url: RTSPURL, settings: Settings, authenticator: (any ClientAuthenticator)? = nil,
        resumption: ClientResumption? = nil
    ) {
        self.url = url.withoutCredentials
        self.settings = settings
        self.authenticator = authenticator
        self.resumption = resumption
        base = self.url
        presentation = self.url
        sequence = resumption?.sequence ?? 0
    }

    /// A server that closes its connection behind each challenge gets the credentials on the next one.
    private static let maximumClosedChallenges = 3

    // MARK: What happens

    /// The connection is there.
    public mutating func connected(at now: UInt64) -> [ClientAction] {
        guard state == .connecting else { return [] }
        guard let resumption, let presentation = RTSPURL(resumption.presentation) else {
            state = .options
            return [send(.options, url, at: now)]
        }
        session = SessionHeader(resumption.session, timeout: resumption.timeout)
        methods = MethodList(resumption.methods.map { RTSPMethod($0) })
        self.presentation = presentation
        streams = resumption.streams
        return [resume(at: now)]
    }

    /// The connection is gone.
    public mutating func connectionLost(_ reason: String, at now: UInt64) -> [ClientAction] {
        let wasChallenged = pending.values.contains { $0.purpose == .negotiation && $0.challenges > 0 }
        pending = [:]
        switch state {
        case .ended, .connecting: return []
        case .closing(let closing): return finish(closing)
        case _ where wasChallenged && closedChallenges < Self.maximumClosedChallenges:
            closedChallenges += 1
            return finish(.connect(url, reason: "the upstream closes its connection behind a challenge"))
        default: return end(.badGateway, "the connection ended: \(reason)", isOfServer: true)
        }
    }

    /// Describes the streams to set up, after `.described`.
    ///
    /// - Parameter control: The session's `a=control`; nil where it has none.
    public mutating func setUp(control: String?, streams plans: [ClientStreamPlan], at now: UInt64) -> [ClientAction] {
        guard state == .planning else { return [] }
        guard (1...settings.maximumStreams).contains(plans.count) else {
            return end(.badGateway, "its description has \(plans.count) streams")
        }
        guard let presentation = base.resolving(control: control) else {
            return end(.badGateway, "its description has the control URL '\(control ?? "")', which cannot be read")
        }
        self.presentation = presentation
        // An absolute URL of the presentation is what the streams' are relative to; any other is only what PLAY is sent to.
        if control?.contains("://") == true { base = presentation }
        self.plans = plans
        streams = []
        refusal = nil
        return setUpStream(0, attempt: 0, at: now)
    }

    /// The UDP ports that `.needsUDPPorts` asked for: the even one.
    public mutating func offer(udpPort: UInt16, at now: UInt64) -> [ClientAction] {
        guard case .offering(let stream, let attempt) = state else { return [] }
        let pair = TransportSpecification.Pair(udpPort, udpPort &+ 1)
        return sendSetUp(
            stream, attempt,
            TransportSpecification(delivery: .unicast, clientUDPPorts: pair), at: now)
    }

    /// There are no UDP ports for the stream.
    public mutating func cannotOffer(_ reason: String, at now: UInt64) -> [ClientAction] {
        guard case .offering(let stream, let attempt) = state else { return [] }
        return [.note(reason)] + setUpStream(stream, attempt: attempt + 1, at: now)
    }

    /// The driver is ready to receive, after `.prepared`.
    public mutating func play(at now: UInt64) -> [ClientAction] {
        guard state == .prepared else { return [] }
        state = .starting
        return [sendPlay(at: now)]
    }

    /// True where `mediaIsMissing` would try another transport. A session that was taken up again has no plan; it begins again with
    /// all transports.
    public var hasAnotherTransport: Bool {
        plans.isEmpty
            || streams.contains { $0.transport != .interleaved }
                && plans.allSatisfy { $0.transports.contains(.interleaved) }
    }

    /// Nothing came although the server plays: interleaved is tried, where the plan has it.
    public mutating func mediaIsMissing(at now: UInt64) -> [ClientAction] {
        guard state == .playing else { return [] }
        guard hasAnotherTransport else {
            return tearDown(.end(ClientSessionEnd(.gatewayTimeout, "it plays, but no packets come")), at: now)
        }
        isInterleavedOnly = !plans.isEmpty
        return tearDown(.connect(url, reason: "no packets come by UDP"), at: now)
    }

    /// Ends the session with a TEARDOWN where there is one.
    public mutating func close(at now: UInt64) -> [ClientAction] { abandon(.ok, "closed", at: now) }

    /// Ends the session likewise, for a reason that the driver has.
    public mutating func abandon(_ status: RTSPStatus, _ reason: String, at now: UInt64) -> [ClientAction] {
        tearDown(.end(ClientSessionEnd(status, reason)), at: now)
    }

    /// When `timerFired` wants to be called next.
    public var deadline: UInt64? {
        (pending.values.map(\.deadline) + [keepAliveDue].compactMap { $0 }).min()
    }

    /// The time of `deadline` has come.
    public mutating func timerFired(at now: UInt64) -> [ClientAction] {
        for (number, request) in pending where Deadline(at: request.deadline).hasPassed(at: now) {
            pending[number] = nil
            switch request.purpose {
            case .negotiation where state == .options:
                return [.note("OPTIONS is not answered"), describe(at: now)]
            case .probe: return state == .resuming ? probeIsUnanswered(request.request.method, at: now) : []
            case .negotiation:
                return end(.gatewayTimeout, "no reply to \(request.request.method.name)", isOfServer: true)
            case .teardown:
                if case .closing(let closing) = state { return finish(closing) }
            case .keepAlive:
                let actions = keepAliveIsUnanswered(request.request.method)
                return state == .ended ? actions : actions + [sendKeepAlive(at: now)]
            }
        }
        guard let due = keepAliveDue, Deadline(at: due).hasPassed(at: now) else { return [] }
        // Before the server's time is over, the other method may be what it answers.
        guard let (number, waiting) = pending.first(where: { $0.value.purpose == .keepAlive }) else {
            return [sendKeepAlive(at: now)]
        }
        pending[number] = nil
        let actions = keepAliveIsUnanswered(waiting.request.method)
        return state == .ended ? actions : actions + [sendKeepAlive(at: now)]
    }

    /// True if the server plays, so that packets are due: not before PLAY was answered, and not any more once the session is being
    /// closed.
    public var isPlaying: Bool { state == .playing }

    /// The state that is needed to continue over another connection; nil where nothing plays, or where packets end with
    /// the connection.
    public var resumable: ClientResumption? {
        guard state == .playing, let session, !streams.contains(where: { $0.transport == .interleaved }) else {
            return nil
        }
        return ClientResumption(
            session: session.id, timeout: session.timeout ?? 60, sequence: sequence,
            presentation: presentation.description, streams: streams, methods: methods?.methods.map(\.name) ?? [])
    }

    /// The stream that packets of an interleaved channel belong to.
    public func stream(ofChannel channel: UInt8) -> (index: Int, isRTCP: Bool)? {
        for stream in streams {
            if stream.rtpChannel == channel { return (stream.index, false) }
            if stream.rtcpChannel == channel { return (stream.index, true) }
        }
        return nil
    }

    // MARK: Parts

    /// Goes to another place; credentials stay with the host that they are for.
    mutating func redirect(to target: RTSPURL) {
        if !target.host.isSame(as: url.host) { authenticator = nil }
        url = target.withoutCredentials
    }

    /// Forgets what belongs to one negotiation.
    mutating func reset() {
        state = .connecting
        pending = [:]
        session = nil
        streams = []
        resumption = nil
        methods = nil
        keepAliveDue = nil
        unansweredKeepAlives = 0
        base = url
        presentation = url
    }
}
