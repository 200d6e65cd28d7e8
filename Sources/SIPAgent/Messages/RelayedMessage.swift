// A MESSAGE that belongs to no call, on its way through the node.

import AgentSupport
import Logging
import RTPWire
import SIPCore

/// Sends a MESSAGE of this node's own to whom the dial plan names, one group after the other, and gives its sender the best answer
/// (RFC 3428): the first 2xx, or what `BranchSet` chooses.
@AgentActor
final class RelayedMessage {
    /// One destination.
    private final class Branch: Transactions.Client {
        let number: Int
        let target: CallTarget
        /// The places that have not been tried yet (RFC 3263 section 4.3).
        var destinations: [SIPDestination] = []
        var destination: SIPDestination?
        var path: SIPPath?
        var request: SIPRequest?
        /// The running transaction: another one after a challenge, or for the next place.
        var id: TransactionID?
        var authentication: SIPAuthenticationClient?
        private let message: RelayedMessage

        /// Held as long as a transaction holds the branch.
        init(_ number: Int, _ target: CallTarget, of message: RelayedMessage) {
            self.number = number
            self.target = target
            self.message = message
        }

        func received(_ response: SIPResponse, to id: TransactionID, from source: SIPSource) {
            if id == self.id, response.status.isFinal { message.received(response, by: self) }
        }

        func timedOut(_ id: TransactionID) {
            if id == self.id { message.failed(self, with: nil) }
        }

        func undeliverable(_ id: TransactionID) {
            if id == self.id { message.failed(self, with: .serviceUnavailable) }
        }
    }

    private let incoming: SIPRequest
    private let id: TransactionID
    private let context: CallContext
    private var stages: [[CallTarget]]
    private var branchCount = 0
    private var branchSet = BranchSet<Int>()
    private var isAnswered = false
    private var waiting: CheckedContinuation<Void, Never>?

    init(_ incoming: SIPRequest, _ id: TransactionID, stages: [[CallTarget]], context: CallContext) {
        self.incoming = incoming
        self.id = id
        self.stages = stages
        self.context = context
    }

    /// Returns when the sender has its answer, or can have none any more.
    func run() async {
        while !isAnswered, !stages.isEmpty {
            let started = stages.removeFirst().map { target in
                let branch = Branch(branchCount, target, of: self)
                branchCount += 1
                branchSet.add(branch.number)
                return branch
            }
            for branch in started { await start(branch) }
            while !isAnswered, !branchSet.isIdle { await withCheckedContinuation { waiting = $0 } }
        }
    }

    private func start(_ branch: Branch) async {
        branch.authentication = branch.target.credentials.flatMap { context.authentication($0) }
        if let connection = branch.target.connection, let path = context.transports.path(on: connection) {
            branch.destinations = [path.destination]
        } else {
            do throws(ResolutionError) {
                branch.destinations = try await context.resolver.destinations(for: branch.target.destination)
            } catch {
                context.logger.info("sip: MESSAGE to \(branch.target.requestURI): \(error)")
            }
        }
        tryNext(branch)
    }

    private func tryNext(_ branch: Branch) {
        while !branch.destinations.isEmpty {
            let destination = branch.destinations.removeFirst()
            let connection = branch.target.connection.flatMap { context.transports.path(on: $0) }
            guard let path = connection ?? context.transports.path(to: destination) else { continue }
            branch.destination = destination
            branch.path = path
            if send(request(of: branch, on: path), of: branch) { return }
        }
        failed(branch, with: .serviceUnavailable)
    }

    /// The request has no Contact, since it has no dialog (RFC 3428 section 4).
    private func request(of branch: Branch, on path: SIPPath) -> SIPRequest {
        var from = incoming.from
        from.parameters = [:]
        from.tag = context.tag()
        var headers: SIPHeaders = ["Max-Forwards": String(LoopDetection.maxForwards(after: incoming))]
        if let route = branch.target.route { headers.append("Route", route) }
        headers.append("User-Agent", CallContext.agent)
        for value in incoming.headers.all("Expires") { headers.append("Expires", value) }
        PassedHeaders.copy(from: incoming.headers, to: &headers, withBody: true)
        let via = Via(path.destination.transport, path.sentBy, branch: context.branch(for: incoming))
        var request = SIPRequest(
            .message, branch.target.requestURI, vias: [via], from: from, to: NameAddress(branch.target.requestURI),
            callID: context.callID(), sequence: 1, headers: headers, body: incoming.body)
        branch.authentication?.authorize(&request)
        return request
    }

    private func send(_ request: SIPRequest, of branch: Branch) -> Bool {
        guard let path = branch.path else { return false }
        branch.request = request
        branch.id = context.transactions.send(request, on: path, client: branch)
        return branch.id != nil
    }

    // MARK: Answers

    private func received(_ response: SIPResponse, by branch: Branch) {
        if [401, 407].contains(response.status.code), let request = branch.request, let path = branch.path {
            let via = Via(path.destination.transport, path.sentBy, branch: context.branch(for: incoming))
            if let again = branch.authentication?.retry(
                request, after: response, via: via, using: &context.generator), send(again, of: branch)
            {
                return
            }
            // The sender has no credentials for the next hop, either.
            return failed(branch, with: .forbidden)
        }
        if response.status.code == 503, let destination = branch.destination {
            context.resolver.failed(destination)
            if !branch.destinations.isEmpty { return tryNext(branch) }
        }
        // Nobody answers a MESSAGE with 408, and nobody passes it on (RFC 4320 section 4.2).
        decide(response.status.code == 408 ? nil : response, by: branch)
    }

    private func failed(_ branch: Branch, with status: SIPStatus?) {
        if status == nil || status == .serviceUnavailable, let destination = branch.destination {
            context.resolver.failed(destination)
            if !branch.destinations.isEmpty { return tryNext(branch) }
        }
        decide(status.flatMap { status in branch.request.map { SIPResponse(status, to: $0, tag: nil) } }, by: branch)
    }

    private func decide(_ response: SIPResponse?, by branch: Branch) {
        let isLast = stages.isEmpty
        let actions =
            response.map { branchSet.receive($0, from: branch.number, isLast: isLast) }
            ?? branchSet.timedOut(branch.number, isLast: isLast)
        for action in actions {
            switch action {
            case .forward(let response, _): answer(response)
            // Its sender has given up by now.
            case .timedOut: forget()
            // Nothing but an INVITE can be cancelled.
            case .cancel: break
            }
        }
        waiting?.resume()
        waiting = nil
    }

    private func forget() {
        isAnswered = true
        context.counters.add(to: .messages, ["status": "none"])
        context.transactions.forget(id)
    }

    /// The sender's answer has neither body nor Contact (RFC 3428 section 7).
    private func answer(_ response: SIPResponse) {
        guard !isAnswered else { return }
        isAnswered = true
        var refusal = Call.passed(response, unlessAnswerable: .temporarilyUnavailable)
        for name in ["Allow", "Accept", "Accept-Encoding", "Accept-Language"] {
            for value in response.headers.all(name) { refusal.headers.append(name, value) }
        }
        PassedHeaders.copy(from: response.headers, to: &refusal.headers)
        context.counters.add(to: .messages, ["status": SIPCounter.label(refusal.status)])
        context.transactions.respond(
            SIPResponse(refusal.status, to: incoming, tag: context.tag(), headers: refusal.headers), to: id)
    }
}
