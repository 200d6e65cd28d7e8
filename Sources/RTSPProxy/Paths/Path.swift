// One path that players can ask for, and the source behind it.

import AgentSupport
import FoundationEssentials
import Logging
import RTSPCore
import Routing
import Sessions
import Timing

/// Opens the source when the first player comes, shares it among all, keeps it for the linger time after the last one, and
/// brings it back with growing pauses when it is lost.
@AgentActor
final class Path {
    /// The route that it belongs to.
    let route: RTSPRoute
    /// The request path, normalised: `/studio1/cam1`.
    let path: String
    /// The path in the names of `SessionRouteControl`'s routes: `rtsp.cam1`.
    let routeName: String
    /// The source of requests that made it by asking first; nil where the configuration names it.
    let owner: SourceKey?
    /// The groups that multicast players share, and the state that interleaved players share, by stream.
    private(set) var groups: [Int: MulticastGroup] = [:]
    private(set) var fanOuts: [Int: InterleavedFanOut] = [:]
    /// The legs that players by UDP divide among them, by stream.
    private(set) var legs: [Int: PlayerLegs] = [:]
    /// Called when the source's streams are not what players negotiated any more: their sessions must end.
    var onReplaced: [ObjectIdentifier: @AgentActor (MediaSourceError) -> Void] = [:]

    private let context: ProxyContext
    private let makeSource: @AgentActor (Path) throws(MediaSourceError) -> any MediaSource
    private var source: (any MediaSource)?
    private var state = State.idle
    private(set) var users = 0
    private var waiters: [CheckedContinuation<Result<Presentation, MediaSourceError>, Never>] = []
    private var lingering: Task<Void, Never>?
    /// The end of earlier sources: the next one has the same routes, and waits for it.
    private var closing: Task<Void, Never>?
    private var reconnecting: Task<Void, Never>?
    private var attempts = 0
    /// Tells the end of an opening that was given up from that of the present one.
    private var opening = 0
    /// True once its packets are wanted: from then on, a source that is opened plays at once.
    private var isPlayed = false
    private var lastPresentation: Presentation?
    /// When the source came last.
    private var openedAt: Date?
    /// Since when it has had no source (CLOCK_MONOTONIC, nanoseconds).
    private var idleSince = MonotonicClock.now
    /// Groups that the path itself sends to.
    private var standing: Set<ObjectIdentifier> = []

    private enum State {
        case idle
        case opening
        case live(Presentation)
        /// Lost, or refused: tried again while anybody wants it.
        case waiting(MediaSourceError)
        case closed
    }

    /// - Parameter makeSource: Makes what the streams come from; not used where somebody publishes.
    init(
        route: RTSPRoute, path: String, routeName: String, owner: SourceKey? = nil, context: ProxyContext,
        makeSource: @escaping @AgentActor (Path) throws(MediaSourceError) -> any MediaSource
    ) {
        self.route = route
        self.path = path
        self.routeName = routeName
        self.owner = owner
        self.context = context
        self.makeSource = makeSource
        isPlayed = route.sendsMulticast || route.isAlwaysOpen
    }

    // MARK: Players

    /// One user more; returns when the streams are in the fast path. All who wait share one opening, and its error.
    func attach() async throws(MediaSourceError) -> Presentation {
        lingering?.cancel()
        lingering = nil
        users += 1
        do throws(MediaSourceError) {
            return try await presentation()
        } catch {
            leave()
            throw error
        }
    }

    /// True if nobody has used it and its source for so many nanoseconds.
    func isIdle(for life: UInt64, at now: UInt64) -> Bool {
        guard users == 0, case .idle = state else { return false }
        return now.subtractingSaturating(idleSince) >= life
    }

    /// One user less.
    ///
    /// - Parameter isFollowed: True where a request of the same player is to come, which wants the source again.
    func detach(isFollowed: Bool = false) { leave(isFollowed: isFollowed) }

    /// The presentation that players negotiate now; nil while the source is not open.
    var current: Presentation? {
        if case .live(let presentation) = state { presentation } else { nil }
    }

    /// True while its source waits for the first player's PLAY.
    var waitsForPlay: Bool { source?.waitsForPlay ?? false }

    /// Has the source's packets come, for the first player.
    func play() async throws(MediaSourceError) {
        isPlayed = true
        try await source?.play()
    }

    private func presentation() async throws(MediaSourceError) -> Presentation {
        switch state {
        case .live(let presentation): return presentation
        case .closed: throw removed
        case .waiting(let error) where reconnecting != nil: throw error.whileReconnecting
        case .idle, .waiting:
            begin()
            fallthrough
        case .opening:
            return try await withCheckedContinuation { waiters.append($0) }.get()
        }
    }

