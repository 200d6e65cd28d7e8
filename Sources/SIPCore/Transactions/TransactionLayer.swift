// All transactions of a node.

/// Finds the transaction of every message, and holds the machines (RFC 3261 section 17).
///
/// Messages on the way out must have their Via, with a branch that is unique in this layer. What peers can make it hold
/// is bounded by `capacity` server transactions.
public struct TransactionLayer: Sendable {
    /// The problem of a request that is to be sent.
    public enum Failure: Error, Hashable, Sendable {
        /// The request has no Via with a branch of RFC 3261.
        case noBranch
        /// A transaction with this branch and method is under way.
        case branchInUse
    }

    private struct Entry: Sendable {
        var machine: TransactionMachine
        let key: TransactionKey
        /// Of server transactions without a tag in To: what merged requests have in common.
        let mergeKey: MergeKey?
    }

    /// The common part of requests that reach a server on two ways (RFC 3261 section 8.2.2.2).
    private struct MergeKey: Hashable, Sendable {
        let callID: String
        let fromTag: String?
        let cseq: CSeq
    }

    private let times: TransactionTimes
    private let capacity: Int
    private var entries: [TransactionID: Entry] = [:]
    private var keys: [TransactionKey: TransactionID] = [:]
    private var merges: [MergeKey: TransactionID] = [:]
    /// Requests of peers that are remembered.
    public private(set) var serverCount = 0
    private var nextNumber: UInt64 = 0

    public init(times: TransactionTimes = TransactionTimes(), capacity: Int = 20_000) {
        self.times = times
        self.capacity = capacity
    }

    public var count: Int { entries.count }

    // MARK: Client side

    /// Sends a request other than ACK in a transaction of its own.
    public mutating func send(
        _ request: SIPRequest, isReliable: Bool
    ) throws(Failure) -> (TransactionID, [TransactionEvent]) {
        precondition(request.method != .ack, "an ACK has no transaction of its own")
        guard let key = TransactionKey(client: request) else { throw .noBranch }
        guard keys[key] == nil else { throw .branchInUse }
        if request.method == .invite {
            let machine = InviteClientTransaction(request, isReliable: isReliable, times: times)
            let id = insert(.inviteClient(machine), key)
            return (id, tell(id, machine.start()))
        }
        let machine = ClientTransaction(request, isReliable: isReliable, times: times)
        let id = insert(.client(machine), key)
        return (id, tell(id, machine.start()))
    }

    /// Goes on with an INVITE that this node has sent before a restart: nothing is sent, and its final response is waited for. It can be
    /// cancelled, or given up by `abandon`.
    public mutating func resume(_ invite: SIPRequest, isReliable: Bool) throws(Failure) -> TransactionID {
        precondition(invite.method == .invite, "only an INVITE is worth being gone on with")
        guard let key = TransactionKey(client: invite) else { throw .noBranch }
        guard keys[key] == nil else { throw .branchInUse }
        let machine = InviteClientTransaction(resuming: invite, isReliable: isReliable, times: times)
        return insert(.inviteClient(machine), key)
    }

    /// A response came. One with several Vias was not meant for this node (section 8.1.3.3) and is dropped.
    public mutating func receive(_ response: SIPResponse) -> [TransactionEvent] {
        guard response.vias.count == 1, let key = TransactionKey(client: response) else { return [] }
        guard let id = keys[key] else {
            return response.cseq.method == .invite && response.status.isSuccess ? [.strayResponse(response)] : []
        }
        return update(id) { $0.receive(response) }
    }

    /// True if the INVITE of a client transaction may be cancelled: it has got a provisional response, and no final
    /// one.
    public func isCancellable(_ id: TransactionID) -> Bool {
        if case .inviteClient(let transaction) = entries[id]?.machine {
            transaction.state == .proceeding
        } else {
            false
        }
    }

    /// Ends an INVITE client transaction that never got its final response.
    public mutating func abandon(_ id: TransactionID) -> [TransactionEvent] {
        update(id) { $0.abandon() }
    }

