// What all calls share.

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

    /// What the node understands within calls.
    static let policy = RequestPolicy(
        methods: [.invite, .ack, .bye, .cancel, .options, .prack, .update, .info, .message],
        extensions: ["100rel", "timer"])
    /// How the node names itself in User-Agent and Server.
    static let agent = "Crosspoint"

    private(set) var calls: [String: Call] = [:]
    private var callsOfSource: [SourceKey: Int] = [:]
    /// Of all calls, one in so many is kept for callers of networks that may call.
    private static let reservedShare = 4
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

    /// Whether one more call of this address may be.
    func hasRoom(for source: IPAddress) -> Bool {
        let most = configuration.limits.calls
        return calls.count < (access.isAllowed(source) ? most : most - most / Self.reservedShare)
            && callsOfSource[SourceKey(source), default: 0] < configuration.limits.callsPerSource
    }

    func add(_ call: Call) {
        calls[call.name] = call
        callsOfSource[SourceKey(call.callerAddress), default: 0] += 1
    }

    func remove(_ call: Call) {
        guard calls.removeValue(forKey: call.name) != nil else { return }
        let source = SourceKey(call.callerAddress)
        let rest = callsOfSource[source, default: 1] - 1
        callsOfSource[source] = rest == 0 ? nil : rest
        history.append((call.name, call.ladder))
        if history.count > Self.historyCount { history.removeFirst() }
    }

    /// A second has passed.
    func tick(now: UInt64) {
        for call in calls.values where call.hasRunOut(now) { call.post(.tick(now)) }
    }

    func add(_ side: CallSide, as dialog: DialogID) { dialogs[dialog] = side }
    func remove(_ dialog: DialogID) { dialogs[dialog] = nil }
    /// The side of a call that a request belongs to.
    func side(of request: SIPRequest) -> CallSide? { DialogID(received: request).flatMap { dialogs[$0] } }
    var dialogCount: Int { dialogs.count }
    /// The connections that peers of calls are reached on.
    var connections: Set<UInt64> { Set(dialogs.values.compactMap(\.connection)) }

    /// Whether a request in a dialog may be of its peer: it comes from where the peer signals, from where the peer says that it is, or
    /// from a network that may call. Call-ID and tags alone, which others may have seen, are not enough.
    func mayBe(_ source: SIPSource, _ side: CallSide) -> Bool {
        guard let known = side.source else { return true }
        if known.address == source.address || access.isAllowed(source.address) { return true }
        guard let dialog = side.dialog else { return false }
        let named = [dialog.remoteTarget] + dialog.routeSet.map(\.uri)
        return named.contains { uri in
            guard case .address(let address)? = uri.place?.host else { return uri.place != nil }
            return address == source.address
        }
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

    /// Who warns, in Warning.
    var warningAgent: String { Self.agent.lowercased() }

    /// The credentials of this node towards a next hop; nil where the file cannot be read.
    func authentication(_ credentials: DialTarget.Credentials) -> SIPAuthenticationClient? {
        do { return try credentials.client() } catch {
            logger.error("sip: \(error)")
            return nil
        }
    }

    /// How the media of a peer is judged, which signals from `address`.
    func mediaPeer(_ address: IPAddress, isSecure: Bool) -> MediaPeer {
        let access = access
        return MediaPeer(
            signalling: address, isSecure: isSecure, sources: configuration.sourcePolicy == .learn ? .learn : .strict
        ) { media in
            // The media of a call are on the actor as the call is.
            AgentActor.assumeIsolated { access.mayCarryMedia(with: media, peer: address) }
        }
    }

    /// Whether a request has come through this node before with the same Request-URI.
    func isLoop(_ request: SIPRequest) -> Bool {
        let places = request.vias.filter { transports.isOwn($0.sentBy, $0.transport) }.map(\.sentBy)
        return !places.isEmpty && LoopDetection.isLoop(request, ownPlaces: places)
    }

    // MARK: Ways

    /// The way to the next hop of a side's dialog; nil where there is none. A peer that is still where it was hears from the address that
    /// it has spoken to.
    func path(to uri: SIPURI, of side: CallSide) async -> SIPPath? {
        if let connection = side.connection, let path = transports.path(on: connection),
            mayUse(path.destination, for: uri)
        {
            return path
        }
        let source = side.source
        guard let destination = await destination(of: uri, for: source) ?? source.map(Self.place) else { return nil }
        return transports.path(
            to: destination, from: source?.address == destination.address ? source?.localAddress : nil)
    }

    /// The place that a peer has named, where this node may send for it; nil where it may not. A peer that names such a place, as a device
    /// behind a NAT does, or one that has it send to others, is reached where it signals from. Names of peers that may not call are not
    /// looked up.
    private func destination(of uri: SIPURI, for source: SIPSource?) async -> SIPDestination? {
        guard let source else { return try? await resolver.destinations(for: uri).first }
        var uri = uri
        if let text = uri.parameters["maddr"], let host = try? SIPHost(text), host != uri.place?.host {
            uri.parameters["maddr"] = nil
        }
        if case .name? = uri.place?.host, !access.isAllowed(source.address) { return nil }
        let found = try? await resolver.destinations(for: uri)
        return found?.first { access.mayReach($0.address, for: source.address) }
    }

    /// Where a peer signals from.
    private static func place(of source: SIPSource) -> SIPDestination {
        SIPDestination(
            transport: source.transport, address: source.address, transportPort: source.transportPort,
            name: source.address.description)
    }

    /// A peer that has connected is reached on its connection, since it may take none: as long as the URI names its address or one where
    /// this node may not send for it, or is not spoken over UDP anyway.
    private func mayUse(_ destination: SIPDestination, for uri: SIPURI) -> Bool {
        if case .address(let address)? = uri.place?.host, address != destination.address {
            return !access.mayReach(address, for: destination.address)
        }
        guard uri.scheme != .sips else { return destination.transport == .tls }
        return uri.transport.map { $0 == destination.transport } ?? true
    }
}