    private var removed: MediaSourceError { MediaSourceError(.notFound, "path \(path): removed") }

    /// The time that a player has between DESCRIBE and SETUP, in seconds, however short the linger time is.
    private static let shortestPause = 5

    private func leave(isFollowed: Bool = false) {
        users -= 1
        // A publisher stays as long as it likes, whether or not anybody listens.
        guard users == 0, !route.isAlwaysOpen, case .upstream = route.source else { return }
        let linger = context.configuration.linger
        lingering = Task { @AgentActor [weak self] in
            try? await Task.sleep(for: .seconds(isFollowed ? max(linger, Self.shortestPause) : linger))
            guard !Task.isCancelled, let self, self.users == 0 else { return }
            self.lingering = nil
            self.context.logger.info("rtsp path \(self.path): nobody plays it, its source is let go")
            await self.closeSource()
        }
    }

    // MARK: The source

    /// Opens the source although nobody plays: for `on-demand: false`, and to continue after a restart of the daemon.
    func keepOpen() {
        isPlayed = true
        if case .idle = state { begin() }
    }

    private func begin() {
        state = .opening
        opening += 1
        Task { @AgentActor [opening] in await self.open(opening) }
    }

    private func open(_ number: Int) async {
        while let earlier = closing {
            await earlier.value
            if closing == earlier { closing = nil }
        }
        guard number == opening, case .opening = state else { return }
        do throws(MediaSourceError) {
            let source: any MediaSource
            if let known = self.source { source = known } else { source = try makeSource(self) }
            self.source = source
            source.onEnd = { [weak self] error in self?.lost(error) }
            let presentation = try await (isPlayed ? source.open() : source.prepare())
            if number == opening { arrived(presentation) }
        } catch {
            if number == opening { failed(error) }
        }
    }

    private func arrived(_ presentation: Presentation) {
        guard case .opening = state else { return }
        attempts = 0
        if let lastPresentation, !presentation.continues(lastPresentation) {
            end(sessions: MediaSourceError(.sessionNotFound, "path \(path): the source offers other streams now"))
        }
        lastPresentation = presentation
        for stream in presentation.streams { share(stream) }
        openedAt = Date.now
        state = .live(presentation)
        if route.sendsMulticast { sendMulticast() }
        resume(.success(presentation))
        context.logger.info("rtsp path \(path): live, \(presentation.streams.count) streams")
    }

    /// The path itself is a user of its groups, as long as the source is live.
    private func sendMulticast() {
        for group in groups.values where standing.insert(ObjectIdentifier(group)).inserted {
            Task { @AgentActor in
                do throws(RoutingError) {
                    try await group.attach()
                    try await group.open()
                } catch {
                    self.context.logger.error("rtsp path \(self.path): no multicast: \(error)")
                }
            }
        }
    }

    private func share(_ stream: PresentationStream) {
        guard fanOuts[stream.index] == nil else { return }
        // To a group, it would go in clear.
        if stream.isEncrypted != true { groups[stream.index] = MulticastGroup(context: context, stream: stream) }
        fanOuts[stream.index] = InterleavedFanOut(context: context, stream: stream)
        legs[stream.index] = PlayerLegs(shares: context.shares, share: context.configuration.maximumPlayersPerAddress)
    }

    private func failed(_ error: MediaSourceError) {
        guard case .opening = state else { return }
        context.counters.add(to: .upstreamFailures, ["status": "\(error.status.code)"])
        context.logger.warning("rtsp path \(path): \(error)")
        state = .waiting(error)
        // Players that wait for something new are answered; sessions that had it wait for it to come back.
        resume(.failure(error))
        retry()
    }

    /// The source is gone. Players' legs stay: they continue when it is back.
    private func lost(_ error: MediaSourceError) {
        guard case .live = state else { return }
        context.counters.add(to: .upstreamFailures, ["status": "\(error.status.code)"])
        context.logger.warning("rtsp path \(path): \(error)")
        state = .waiting(error)
        retry()
    }

    private static let firstPause = 0.5
    private static let longestPause = 30.0

