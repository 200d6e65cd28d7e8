// State that all calls share.

import AgentSupport
import Logging
import RTPWire
import Routing
import SIPCore

/// Ways out, transactions, timers, and the tables of calls and dialogs.
@AgentActor
final class CallContext {
    /// As it was read last.
    var configuration: SIPConfiguration
    let access: CallAccess
    let transports: SIPTransports
    let transactions: Transactions
    let timers: SIPTimers
    let times: TransactionTimes
    let resolver: SIPResolver
    let counters: SIPCounters
    let media: MediaContext
    let journal: CallJournal
    let registrations: RegistrationService
    let logger: Logger
    var generator = SystemRandomNumberGenerator()

    /// The methods and extensions that the node understands within calls.
    static let policy = RequestPolicy(
        methods: [.invite, .ack, .bye, .cancel, .options, .prack, .update, .info, .message],
        extensions: ["100rel", "timer"])
    /// The name of the node in User-Agent and Server.
    static let agent = "Crosspoint"

    private(set) var calls: [String: Call] = [:]
    private var callsOfSource: [SourceKey: Int] = [:]
    private var dialogs: [DialogID: CallSide] = [:]
    /// Calls by the transaction of the INVITE that began or changes them, for CANCEL.
    private var invites: [TransactionID: Call] = [:]
    private var lastName = 0
    /// Calls that ended last, for whoever looks for the reason.
    private(set) var history: [(name: String, ladder: MessageLadder)] = []
    private static let historyCount = 64

    init(
        configuration: SIPConfiguration, access: CallAccess, transports: SIPTransports, transactions: Transactions,
        timers: SIPTimers,
        times: TransactionTimes, resolver: SIPResolver, counters: SIPCounters, media: MediaContext,
        journal: CallJournal, registrations: RegistrationService, logger: Logger
    ) {
        self.configuration = configuration
        self.access = access
        self.transports = transports
        self.transactions = transactions
        self.timers = timers
        self.times = times
        self.resolver = resolver
        self.counters = counters
        self.media = media
        self.journal = journal
        self.registrations = registrations
        self.logger = logger
    }

    // MARK: Tables

    func nextName() -> String {
        lastName += 1
        return "sip-\(lastName)"
    }

    /// Keeps new calls from the name of one that was taken over.
    func reserve(name: String) {
        if let number = Int(name.dropFirst("sip-".count)) { lastName = max(lastName, number) }
    }

    /// True if there is room for one more call of this address. A quarter of the places is kept for networks of `allow`.
    func hasRoom(for source: IPAddress) -> Bool {
        let limits = configuration.limits
        let places = access.isAllowed(source) ? limits.calls : limits.calls - limits.calls / 4
        return calls.count < places && callsOfSource[SourceKey(source), default: 0] < limits.callsPerSource
    }

    func add(_ call: Call) {
        calls[call.name] = call
        callsOfSource[SourceKey(call.callerAddress), default: 0] += 1
    }

    func remove(_ call: Call) {
        guard calls.removeValue(forKey: call.name) != nil else { return }
        let source = SourceKey(call.callerAddress)
        let rest = callsOfSource[source, default: 1] - 1
        callsOfSource[source] = rest > 0 ? rest : nil
        history.append((call.name, call.ladder))
        if history.count > Self.historyCount { history.removeFirst() }
    }

    /// A second has passed.
    func tick(now: UInt64) {
        for call in Array(calls.values) {
            if call.isStuck(now) { call.discard() } else if call.hasRunOut(now) { call.post(.tick(now)) }
        }
    }

    func add(_ side: CallSide, as dialog: DialogID) { dialogs[dialog] = side }
    func remove(_ dialog: DialogID) { dialogs[dialog] = nil }
    /// The side of a call that a request belongs to.
    func side(of request: SIPRequest) -> CallSide? { DialogID(received: request).flatMap { dialogs[$0] } }
    var dialogCount: Int { dialogs.count }

    /// The connections that are to stay open although nothing is said on them.
    var neededConnections: Set<UInt64> {
        var connections = registrations.connections
        for side in dialogs.values where side.call?.state != .ended {
            if let connection = side.connection { connections.insert(connection) }
        }
        // A caller's before it has a dialog, and a callee's before it has answered.
        for call in calls.values where call.state != .ended {
            if let connection = call.initial?.source.connection { connections.insert(connection) }
            for branch in call.branches where !branch.isOver {
                if let connection = branch.path?.connection ?? branch.target.connection {
                    connections.insert(connection)
                }
            }
        }
        return connections.union(transactions.connections)
    }

