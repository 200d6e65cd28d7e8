// A camera or another node as a path's source.

import AgentSupport
import Authentication
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import RTPWire
import RTSPCore
import Routing
import SDP
import Timing

/// Pulls a presentation from an RTSP server into the fast path, once for all players: connects, negotiates by a `ClientSession`, falls back
/// to interleaved media, keeps the session alive, reports reception, and says when it is lost.
///
/// Events are taken one after the other, also those that come while another one's work waits for something.
@AgentActor
final class UpstreamSource: MediaSource {
    var onEnd: (@AgentActor (MediaSourceError) -> Void)?
    /// Called when what a restarted daemon must know has changed; nil when there is nothing any more.
    var onRecord: (@AgentActor (UpstreamRecord?) -> Void)?
    /// The record for a restarted daemon.
    private(set) var record: UpstreamRecord?

    let context: ProxyContext
    let url: RTSPURL
    let transport: RTSPRoute.UpstreamTransport
    /// The certificate to accept of the URL's host.
    private let fingerprint: CertificateFingerprint?
    let timing: UpstreamTiming
    let logger: Logger
    var streams: [UpstreamStream] = []
    var connection: UpstreamConnection?
    /// The present session; nil while nothing is open.
    var session: ClientSession?
    private let routeName: String
    private let resolver: UpstreamResolver
    private let candidates: Candidates?
    /// Tells events of an earlier connection from those of this one.
    private var connectionNumber = 0
    private var description: SessionDescription?
    private var descriptionBytes: [UInt8] = []
    /// The media descriptions that are set up, by the number of the session's stream.
    private var planned: [Int] = []
    /// The keys of those that are encrypted.
    private var mediumKeys: [Int: UpstreamKeys] = [:]
    private(set) var local: NetworkAttachment?
    /// True if `.prepared` came for this connection: not when an earlier session was taken up again.
    private var isPrepared = false
    /// The addresses of the upstream that come after the present one.
    private var untried: [UpstreamResolver.Candidate] = []
    private(set) var isLive = false
    /// True if nothing came by UDP.
    private(set) var wasSilent = false
    private var startedAt: UInt64 = 0
    private var lastArrival: UInt64?
    private var timer: Scheduled<Void>?
    private var watch: RepeatedTask?
    private var opening: CheckedContinuation<Result<Presentation, MediaSourceError>, Never>?
    /// How far it is with PLAY.
    private var playing = Playing.atOnce
    private var closing: [CheckedContinuation<Void, Never>] = []
    private var events: [Event] = []
    private var isRunning = false
    private(set) var notes: [String] = []

    /// Finds the addresses of a URL.
    typealias Candidates =
        @Sendable (RTSPURL) async throws(MediaSourceError) -> [UpstreamResolver.Candidate]

    private enum Playing {
        /// When all streams are set up.
        case atOnce
        /// When the first player plays; the camera may be ready for that.
        case later
        /// Players wait for the camera's answer.
        case now([CheckedContinuation<Result<Void, MediaSourceError>, Never>])
    }

    private enum Event: Sendable {
        case open, close, play, timer, watch
        case message(RTSPMessage, connection: Int)
        case lost(String, connection: Int)
    }

    /// - Parameters:
    ///   - routeName: What the names of the streams' routes begin with (`Path.routeName`).
    ///   - url: The upstream, with user and password where it wants them.
    ///   - fingerprint: Of the certificate that it has; nil: an authority vouches for it.
    ///   - candidates: Finds its addresses; nil: DNS.
    init(
        context: ProxyContext, routeName: String, url: RTSPURL, transport: RTSPRoute.UpstreamTransport = .automatic,
        fingerprint: CertificateFingerprint? = nil, timing: UpstreamTiming = UpstreamTiming(),
        candidates: Candidates? = nil
    ) {
        self.context = context
        self.routeName = routeName
        self.url = url
        self.transport = transport
        self.fingerprint = fingerprint
        self.timing = timing
        self.candidates = candidates
        resolver = UpstreamResolver(resolver: context.resolver)
        var logger = context.logger
        logger[metadataKey: "upstream"] = "\(url)"
        self.logger = logger
    }

    /// Has the next `open` continue from the record of an earlier daemon, if the upstream still knows of it.
    func resume(from record: UpstreamRecord) { self.record = record }

    func open() async throws(MediaSourceError) -> Presentation {
        playing = .atOnce
        return try await begun()
    }

    func prepare() async throws(MediaSourceError) -> Presentation {
        playing = .later
        return try await begun()
    }

    var waitsForPlay: Bool { if case .atOnce = playing { false } else { true } }

