// State that the media of all calls share.

public import AgentSupport
public import Logging
import NIOCore
import RTPWire
public import Routing

/// The fast path, UDP ports and policy of one agent's calls.
@AgentActor
public final class MediaContext {
    let routing: any SessionRouteControl
    let udpPorts: UDPPortAllocator
    let udpPortRange: ClosedRange<UInt16>
    let logger: Logger
    let policy: MediaPolicy
    /// The name of this node in a Warning (RFC 3261 section 20.43).
    let agent: String
    let routeEvents: RouteEvents
    private var attachments: [IPAddress: (found: NetworkAttachment, until: UInt64)] = [:]
    private var watched: [ObjectIdentifier: Watched] = [:]
    private var watch: RepeatedTask?
    private var isLooking = false

    private struct Watched {
        weak var media: CallMedia?
    }

    /// - Parameters:
    ///   - routing: The owner of the fast path.
    ///   - udpPorts: Where the UDP ports of calls are taken from.
    ///   - agent: How this node calls itself in Warning headers: a host name or an address.
    public init(
        routing: any SessionRouteControl, udpPorts: ClosedRange<UInt16>, policy: MediaPolicy = MediaPolicy(),
        agent: String = "crosspoint", logger: Logger
    ) {
        self.routing = routing
        self.udpPorts = UDPPortAllocator(range: udpPorts)
        udpPortRange = udpPorts
        self.policy = policy
        self.agent = agent
        self.logger = logger
        routeEvents = RouteEvents(routing: routing)
    }

    deinit { watch?.cancel() }

    /// Calls come many at a time from the same peers; the way to a peer seldom changes.
    private static let attachmentAge: UInt64 = 1_000_000_000
    private static let rememberedAttachments = 1024

    /// The attachment that packets of `peer` pass on this node. An answer of the last second is given again.
    func attachment(towards peer: IPAddress) async throws(RoutingError) -> NetworkAttachment {
        let now = MonotonicClock.now
        if let known = attachments[peer], known.until > now { return known.found }
        let found = try await routing.attachment(towards: peer)
        if attachments.count >= Self.rememberedAttachments { attachments.removeAll(keepingCapacity: true) }
        attachments[peer] = (found, now + Self.attachmentAge)
        return found
    }

    // MARK: Watching

    private static let period = TimeAmount.seconds(1)

    /// Looks at the call's media every second from now on.
    func watch(_ media: CallMedia) {
        watched[ObjectIdentifier(media)] = Watched(media: media)
        guard watch == nil else { return }
        watch = AgentActor.loop.scheduleRepeatedTask(initialDelay: Self.period, delay: Self.period) { [weak self] _ in
            AgentActor.assumeIsolated { self?.look() }
        }
    }

    func unwatch(_ media: CallMedia) {
        watched[ObjectIdentifier(media)] = nil
        guard watched.isEmpty else { return }
        watch?.cancel()
        watch = nil
    }

    private func look() {
        guard !isLooking else { return }
        isLooking = true
        Task { @AgentActor [weak self] in
            await self?.lookAtAll()
            self?.isLooking = false
        }
    }

    /// One question for all calls.
    private func lookAtAll() async {
        watched = watched.filter { $0.value.media != nil }
        let calls = watched.values.compactMap(\.media)
        let progresses = await routing.progress(of: calls.flatMap(\.watchedRoutes))
        let now = MonotonicClock.now
        for call in calls { await call.look(at: progresses, now: now) }
    }
}
