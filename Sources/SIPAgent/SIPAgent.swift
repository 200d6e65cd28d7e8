// The SIP agent of a node, as the daemon runs it.

public import AgentSupport
public import Logging
import NIOPosix
import RTPWire
public import Routing
public import ServiceLifecycle
public import Sessions
import SIPCore

/// A back-to-back user agent and registrar: answers and makes calls, and has the fast path carry their media.
///
/// Stopping it stops the signalling only: calls stay in the fast path and in the journal, and the next daemon continues them.
@AgentActor
public final class SIPAgent: Service, SessionControl, SIPControl {
    private let context: CallContext
    private let intake: CallIntake
    private let accessCounters: AccessCounters
    private let registry: RegistrationService
    private let routing: any SessionRouteControl
    private var ticker: Task<Void, Never>?
    private let listening = ListeningMark()

    /// - Parameters:
    ///   - routing: The owner of the fast path, which has taken over what it found.
    ///   - runtimeDirectory: Where the journal lies.
    /// - Throws: What is wrong with the configuration on this host, in one line.
    public nonisolated convenience init(
        configuration: SIPConfiguration, routing: any SessionRouteControl, runtimeDirectory: String, logger: Logger
    ) async throws {
        try await self.init(configuration, routing, runtimeDirectory, logger)
    }

    init(
        _ configuration: SIPConfiguration, _ routing: any SessionRouteControl, _ runtimeDirectory: String,
        _ logger: Logger, times: TransactionTimes = TransactionTimes(), names: any TimedNameService = HostNameService()
    ) throws {
        let counters = SIPCounters()
        let timers = SIPTimers()
        let transports = SIPTransports(configuration: configuration, counters: counters, logger: logger)
        let transactions = Transactions(
            transports: transports, timers: timers, counters: counters, times: times,
            capacity: Self.transactionsPerCall * configuration.limits.calls,
            share: Self.transactionsPerCall * configuration.limits.callsPerSource)
        let resolver = SIPResolver(
            upstream: names, clock: { .nanoseconds(Int64(MonotonicClock.now)) })
        accessCounters = AccessCounters()
        let access = try CallAccess(configuration: configuration, counters: accessCounters)
        access.isOwn = { [weak transports] in transports?.isLocal($0) == true }
        registry = try RegistrationService(
            configuration: configuration, access: access, counters: accessCounters, runtimeDirectory: runtimeDirectory,
            logger: logger)
        context = CallContext(
            configuration: configuration, access: access, transports: transports, transactions: transactions,
            timers: timers,
            times: times, resolver: resolver, counters: counters,
            media: MediaContext(
                routing: routing, udpPorts: configuration.udpPorts,
                policy: MediaPolicy(abandonment: configuration.noMediaTimeout.map { Double($0) }), logger: logger),
            journal: try CallJournal(runtimeDirectory: runtimeDirectory, logger: logger), registrations: registry,
            logger: logger)
        intake = CallIntake(context: context)
        transports.standing = { [access] source in
            access.isTrusted(source) ? .trusted : access.isOpen(to: source) ? .open : .closed
        }
        transports.needed = { [weak context] in context?.neededConnections ?? [] }
        transactions.core = intake
        self.routing = routing
    }

    /// Requests are remembered for half a minute after their answer, and a call has four or more.
    private static let transactionsPerCall = 32

    // MARK: Service

    /// Goes on with what an earlier daemon left, listens, and returns after a graceful shutdown.
    public func run() async throws {
        try await start()
        try? await gracefulShutdown()
        await stop()
    }

    /// Listens, and takes up the calls of the journal.
    func start() async throws {
        let rest = await CallAdoption(context: context, routing: routing).run()
        try await context.transports.listen()
        let unreachable = UnreachablePlaces(logger: context.logger)
        context.timers.onTick = { [transactions = context.transactions] in
            transactions.received(unreachable.take())
        }
        context.keepWaysOpen()
        listening.set()
        for call in rest.unanswered { call.post(.restarted) }
        for call in rest.lost { call.post(.close(reason: "its media could not be taken over")) }
        ticker = Task { @AgentActor [weak self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(1))
                let now = MonotonicClock.now
                self?.context.transports.tick(now: now)
                self?.context.tick(now: now)
            }
        }
    }

    /// Gives up calls that nobody has answered, and closes all sockets; answered calls stay in the fast path and in the journal.
    func stop() async {
        for call in Array(context.calls.values) where call.state == .calling || call.state == .ringing {
            await call.end(reason: "the node stops")
        }
        await fallSilent()
    }

    /// Closes all sockets, and says nothing to anybody.
    func fallSilent() async {
        ticker?.cancel()
        context.timers.stop()
        await context.transports.close()
    }

    /// The UDP or TCP ports that are listened on.
    func ports(_ transport: SIPTransport) -> [UInt16] { context.transports.ports(transport) }

    /// Closes the connections that are idle at `now`.
    func tick(now: UInt64) { context.transports.tick(now: now) }

    var connectionCount: Int { context.transports.connectionCount }

    /// Takes a request as if it had come from `source`.
    func receive(_ request: SIPRequest, from source: SIPSource) {
        context.transactions.received(.request(request), raw: request.bytes, from: source)
    }

    /// Requests of peers that nobody has answered.
    var transactionsWithoutAnswer: Int { context.transactions.unansweredCount }

    /// A call of this agent.
    func call(named name: String) -> Call? { context.calls[name] }

    // MARK: SessionControl

    public nonisolated func whenListening() async { await listening.wait() }

    public func sessions() async -> [SessionReport] {
        var reports: [SessionReport] = []
        for call in context.calls.values { reports.append(await call.report()) }
        return reports.sorted { $0.name < $1.name }
    }

    public func session(_ name: String) async -> SessionReport? { await context.calls[name]?.report() }

    /// Ends a call on both sides; returns when its media is out of the fast path.
    public func close(session name: String) async -> Bool {
        guard let call = context.calls[name], call.state != .ended else { return false }
        await call.end(reason: "an operator closed it")
        return true
    }

    public func counters() async -> [SessionCounter] {
        context.counters.report() + accessCounters.report() + [
            SessionCounter(
                name: "sip_calls", help: "Calls at the moment, ringing ones included.",
                value: Double(context.calls.count)),
            SessionCounter(
                name: "sip_transactions", help: "Transactions that are remembered.",
                value: Double(context.transactions.count)),
        ]
    }

    // MARK: SIPControl

    public func registrations() async -> [SIPRegistrationReport] { registry.reports(now: MonotonicClock.now) }

    /// Applies another configuration, as far as that needs no restart; calls that are under way continue.
    public func reload(_ configuration: SIPConfiguration) async throws {
        try context.access.reload(configuration)
        registry.reload(configuration)
        context.transactions.share = Self.transactionsPerCall * configuration.limits.callsPerSource
        context.transports.limits = configuration.limits
        context.configuration = configuration
    }

    /// The messages of a call, also of one of those that ended last; nil where it is not known.
    public func messages(ofCall name: String) async -> [SIPLadderEntry]? {
        (context.calls[name]?.ladder ?? context.history.last { $0.name == name }?.ladder)?.entries
    }
}