    func play() async throws(MediaSourceError) {
        guard waitsForPlay else { return }
        try await withCheckedContinuation { continuation in
            if case .now(var players) = playing {
                players.append(continuation)
                playing = .now(players)
            } else {
                playing = .now([continuation])
                post(.play)
            }
        }.get()
    }

    /// Answers the players that wait for the camera to play.
    private func answerPlayers(_ result: Result<Void, MediaSourceError>) {
        guard case .now(let players) = playing else { return }
        playing = .atOnce
        for player in players { player.resume(returning: result) }
    }

    private func begun() async throws(MediaSourceError) -> Presentation {
        precondition(opening == nil && !isLive, "a source is opened once, and again after its end")
        return try await withCheckedContinuation { continuation in
            opening = continuation
            post(.open)
        }.get()
    }

    func close() async {
        await withCheckedContinuation { continuation in
            closing.append(continuation)
            post(.close)
        }
    }

    // MARK: Events

    /// More than this at once is a peer that floods.
    private static let maximumEvents = 1024

    private func post(_ event: Event) {
        // One look is enough after a long wait.
        if case .watch = event, events.contains(where: { if case .watch = $0 { true } else { false } }) { return }
        events.append(event)
        guard !isRunning else { return }
        isRunning = true
        Task { @AgentActor in
            while !self.events.isEmpty { await self.handle(self.events.removeFirst()) }
            self.isRunning = false
        }
    }

    private func handle(_ event: Event) async {
        let now = MonotonicClock.now
        switch event {
        case .open: await begin()
        case .close:
            onEnd = nil
            guard session != nil else { return await closed() }
            await sayGoodbye(at: now)
            await run(session?.close(at: now) ?? [])
        case .play:
            guard isLive, session != nil else {
                return answerPlayers(
                    .failure(MediaSourceError(.serviceUnavailable, "upstream \(url): it has just gone")))
            }
            await run(session?.play(at: now) ?? [])
        case .timer: await run(session?.timerFired(at: now) ?? [])
        case .watch: await lookAtMedia(at: now)
        case .message(let message, connectionNumber): await run(session?.received(message, at: now) ?? [])
        case .lost(let reason, connectionNumber):
            // The upstream may keep a session whose packets do not need the connection.
            let resumable = session?.resumable
            connection = nil
            await run(session?.connectionLost(reason, at: now) ?? [], resumable: resumable)
        case .message, .lost: break
        }
    }

    private func run(_ actions: [ClientAction], resumable: ClientResumption? = nil) async {
        var waiting = actions[...]
        while let action = waiting.popFirst() {
            if case .ended(let end) = action {
                if let following = await tryNext(after: end) {
                    waiting = following[...]
                    continue
                }
                await ended(end, resumable: resumable)
                return
            }
            let following = await perform(action)
            waiting = (following + waiting)[...]
        }
        schedule()
    }

    private func schedule() {
        // Nothing is due of a session that does not play yet, or is being closed.
        if session?.isPlaying != true { stopWatching() }
        timer?.cancel()
        timer = nil
        guard let deadline = session?.deadline else { return }
        let wait = Deadline(at: deadline).delay(at: MonotonicClock.now, slack: 1_000_000)
        timer = AgentActor.loop.scheduleTask(in: .nanoseconds(wait)) { [weak self] in
            AgentActor.assumeIsolated { self?.post(.timer) }
        }
    }

    // MARK: Connecting

    private func begin() async {
        (notes, isPrepared, wasSilent, lastArrival) = ([], false, false, nil)
        let earlier = takeUp()
        let start = earlier?.url ?? url
        session = makeSession(at: start, resumption: earlier?.session)
        await run(await connect(to: start))
    }

    private func makeSession(at start: RTSPURL, resumption: ClientResumption? = nil) -> ClientSession {
        var authenticator: UpstreamAuthenticator?
        if let user = url.user, start.host.isSame(as: url.host) {
            authenticator = UpstreamAuthenticator(user: user, password: url.password ?? "")
        }
        var settings = ClientSession.Settings(userAgent: "Crosspoint")
        (settings.replyTime, settings.teardownTime) = (timing.reply, timing.teardown)
        return ClientSession(url: start, settings: settings, authenticator: authenticator, resumption: resumption)
    }