    private func retry() {
        guard users > 0 || route.isAlwaysOpen, case .upstream = route.source else {
            if users == 0 { Task { @AgentActor in await self.closeSource() } }
            return
        }
        let pause = min(Self.firstPause * Double(1 << min(attempts, 6)), Self.longestPause)
        attempts += 1
        reconnecting = Task { @AgentActor [weak self] in
            try? await Task.sleep(for: .seconds(pause))
            guard !Task.isCancelled, let self else { return }
            self.reconnecting = nil
            guard case .waiting = self.state else { return }
            guard self.users > 0 || self.route.isAlwaysOpen else { return await self.closeSource() }
            self.begin()
        }
    }

    private func closeSource() async {
        reconnecting?.cancel()
        reconnecting = nil
        attempts = 0
        opening += 1
        isPlayed = route.sendsMulticast || route.isAlwaysOpen
        let old = source
        source = nil
        old?.onEnd = nil
        if case .closed = state {} else { state = .idle }
        idleSince = MonotonicClock.now
        lastPresentation = nil
        let left = groups.values.filter { standing.remove(ObjectIdentifier($0)) != nil }
        (groups, fanOuts, legs) = ([:], [:], [:])
        let earlier = closing
        let task = Task { @AgentActor in
            await earlier?.value
            for group in left { await group.detach() }
            await old?.close()
        }
        closing = task
        await task.value
    }

    private func resume(_ result: Result<Presentation, MediaSourceError>) {
        let waiting = waiters
        waiters = []
        for waiter in waiting { waiter.resume(returning: result) }
    }

    private func end(sessions error: MediaSourceError) {
        let listeners = Array(onReplaced.values)
        listeners.forEach { $0(error) }
    }

    // MARK: Restart

    /// Prepares for a player's streams, which an earlier daemon brought into the fast path.
    func adopt(_ streams: [PresentationStream]) {
        users += 1
        for stream in streams { share(stream) }
    }

    /// Opens the source of adopted players; their legs wait for it on its routes.
    func takeUp() {
        guard case .idle = state else { return }
        isPlayed = true
        begin()
    }

    // MARK: Publishers

    /// A publisher's streams take the path's place, if nobody else publishes there.
    func publish(_ publisher: any MediaSource, _ presentation: Presentation) throws(MediaSourceError) {
        guard case .publisher = route.source else {
            throw MediaSourceError(
                .forbidden, "path \(path): its streams come from an upstream, nobody may publish there")
        }
        if case .closed = state { throw removed }
        if case .live = state { throw MediaSourceError(.forbidden, "path \(path): somebody publishes there already") }
        source = publisher
        publisher.onEnd = { [weak self] error in
            self?.lost(error)
            self?.end(sessions: error)
            // The next publisher begins again.
            Task { @AgentActor in await self?.closeSource() }
        }
        state = .opening
        arrived(presentation)
    }

    // MARK: Operators

    /// Ends the path: sessions, source and routes.
    func close() async {
        // First, so that nobody who asks meanwhile opens the source again.
        state = .closed
        lingering?.cancel()
        resume(.failure(removed))
        await closeSource()
        end(sessions: removed)
    }

    /// Ends the sessions and the source; the next request opens it again.
    func reset(_ error: MediaSourceError) async {
        end(sessions: error)
        resume(.failure(error))
        await closeSource()
    }

    /// The state's name and what to know of it, for `rtsp route show`.
    var report: (state: String, detail: String?) {
        switch state {
        case .idle: ("idle", nil)
        case .opening: ("connecting", nil)
        case .live: ("live", source?.report().joined(separator: "; "))
        case .waiting(let error): ("waiting", error.message)
        case .closed: ("removed", nil)
        }
    }

    /// The node's session at the upstream; nil where there is none.
    var upstreamReport: SessionReport? {
        guard let source = source as? UpstreamSource else { return nil }
        let (state, detail) = report
        return SessionReport(
            name: "upstream-\(routeName.dropFirst(5))", kind: .rtspUpstream,
            state: state == "live" ? "playing" : state, target: path,
            peer: source.peer, user: source.url.user, agent: source.agent,
            startedAt: openedAt?.formatted(.iso8601) ?? "", streams: source.streamReports,
            notes: source.notes + (state == "waiting" ? [detail].compactMap { $0 } : []))
    }
}

extension Presentation {
    /// True if players that negotiated `other` can continue with this one.
    fileprivate func continues(_ other: Presentation) -> Bool {
        streams.count == other.streams.count
            && zip(streams, other.streams).allSatisfy { $0.media == $1.media && $0.clockRate == $1.clockRate }
    }
}

extension MediaSourceError {
    fileprivate var whileReconnecting: MediaSourceError {
        MediaSourceError(status.code == 404 ? .notFound : .serviceUnavailable, "\(message); it is tried again")
    }
}