    /// A request that could not be sent over a reliable transport goes over UDP instead, with the branch that it has
    /// (RFC 3261 section 18.1.1).
    ///
    /// - Parameter sentBy: where this node wants the response.
    public mutating func fallBack(_ id: TransactionID, to sentBy: SIPHostPort) -> [TransactionEvent] {
        guard let entry = entries[id] else { return [] }
        switch entry.machine {
        case .inviteClient(let old) where old.state == .calling:
            let machine = InviteClientTransaction(Self.overUDP(old.request, sentBy), isReliable: false, times: times)
            entries[id] = Entry(machine: .inviteClient(machine), key: entry.key, mergeKey: nil)
            return tell(id, machine.start())
        case .client(let old) where old.state == .trying:
            let machine = ClientTransaction(Self.overUDP(old.request, sentBy), isReliable: false, times: times)
            entries[id] = Entry(machine: .client(machine), key: entry.key, mergeKey: nil)
            return tell(id, machine.start())
        default: return []
        }
    }

    /// Requests of client transactions have a Via with a branch.
    private static func overUDP(_ request: SIPRequest, _ sentBy: SIPHostPort) -> SIPRequest {
        var request = request
        request.vias[0] = Via(.udp, sentBy, branch: request.vias[0].branch ?? "")
        return request
    }

    // MARK: Server side

    /// The relation of a request that came to the transactions that are remembered.
    public enum Relation: Hashable, Sendable {
        /// It is a retransmission of the request of a transaction.
        case repeated
        /// It is a CANCEL of the INVITE of this transaction.
        case cancels(TransactionID)
        /// It came on another way before (RFC 3261 section 8.2.2.2).
        case merged
        case new
    }

    /// Says how a request other than ACK is related to what is remembered, so that nothing need be remembered of one that is not wanted.
    public func relation(of request: SIPRequest) -> Relation {
        guard let key = TransactionKey(server: request) else { return .new }
        if keys[key] != nil { return .repeated }
        if request.method == .cancel {
            guard let id = TransactionKey(server: request, as: .invite).flatMap({ keys[$0] }),
                case .inviteServer = entries[id]?.machine
            else { return .new }
            return .cancels(id)
        }
        guard request.to.tag == nil else { return .new }
        let merge = MergeKey(callID: request.callID, fromTag: request.from.tag, cseq: request.cseq)
        return merges[merge] == nil ? .new : .merged
    }

    /// A request came, whose topmost Via has its source noted.
    ///
    /// - Parameter tag: makes a tag for To, for the responses that the layer sends itself.
    public mutating func receive(
        _ request: SIPRequest, isReliable: Bool, tag: () -> String
    ) -> [TransactionEvent] {
        guard let key = TransactionKey(server: request) else { return [] }
        if request.method == .ack { return receiveAcknowledgement(request, key) }
        if let id = keys[key] {
            return update(id) { $0.receiveRetransmission() }
        }
        guard serverCount < capacity else {
            return [.respond(SIPResponse(.serviceUnavailable, to: request, tag: tag(), headers: ["Retry-After": "10"]))]
        }
        if request.method == .cancel { return receiveCancel(request, key, isReliable: isReliable, tag: tag) }
        let mergeKey =
            request.to.tag == nil
            ? MergeKey(callID: request.callID, fromTag: request.from.tag, cseq: request.cseq) : nil
        if let mergeKey, merges[mergeKey] != nil {
            return [.respond(SIPResponse(.loopDetected, to: request, tag: tag()))]
        }
        if request.method == .invite {
            let machine = InviteServerTransaction(request, isReliable: isReliable, times: times)
            let id = insert(.inviteServer(machine), key, mergeKey)
            return [.request(id, request)] + tell(id, machine.start())
        }
        let id = insert(.server(ServerTransaction(request, isReliable: isReliable, times: times)), key, mergeKey)
        return [.request(id, request)]
    }

