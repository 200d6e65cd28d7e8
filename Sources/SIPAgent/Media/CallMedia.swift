// The media of one call.

public import AgentSupport
import Glibc
import Logging
import RTPWire
import Routing
import SDP
public import SIPCore
import SRTPKeys

/// Negotiates a call's media with both of its sides, and owns its UDP ports and its routes in the fast path.
///
/// Signalling hands over session descriptions as they come and gets those that go out: it looks into none of them. Each offer is one
/// `receiveOffer` and, for each side that is to get it, one `offer(to:on:)`; each answer is one `receiveAnswer`, which returns when
/// media pass as agreed. That is the same for INVITE, UPDATE and PRACK, for early and for delayed offers, and for both directions.
///
/// A callee is a branch. Until one is chosen, the branch whose answer came first has the caller's media; `choose` gives them to the
/// winner and ends the others. Changes of one call are carried out one after the other.
@AgentActor
public final class CallMedia {
    /// The call's name in route names, `sip.NAME.…`.
    public let name: String
    /// Told of what nobody has asked for.
    public var onEvent: (@AgentActor (MediaEvent) -> Void)?

    let context: MediaContext
    let turnstile = Turnstile()
    let routes: MediaRoutes
    let caller: MediaPeer
    /// The caller's first offer, for branches to come.
    var callerOffer: SessionDescription?
    let callerPlaces: MediaPlaces
    /// The caller-side UDP ports, which all branches share.
    var callerPlaceOfMedium: [Int: LocalPlace] = [:]
    var branches: [MediaBranch: BranchMedia] = [:]
    /// The branch whose media pass.
    var connected: MediaBranch?
    /// The branch that has won.
    private(set) var chosen: MediaBranch?
    private var nextBranch = 0
    var learned: [StreamKey: LearnedSource] = [:]
    /// The streams whose source is being learned, and the end of that (CLOCK_MONOTONIC, nanoseconds).
    var learning: [StreamKey: Learning] = [:]
    /// The streams in force, as they were planned.
    var plan: [StreamKey: PlannedStream] = [:]
    /// The keys that routes name.
    var installedKeys: [String: [SRTPKey]] = [:]
    /// When the plan was last put in force: silence counts from then.
    var plannedAt: UInt64 = 0
    var state = MediaState.ok
    var isAbandoned = false
    private var statistics: [MediaStatistics]?
    /// Set when the end begins: nothing is installed any more.
    var hasEnded = false

    /// - Parameter name: At most 24 letters, digits, `-`, `_` and `.`, unique among the calls of this node.
    public init(name: String, context: MediaContext, caller: MediaPeer) {
        self.name = name
        self.context = context
        self.caller = caller
        callerPlaces = MediaPlaces(context: context)
        routes = MediaRoutes(context: context, call: name)
    }

    /// Goes on with an established call of an earlier daemon: its routes, which have gone on without one, are brought to what was
    /// agreed where a change was under way.
    ///
    /// - Throws: 500 where the record does not hold, or its UDP ports or routes cannot be had any more.
    public init(
        adopting record: CallMediaRecord, context: MediaContext, caller: MediaPeer, callee: MediaPeer
    ) async throws(SIPRefusal) {
        name = record.name
        self.context = context
        self.caller = caller
        callerPlaces = MediaPlaces(context: context)
        routes = MediaRoutes(context: context, call: record.name, streams: record.streams, totals: record.totals)
        learned = record.learned
        try await adopt(record, callee: callee)
    }

    private static var lastSessionIdentifier: UInt64 = 0