    /// Begins again at the next of the upstream's addresses, when the server at the last one failed before it played;
    /// nil where that is not so, or none is left.
    private func tryNext(after end: ClientSessionEnd) async -> [ClientAction]? {
        guard opening != nil, closing.isEmpty, end.isOfServer, let session, !untried.isEmpty else { return nil }
        let rest = untried
        note("\(connection.map { "\($0.peer)" } ?? "an address"): \(end.reason); its next address is tried")
        self.session = makeSession(at: session.url)
        return await connect(to: session.url, rest)
    }

    /// The streams of the session that the record has, and the URL of that session; nil without a session to continue.
    private func takeUp() -> (url: RTSPURL, session: ClientResumption)? {
        guard let record, let session = record.resumption, let url = RTSPURL(record.url),
            let description = try? SessionDescription(parsing: record.description, isLenient: true)
        else { return nil }
        planned = description.media.indices.filter { profile(of: description.media[$0]) != nil }
        guard planned.count == session.streams.count else { return nil }
        // The upstream knows a key that this daemon does not: a new session has a new one.
        guard !planned.contains(where: { UpstreamKeys.isSecured(description.media[$0]) }) else { return nil }
        (self.description, descriptionBytes) = (description, record.description)
        makeStreams(description)
        return (url, session)
    }

    /// Makes the connection and notifies the session; or ends it.
    private func connect(
        to target: RTSPURL, _ rest: [UpstreamResolver.Candidate]? = nil
    ) async -> [ClientAction] {
        connection?.close()
        connection = nil
        connectionNumber += 1
        let number = connectionNumber
        isPrepared = false
        untried = []
        do throws(MediaSourceError) {
            let candidates = if let rest { rest } else { try await addresses(of: target) }
            let pin = target.host.isSame(as: url.host) ? fingerprint.map { CertificatePin($0) } : nil
            let connection = try await UpstreamConnection.connect(
                to: candidates, tls: target.scheme == .rtsps ? try await tlsContext(for: pin) : nil, pin: pin,
                timeout: .nanoseconds(Int64(timing.connect)),
                receiver: UpstreamConnection.Receiver(
                    message: { [weak self] message in self?.take(message, of: number) },
                    batchEnded: { [weak self] in self?.flush() },
                    closed: { [weak self] reason in self?.post(.lost(reason, connection: number)) }))
            self.connection = connection
            untried = connection.untried
            context.counters.add(to: .upstreamConnections)
            local = try await attachment(towards: connection.peer)
            return session?.connected(at: MonotonicClock.now) ?? []
        } catch {
            return [.ended(ClientSessionEnd(error.status, error.message))]
        }
    }

    private func addresses(of target: RTSPURL) async throws(MediaSourceError) -> [UpstreamResolver.Candidate] {
        if let candidates { return try await candidates(target) }
        return try await resolver.candidates(for: target)
    }

    private func attachment(towards peer: IPAddress) async throws(MediaSourceError) -> NetworkAttachment {
        do {
            return try await context.routing.attachment(towards: peer)
        } catch {
            throw MediaSourceError(.serviceUnavailable, error.message)
        }
    }

    private func tlsContext(for pin: CertificatePin?) async throws(MediaSourceError) -> NIOSSLContext {
        do {
            return try await pin == nil ? context.authorities.clientContext() : CertificatePin.context()
        } catch {
            throw MediaSourceError(.serviceUnavailable, "rtsp \(ErrorText.of(error))")
        }
    }

    /// Media goes its own, short way; all else in its turn.
    private func take(_ message: RTSPMessage, of number: Int) {
        guard number == connectionNumber else { return }
        if case .interleaved(let channel, let payload) = message {
            guard isPrepared, let (index, isRTCP) = session?.stream(ofChannel: channel) else { return }
            stream(index)?.inject(payload, isRTCP: isRTCP)
            return
        }
        guard events.count < Self.maximumEvents else {
            connection?.close()
            return
        }
        post(.message(message, connection: number))
    }

    private func flush() {
        for stream in streams { stream.incoming.flush() }
    }

    /// The stream of the session's number.
    private func stream(_ number: Int) -> UpstreamStream? {
        guard planned.indices.contains(number) else { return nil }
        return streams.first { $0.index == planned[number] }
    }

    // MARK: Actions

    /// Does what the session wants, and returns what it wants then.
    private func perform(_ action: ClientAction) async -> [ClientAction] {
        switch action {
        case .send(let message): connection?.send(message)
        case .connect(let target, let reason):
            note("\(reason): a new connection to \(target)")
            return await connect(to: target)
        case .described(let sdp): return described(sdp)
        case .needsUDPPorts(let number): return await reserve(number)
        case .prepared(let granted): return await prepare(granted)
        case .established(let granted): return await established(granted)
        case .packet(let number, let isRTCP, let payload): stream(number)?.inject(payload, isRTCP: isRTCP)
        case .announced(let sdp):
            guard sdp != descriptionBytes else { break }
            return session?.abandon(
                .serviceUnavailable, "the upstream announces another description", at: MonotonicClock.now) ?? []
        case .note(let text): note(text)
        case .ended: preconditionFailure("`run` takes it")
        }
        return []
    }