    private mutating func receiveAcknowledgement(_ request: SIPRequest, _ key: TransactionKey) -> [TransactionEvent] {
        guard let id = keys[key], case .inviteServer(let invite) = entries[id]?.machine else {
            return [.acknowledgement(request)]
        }
        // A client of RFC 2543 repeats the INVITE's Via in the ACK of a 2xx, too; only the tag shows what it answers.
        let answersOther = key.isOld && invite.lastResponse?.to.tag != request.to.tag
        if invite.state == .accepted || answersOther {
            return [.acknowledgement(request)]
        }
        return update(id) { $0.receiveAcknowledgement() }
    }

    /// Answers a CANCEL with 200 where its INVITE is known, whatever became of that, and 481 otherwise (section 9.2).
    private mutating func receiveCancel(
        _ request: SIPRequest, _ key: TransactionKey, isReliable: Bool, tag: () -> String
    ) -> [TransactionEvent] {
        let id = insert(.server(ServerTransaction(request, isReliable: isReliable, times: times)), key)
        guard let inviteKey = TransactionKey(server: request, as: .invite), let inviteID = keys[inviteKey],
            case .inviteServer(let invite) = entries[inviteID]?.machine
        else { return respond(SIPResponse(.transactionDoesNotExist, to: request, tag: tag()), to: id) }
        let events = respond(SIPResponse(.ok, to: request, tag: invite.lastResponse?.to.tag ?? tag()), to: id)
        return invite.state == .proceeding ? events + [.cancelled(inviteID, by: request)] : events
    }

    /// Sends a response in a server transaction. Nothing happens where it has had its final response.
    public mutating func respond(_ response: SIPResponse, to id: TransactionID) -> [TransactionEvent] {
        update(id) { $0.send(response) }
    }

    /// Forgets a transaction without a word: one whose sender is to learn nothing.
    public mutating func forget(_ id: TransactionID) {
        _ = update(id) { _ in [.terminated] }
    }

    /// True if a request of a peer has had no final response.
    public func isUnanswered(_ id: TransactionID) -> Bool {
        switch entries[id]?.machine {
        case .server(let transaction)?: transaction.lastResponse?.status.isFinal != true
        case .inviteServer(let transaction)?: transaction.lastResponse?.status.isFinal != true
        default: false
        }
    }

    // MARK: Both sides

    /// A timer fired that a transaction had set and not cancelled.
    public mutating func fired(_ timer: TransactionTimer, of id: TransactionID) -> [TransactionEvent] {
        update(id) { $0.fired(timer) }
    }

    /// The transaction of a request of this node that has no response yet, and did not arrive (RFC 3261 section 18.4); nil for none.
    public func unanswered(_ method: SIPMethod, branch: String) -> TransactionID? {
        guard let id = keys[.client(branch: branch, method: method)], !isCancellable(id) else { return nil }
        return id
    }

    /// Handles a message that a transaction asked to send and that could not be sent.
    public mutating func transportFailed(_ id: TransactionID) -> [TransactionEvent] {
        update(id) { $0.transportFailed() }
    }

    private mutating func insert(
        _ machine: TransactionMachine, _ key: TransactionKey, _ mergeKey: MergeKey? = nil
    ) -> TransactionID {
        nextNumber += 1
        let id = TransactionID(number: nextNumber)
        entries[id] = Entry(machine: machine, key: key, mergeKey: mergeKey)
        keys[key] = id
        if let mergeKey { merges[mergeKey] = id }
        if machine.isServer { serverCount += 1 }
        return id
    }

    /// Lets a machine act, and forgets it when it is over.
    private mutating func update(
        _ id: TransactionID, _ act: (inout TransactionMachine) -> [TransactionAction]
    ) -> [TransactionEvent] {
        guard var entry = entries[id] else { return [] }
        let actions = act(&entry.machine)
        if actions.contains(.terminated) {
            entries[id] = nil
            keys[entry.key] = nil
            if let mergeKey = entry.mergeKey { merges[mergeKey] = nil }
            if entry.machine.isServer { serverCount -= 1 }
        } else {
            entries[id] = entry
        }
        return tell(id, actions)
    }

    private func tell(_ id: TransactionID, _ actions: [TransactionAction]) -> [TransactionEvent] {
        actions.map { .transaction(id, $0) }
    }
}
