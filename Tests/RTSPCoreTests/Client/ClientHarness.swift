// Plays the server to a client session, one message at a time.

@testable import RTSPCore

/// A client session with what it wants done, and the time that it is told.
struct ClientHarness {
    var session: ClientSession
    var now: UInt64 = 1_000_000_000
    /// Everything that the session wanted so far.
    var actions: [ClientAction] = []
    var transports: [ClientTransport]
    var controls: [String]

    init(
        _ url: String = "rtsp://cam/live", transports: [ClientTransport] = [.udp, .interleaved],
        controls: [String] = ["trackID=0"], authenticator: (any ClientAuthenticator)? = nil,
        resumption: ClientResumption? = nil
    ) {
        session = ClientSession(
            url: RTSPURL(url)!, settings: .init(userAgent: "test"), authenticator: authenticator,
            resumption: resumption)
        self.transports = transports
        self.controls = controls
    }

    /// Carries out what needs no server, and keeps all actions.
    mutating func run(_ new: [ClientAction]) {
        for action in new {
            actions.append(action)
            switch action {
            case .connect: run(session.connected(at: now))
            case .described:
                run(
                    session.setUp(
                        control: nil, streams: controls.map { ClientStreamPlan(control: $0, transports: transports) },
                        at: now))
            case .needsUDPPorts(let stream): run(session.offer(udpPort: UInt16(20_000 + 2 * stream), at: now))
            case .prepared: run(session.play(at: now))
            default: break
            }
        }
    }

    mutating func connect() { run(session.connected(at: now)) }

    /// The latest request that was sent.
    var request: RTSPRequest? {
        actions.reversed().lazy.compactMap { action in
            if case .send(.request(let request)) = action { request } else { nil }
        }.first
    }

    /// The latest response that was sent.
    var response: RTSPResponse? {
        actions.reversed().lazy.compactMap { action in
            if case .send(.response(let response)) = action { response } else { nil }
        }.first
    }

    var ended: ClientSessionEnd? {
        actions.lazy.compactMap { if case .ended(let end) = $0 { end } else { nil } }.first
    }

    var established: [ClientStream]? {
        actions.reversed().lazy.compactMap { if case .established(let streams) = $0 { streams } else { nil } }.first
    }

    var methods: [RTSPMethod] {
        actions.compactMap { if case .send(.request(let request)) = $0 { request.method } else { nil } }
    }

    /// Answers the latest request.
    mutating func reply(_ status: RTSPStatus = .ok, _ headers: RTSPHeaders = [:], body: String = "") {
        var headers = headers
        headers["CSeq"] = request?.headers["CSeq"]
        run(session.received(.response(RTSPResponse(status, headers: headers, body: Array(body.utf8))), at: now))
    }

    mutating func receive(_ request: RTSPRequest) { run(session.received(.request(request), at: now)) }

    mutating func advance(seconds: Double) {
        now += UInt64(seconds * 1e9)
        run(session.timerFired(at: now))
    }

    /// Answers OPTIONS and DESCRIBE.
    mutating func describe(public methods: String = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER") {
        connect()
        reply(.ok, ["Public": methods])
        reply(.ok, ["Content-Type": "application/sdp"], body: "v=0\r\n")
    }

    /// Goes on to PLAY, each SETUP answered with `transport`.
    mutating func play(transport: String = "RTP/AVP;unicast;server_port=6000-6001", timeout: Int = 60) {
        describe()
        for _ in controls { reply(.ok, ["Session": "cam;timeout=\(timeout)", "Transport": transport]) }
        reply()
    }
}

/// Answers each challenge with the challenge. One that follows another at once is refused, unless it says `stale`.
struct CountingAuthenticator: ClientAuthenticator {
    var challenge: String?
    var isWaiting = false

    mutating func take(challenges: [String]) -> Bool {
        guard let first = challenges.first, !isWaiting || first.contains("stale") else { return false }
        challenge = first
        isWaiting = true
        return true
    }

    mutating func accepted() { isWaiting = false }

    func authorization(method: String, uri: String, body: [UInt8]) -> String? {
        challenge.map { "\($0) \(method) \(uri)" }
    }
}
