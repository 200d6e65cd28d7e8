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
    private var callsOfSource: [IPAddress: Int] = [:]
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
        calls.count < configuration.limits.calls
            && callsOfSource[source, default: 0] < configuration.limits.callsPerSource
    }

    func add(_ call: Call) {
        calls[call.name] = call
        callsOfSource[call.callerAddress, default: 0] += 1
    }

    func remove(_ call: Call) {
        guard calls.removeValue(forKey: call.name) != nil else { return }
        let rest = callsOfSource[call.callerAddress, default: 1] - 1
        callsOfSource[call.callerAddress] = rest == 0 ? nil : rest
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
            Self.mayUse(path.destination, for: uri)
        {
            return path
        }
        guard let destination = try? await resolver.destinations(for: uri).first else { return nil }
        let source = side.source
        return transports.path(
            to: destination, from: source?.address == destination.address ? source?.localAddress : nil)
    }

    /// A peer that has connected is reached on its connection, since it may take none: as long as the URI names its address, or is
    /// not spoken over UDP anyway.
    private static func mayUse(_ destination: SIPDestination, for uri: SIPURI) -> Bool {
        if case .address(let address)? = uri.place?.host, address != destination.address { return false }
        guard uri.scheme != .sips else { return destination.transport == .tls }
        return uri.transport.map { $0 == destination.transport } ?? true
    }
}
