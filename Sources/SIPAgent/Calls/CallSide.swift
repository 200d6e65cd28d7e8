// One of the two dialogs of a call.

import AgentSupport
import RTPWire
import SIPCore

/// The node's knowledge of one peer of a call: the dialog, the way to it, and the transactions under way in it.
@AgentActor
final class CallSide {
    let side: SIPSide
    /// The call holds its sides.
    weak var call: Call?
    /// The side of the call that this one talks to: a fork of the callee has a dialog of its own with the caller.
    weak var counterpart: CallSide?
    /// The branch of the media that both belong to.
    var media: MediaBranch?
    /// Nil before the peer has one.
    var dialog: Dialog?
    /// The branch that the callee's dialog came from; nil for the caller.
    let branch: Int?
    /// The source of the peer's messages.
    var source: SIPSource?
    /// The place at which the peer takes requests, and when it was seen there last: nanoseconds of the monotonic clock.
    var reach = PeerReach.named
    var seenAt: UInt64 = 0
    /// True if something is sent to the peer's NAT now and then.
    var isKeptOpen = false
    /// The connection on which the peer is reached while it is open.
    var connection: UInt64?
    /// The Contact by which the node names itself towards the peer.
    var contact: SIPURI?
    var isSecure: Bool
    /// True if the operator has named the peer, in the dial plan.
    var isConfigured = false

    var gate = ModificationGate()
    /// The peer's INVITE that has no final response yet.
    var invited: ServerRequest?
    /// The peer's UPDATE or PRACK whose offer the other side is to answer.
    var offered: ServerRequest?
    /// This node's re-INVITE that has no final response yet.
    var inviting: OutgoingRequest?
    /// The 2xx that the peer has not acknowledged yet.
    var success: (retransmission: SuccessRetransmission, id: TransactionID)?
    /// Counts what timers of the 2xx belong to.
    var successNumber: UInt32 = 0
    /// The ACK that is sent again when the peer's 2xx comes again.
    var acknowledgement: (request: SIPRequest, path: SIPPath)?
    /// The number of the INVITE whose 2xx has an offer that the other side is to answer: its ACK carries the answer.
    var awaitsAnswer: UInt32?

    // MARK: The caller's reliable provisional responses

    var provisional: ReliableProvisionalSender?
    var provisionalNumber: UInt32 = 0
    /// The reliable provisional response of the callee whose offer the PRACK answers.
    var heldAcknowledgement: (rack: RAck, side: CallSide)?
    /// The answer that waits for a PRACK.
    var heldAnswer: [UInt8]?

    // MARK: Session timer and abilities

    var timer: SessionTimer?
    /// When the session is to be refreshed by this node, and when it ends unless it was: nanoseconds of the monotonic clock.
    var refreshAt: UInt64?
    var expiresAt: UInt64?
    /// Counts what retries of a refresh belong to.
    var timerNumber: UInt32 = 0
    /// The methods that the peer allows, where it has said so.
    var allowed: Set<SIPMethod>?
    var supportsTimer = false
    /// The largest Min-SE that the peer has asked for.
    var minimumInterval: UInt32?
    var authentication: SIPAuthenticationClient?
    /// The origin of the credentials.
    var credentials: DialTarget.Credentials?
    var agent: String?

    init(_ side: SIPSide, of call: Call? = nil, branch: Int? = nil, isSecure: Bool = false) {
        self.side = side
        self.call = call
        self.branch = branch
        self.isSecure = isSecure
    }

    /// A dialog of an earlier daemon. Its last requests may not be in the journal: their numbers are left out.
    convenience init(_ side: SIPSide, adopting record: CallRecord.Side) {
        self.init(side, isSecure: record.isSecure)
        dialog = record.dialog
        dialog?.skipSequence(by: Self.skippedNumbers)
        contact = record.contact.flatMap { try? SIPURI($0) }
        source = record.source
        reach = record.reach ?? .named
        timer = record.timer
        minimumInterval = record.minimumInterval
        isConfigured = record.isConfigured == true
        allowed = record.allowed.map { Set($0.map { SIPMethod($0) }) }
        if let user = record.credentialsUser, let passwordFile = record.passwordFile {
            credentials = DialTarget.Credentials(user: user, passwordFile: passwordFile)
        }
    }

    private static let skippedNumbers: UInt32 = 100

    /// Notes what a message of the peer says about the peer.
    func note(_ headers: SIPHeaders) {
        let methods = headers.list("Allow")
        if !methods.isEmpty { allowed = Set(methods.map { SIPMethod($0) }) }
        if headers.contains("timer", in: "Supported") || headers.contains("timer", in: "Require") {
            supportsTimer = true
        }
        if let agent = headers["User-Agent"] ?? headers["Server"] { self.agent = agent }
    }

    func note(_ source: SIPSource) {
        self.source = source
        seenAt = MonotonicClock.now
        if source.connection != nil { connection = source.connection }
    }

    /// Notes where a request of the peer came from: a NAT may have given it another place meanwhile.
    func note(_ server: ServerRequest) {
        note(server.source)
        reach = server.request.reach(
            from: server.source.address, transportPort: server.source.transportPort, known: reach)
        call?.context.keepWayOpen(to: self)
    }

    /// Notes where the INVITE of a branch went to.
    func note(_ branch: CallBranch) {
        guard branch.target.isAway, let port = branch.path?.destination.transportPort else { return }
        reach = .origin(transportPort: port)
        call?.context.keepWayOpen(to: self)
    }

    /// True if the peer is known to take an UPDATE.
    var allowsUpdate: Bool { allowed?.contains(.update) == true }
}