    /// True if a request in a dialog comes from the peer that signals there, so that nobody else who has learned of the
    /// dialog takes part in it: from the peer's address or connection, an address that its Contact or Record-Route
    /// names, or, since proxies have several, a network of `allow`. The node's own addresses are in none.
    func mayCome(from source: SIPSource, on side: CallSide) -> Bool {
        guard let known = side.source else { return true }
        if let connection = source.connection, connection == side.connection { return true }
        if SourceKey(known.address) == SourceKey(source.address) { return true }
        if let dialog = side.dialog {
            let named = [dialog.remoteTarget] + dialog.routeSet.map(\.uri)
            if named.contains(where: { $0.place?.host.address == source.address }) { return true }
        }
        return access.isAllowed(source.address) && !transports.isLocal(source.address)
    }

    func add(invite id: TransactionID, of call: Call) { invites[id] = call }
    func remove(invite id: TransactionID) { invites[id] = nil }
    func call(invite id: TransactionID) -> Call? { invites[id] }

    // MARK: Identifiers

    func tag() -> String { SIPIdentifiers.tag(using: &generator) }
    func callID() -> String { SIPIdentifiers.callID(using: &generator) }
    func branch(for incoming: SIPRequest? = nil) -> String {
        LoopDetection.branch(for: incoming, unique: SIPIdentifiers.unique(using: &generator))
    }
    /// The seconds of a Retry-After.
    func retryAfter() -> Int { Int.random(in: 0...10, using: &generator) }

    /// The agent that warns, in Warning.
    var warningAgent: String { Self.agent.lowercased() }

    /// The credentials of this node towards a next hop; nil where the file cannot be read.
    func authentication(_ credentials: DialTarget.Credentials) -> SIPAuthenticationClient? {
        do { return try credentials.client() } catch {
            logger.error("sip: \(error)")
            return nil
        }
    }

    /// The rules by which the media of a peer are judged that signals from `address`.
    ///
    /// - Parameter isTrusted: Whether it may name addresses of `allow` beside its own.
    func mediaPeer(_ address: IPAddress, isSecure: Bool, isTrusted: Bool) -> MediaPeer {
        let access = access
        return MediaPeer(
            signalling: address, isSecure: isSecure, sources: configuration.sourcePolicy == .learn ? .learn : .strict
        ) { media in
            // The media of a call are on the actor as the call is.
            AgentActor.assumeIsolated { access.mayCarryMedia(with: media, peer: address, isTrusted: isTrusted) }
        }
    }

    /// True if a request has come through this node before with the same Request-URI.
    func isLoop(_ request: SIPRequest) -> Bool {
        let places = request.vias.filter { transports.isOwn($0.sentBy, $0.transport) }.map(\.sentBy)
        return !places.isEmpty && LoopDetection.isLoop(request, ownPlaces: places)
    }

    // MARK: Ways

    /// The way to the next hop of a side's dialog; nil where there is none. A peer that is still where it was hears from the address that
    /// it has spoken to.
    func path(to uri: SIPURI, of side: CallSide) async -> SIPPath? {
        let isAway = side.reach != .named
        if let connection = side.connection, let path = transports.path(on: connection),
            Self.mayUse(path.destination, for: uri, isAway: isAway)
        {
            return path
        }
        let source = side.source
        if isAway, let path = pathToOrigin(of: side), uri.scheme != .sips || path.destination.transport == .tls {
            return path
        }
        let found = (try? await resolver.destinations(for: uri, namedBy: source?.address)) ?? []
        if let destination = found.first(where: { access.mayReach($0.address, for: source?.address) }) {
            return transports.path(
                to: destination, from: source?.address == destination.address ? source?.localAddress : nil)
        }
        // The place that it names is not there, or is somebody else's: it is reached where it signals from.
        guard let source else { return nil }
        if let path = source.connection.flatMap({ transports.path(on: $0) }) { return path }
        let origin = SIPDestination(
            transport: source.transport, address: source.address, transportPort: source.transportPort,
            name: source.address.description)
        return transports.path(to: origin, from: source.localAddress)
    }

    /// A peer that has connected is reached on its connection, since it may take none: as long as the URI names its address, or is
    /// not spoken over UDP anyway.
    ///
    /// - Parameter isAway: Whether the peer is where it signals from, whatever the URI names.
    private static func mayUse(_ destination: SIPDestination, for uri: SIPURI, isAway: Bool) -> Bool {
        guard uri.scheme != .sips || destination.transport == .tls else { return false }
        if isAway { return true }
        if case .address(let address)? = uri.place?.host, address != destination.address { return false }
        return uri.scheme == .sips || uri.transport.map { $0 == destination.transport } ?? true
    }
}