    /// The time in nanoseconds since 1970, which some peers can hold where they could not hold NTP's.
    private static func newSessionIdentifier() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let now = UInt64(max(time.tv_sec, 0)) * 1_000_000_000 + UInt64(time.tv_nsec)
        lastSessionIdentifier = max(now, lastSessionIdentifier + 1)
        return lastSessionIdentifier
    }

    // MARK: Branches

    /// Another callee, to whom an INVITE is to be sent.
    public func addBranch(towards callee: MediaPeer) -> MediaBranch {
        add(
            BranchMedia(
                callee: callee, places: MediaPlaces(context: context), negotiation: newNegotiation()))
    }

    /// As it is before anybody has answered.
    private func newNegotiation() -> MediaNegotiation {
        var negotiation = MediaNegotiation(
            identifiers: [.caller: Self.newSessionIdentifier(), .callee: Self.newSessionIdentifier()],
            maximumMedia: context.policy.maximumMedia)
        // It was looked at when it came.
        if let callerOffer { _ = try? negotiation.receiveOffer(callerOffer, from: .caller) }
        return negotiation
    }

    /// Another dialog of a branch's INVITE (RFC 3261 section 12.1, a tag of its own in To): it has the branch's offer and UDP ports, and
    /// answers for itself.
    public func splitBranch(_ branch: MediaBranch) -> MediaBranch {
        guard var media = branches[branch] else { return branch }
        media.places.users += 1
        media.negotiation = media.offered?.negotiation ?? newNegotiation()
        media.pendingPlaces = media.offered?.places ?? [:]
        media.inForce = [:]
        return add(media)
    }

    func add(_ media: BranchMedia) -> MediaBranch {
        let branch = MediaBranch(number: nextBranch)
        nextBranch += 1
        branches[branch] = media
        return branch
    }

    func peer(_ side: SIPSide, on branch: MediaBranch) -> MediaPeer? {
        side == .caller ? caller : branches[branch]?.callee
    }

    func places(_ side: SIPSide, on branch: MediaBranch) -> MediaPlaces? {
        side == .caller ? callerPlaces : branches[branch]?.places
    }

    /// Gives the caller's media to a branch, whose callee has accepted: they pass as agreed when it returns. All others end.
    public func choose(_ branch: MediaBranch) async throws(SIPRefusal) {
        try await inTurn { () async throws(SIPRefusal) in
            guard branches[branch] != nil else { throw Self.noBranch }
            chosen = branch
            branches[branch]?.negotiation.confirm()
            branches[branch]?.offered = nil
            // A delayed offer may still be without its answer.
            if !SIPSide.allCases.contains(where: { hasPendingOffer(from: $0, on: branch) }) {
                branches[branch]?.pendingPlaces = [:]
            }
            if connected != branch { try await connect(branch) }
            for other in branches.keys where other != branch { await drop(other) }
            await trim(branch)
        }
    }

    /// Ends a branch that was refused or cancelled. Harmless for one that has ended.
    public func endBranch(_ branch: MediaBranch) async {
        await turnstile.enter()
        await drop(branch)
        turnstile.leave()
    }

    private func drop(_ branch: MediaBranch) async {
        guard let media = branches.removeValue(forKey: branch) else { return }
        if chosen == branch { chosen = nil }
        if connected == branch {
            connected = nil
            await disconnect()
        }
        media.places.users -= 1
        if media.places.users == 0 { await media.places.keep(only: []) }
    }

    // MARK: The end

    /// Removes every route and gives back every UDP port. What is returned is the same each time.
    @discardableResult
    public func end() async -> [MediaStatistics] {
        hasEnded = true
        await turnstile.enter()
        defer { turnstile.leave() }
        context.unwatch(self)
        if let statistics { return statistics }
        let kinds = kinds
        await routes.removeAll()
        await removeKeys()
        for branch in branches.values {
            branch.places.users -= 1
            if branch.places.users == 0 { await branch.places.keep(only: []) }
        }
        await callerPlaces.keep(only: [])
        branches = [:]
        connected = nil
        learning = [:]
        let result = routes.totals.sorted { $0.key < $1.key }.compactMap { key, totals in
            key.isRTCP
                ? nil : MediaStatistics(index: key.index, kind: kinds[key.index] ?? "", from: key.side, totals)
        }
        statistics = result
        return result
    }

    /// The kinds of the media, by place.
    var kinds: [Int: String] {
        guard let connected, let agreement = branches[connected]?.negotiation.agreement(.caller) else { return [:] }
        return Dictionary(agreement.media.map { ($0.index, $0.kind) }) { first, _ in first }
    }

    // MARK: Parts

    static let noBranch = SIPRefusal(.transactionDoesNotExist)

    /// One change at a time; none after the end.
    func inTurn<Value: Sendable>(
        _ body: () async throws(SIPRefusal) -> Value
    ) async throws(SIPRefusal) -> Value {
        await turnstile.enter()
        defer { turnstile.leave() }
        guard !hasEnded else { throw Self.noBranch }
        return try await body()
    }

    /// Gives back the UDP ports that an established call does not use any more.
    func trim(_ branch: MediaBranch) async {
        guard chosen == branch, let media = branches[branch] else { return }
        let pending = media.pendingPlaces.values
        await callerPlaces.keep(only: Set(media.inForce[.caller, default: [:]].values).union(pending))
        await media.places.keep(only: Set(media.inForce[.callee, default: [:]].values).union(pending))
    }

    func setChosen(_ branch: MediaBranch) { chosen = branch }
}