    private func described(_ sdp: [UInt8]) -> [ClientAction] {
        let now = MonotonicClock.now
        let description: SessionDescription
        do throws(SDPError) {
            description = try SessionDescription(parsing: sdp, isLenient: true)
        } catch {
            return session?.abandon(.badGateway, "its description \(error)", at: now) ?? []
        }
        (self.description, descriptionBytes) = (description, sdp)
        (planned, mediumKeys) = ([], [:])
        var plans: [ClientStreamPlan] = []
        for (index, medium) in description.media.enumerated() {
            guard var plan = plan(for: medium, in: description) else {
                note("stream \(index), m=\(medium.line.value): left out, it is no plain RTP, and no SRTP over TLS")
                continue
            }
            if plan.profile.isSecured {
                guard let keys = keys(of: medium, in: description) else { continue }
                plan.keyManagement = keys.message
                mediumKeys[index] = keys
            }
            planned.append(index)
            plans.append(plan)
        }
        guard !plans.isEmpty else {
            return session?.abandon(.badGateway, "its description has no RTP streams", at: now) ?? []
        }
        makeStreams(description)
        return session?.setUp(control: description.attribute("control"), streams: plans, at: now) ?? []
    }

    /// Streams that were there before keep their routes, and players' legs with them.
    private func makeStreams(_ description: SessionDescription) {
        let known = streams
        streams = planned.map { index in
            let medium = description.media[index]
            let stream =
                known.first { $0.index == index && $0.media == medium.kind && $0.clockRate == medium.clockRate }
                ?? UpstreamStream(context: context, routeName: routeName, index: index, medium: medium)
            stream.keys = mediumKeys[index]
            return stream
        }
    }

    private func reserve(_ number: Int) async -> [ClientAction] {
        guard let stream = stream(number), let local, let connection else { return [] }
        do throws(RoutingError) {
            try await stream.protect(isInterleaved: false)
            let udpPort = try await stream.incoming.receiveUnicast(at: local, from: connection.peer)
            return session?.offer(udpPort: udpPort, at: MonotonicClock.now) ?? []
        } catch {
            return session?.cannotOffer(error.message, at: MonotonicClock.now) ?? []
        }
    }

    private func prepare(_ granted: [ClientStream]) async -> [ClientAction] {
        isPrepared = true
        countFallback(granted)
        for stream in streams where !granted.contains(where: { self.stream($0.index) === stream }) {
            await stream.remove()
            streams.removeAll { $0 === stream }
        }
        do throws(RoutingError) {
            for stream in granted { try await receive(stream) }
            if case .later = playing {
                isLive = true
                present()
                return []
            }
            return session?.play(at: MonotonicClock.now) ?? []
        } catch {
            return session?.abandon(.serviceUnavailable, error.message, at: MonotonicClock.now) ?? []
        }
    }

    private func receive(_ granted: ClientStream) async throws(RoutingError) {
        guard let stream = stream(granted.index), let local, let connection, let description else { return }
        var source: IPAddress?
        if let name = granted.source {
            if let address = IPAddress(name) {
                source = address
            } else {
                source = await resolver.addresses(of: name).lazy.compactMap { IPAddress($0) }
                    .first { $0.family == connection.peer.family }
            }
        }
        // Cameras also name 0.0.0.0, their group, or an address of the other family.
        if let named = source,
            named.isUnspecified || named.isMulticast || named.family != connection.peer.family
                || named.isLoopback && !connection.peer.isLoopback
        {
            source = nil
        }
        try await stream.receive(
            granted, from: connection.peer, source: source, at: local,
            group: UpstreamGroup(description.media[stream.index], in: description))
    }

    private func established(_ granted: [ClientStream]) async -> [ClientAction] {
        let now = MonotonicClock.now
        if !isPrepared {
            do throws(RoutingError) {
                try await readopt(granted)
            } catch {
                return session?.abandon(.serviceUnavailable, error.message, at: now) ?? []
            }
        }
        startedAt = now
        lastArrival = nil
        record = UpstreamRecord(
            url: "\(session?.url ?? url)", description: descriptionBytes, resumption: session?.resumable)
        onRecord?(record)
        watchMedia()
        let ways = granted.map { "\($0.index): \($0.transport.rawValue)" }.joined(separator: ", ")
        logger.info("the upstream plays, streams \(ways)")
        isLive = true
        present()
        if case .later = playing { playing = .atOnce }
        answerPlayers(.success(()))
        return []
    }

    /// Ends the opening with what there is to play.
    private func present() {
        guard let description, let opening else { return }
        self.opening = nil
        opening.resume(
            returning: .success(
                Presentation(description: description.withoutKeys, streams: streams.map(\.presentation))))
    }

    /// Goes on to receive what an earlier session still sends, at the same UDP ports.
    private func readopt(_ granted: [ClientStream]) async throws(RoutingError) {
        isPrepared = true
        for wanted in granted {
            if wanted.transport == .udp, let stream = stream(wanted.index), let local, let connection {
                let udpPort = try await stream.incoming.receiveUnicast(at: local, from: connection.peer)
                guard udpPort == wanted.clientUDPPort else {
                    throw RoutingError(
                        .unavailable,
                        "stream \(wanted.index): the upstream sends to UDP port \(wanted.clientUDPPort ?? 0), which is taken"
                    )
                }
            }
            try await receive(wanted)
        }
    }

    // MARK: Media

    private func watchMedia() {
        guard watch == nil else { return }
        let period = TimeAmount.nanoseconds(Int64(timing.watch))
        watch = AgentActor.loop.scheduleRepeatedTask(initialDelay: period, delay: period) { [weak self] _ in
            AgentActor.assumeIsolated { self?.post(.watch) }
        }
    }

    private func stopWatching() {
        watch?.cancel()
        watch = nil
    }

    private func lookAtMedia(at now: UInt64) async {
        guard isLive, session?.isPlaying == true else { return }
        var isAny = false
        for stream in streams {
            if await stream.hasNewPackets() { isAny = true }
            if let report = await stream.report(at: now) { send(report, of: stream) }
        }
        if isAny { lastArrival = now }
        session?.isMediaFresh = isAny
        // Metadata comes when something happens.
        let mustFlow = streams.contains { ["audio", "video"].contains($0.media) }
        let loss = lastArrival.map { Deadline(timing.loss, after: $0) }
        session?.isMediaFlowing = loss.map { !$0.hasPassed(at: now) } ?? false
        if let lastArrival, let loss {
            guard loss.hasPassed(at: now), mustFlow else { return }
            let seconds = now.subtractingSaturating(lastArrival) / 1_000_000_000
            await run(session?.abandon(.gatewayTimeout, "no packets for \(seconds) s", at: now) ?? [])
        } else if mustFlow, Deadline(patience, after: startedAt).hasPassed(at: now) {
            wasSilent = true
            await run(session?.mediaIsMissing(at: now) ?? [])
        }
    }

    /// The time in which the first packet has to come.
    private var patience: UInt64 {
        session?.hasAnotherTransport == true ? timing.firstPacket : timing.lastFirstPacket
    }

    private func send(_ packet: ByteBuffer, of stream: UpstreamStream) {
        if stream.granted?.transport == .interleaved {
            if let channel = stream.granted?.rtcpChannel { connection?.send(packet, onChannel: channel) }
        } else {
            stream.incoming.sendRTCP(packet)
        }
    }

    private func sayGoodbye(at now: UInt64) async {
        guard isLive else { return }
        for stream in streams {
            if let packet = await stream.farewell(at: now) { send(packet, of: stream) }
        }
    }

    // MARK: The end

    private func ended(_ end: ClientSessionEnd, resumable: ClientResumption?) async {
        connectionNumber += 1
        connection?.close()
        (connection, session) = (nil, nil)
        timer?.cancel()
        timer = nil
        stopWatching()
        let wasLive = isLive
        isLive = false
        if record?.resumption != resumable {
            record?.resumption = resumable
            onRecord?(record)
        }
        let error = MediaSourceError(end.status, "upstream \(url): \(end.reason)")
        answerPlayers(.failure(error))
        if let opening {
            self.opening = nil
            opening.resume(returning: .failure(error))
        } else if wasLive {
            onEnd?(error)
        }
        if !closing.isEmpty { await closed() }
    }

    private func closed() async {
        for stream in streams { await stream.remove() }
        streams = []
        description = nil
        if record != nil {
            record = nil
            onRecord?(nil)
        }
        let waiting = closing
        closing = []
        waiting.forEach { $0.resume() }
    }

    func note(_ text: String) {
        logger.info("\(text)")
        notes.append(text)
        if notes.count > 8 { notes.removeFirst() }
    }
}
