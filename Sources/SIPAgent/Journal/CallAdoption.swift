// Going on after a restart of the daemon.

import AgentSupport
import Logging
import RTPWire
import Routing
import SIPCore

/// Takes up the calls of the journal, and takes out of the fast path what none of them owns.
@AgentActor
struct CallAdoption {
    /// The work to be done when messages can be sent.
    struct Rest {
        /// Calls that cannot continue, to be ended on both sides.
        var lost: [Call] = []
        /// Calls that nobody had answered, or whose slower destinations had not been heard of: these are to learn that
        /// they are not wanted.
        var unanswered: [Call] = []
    }

    let context: CallContext
    let routing: any SessionRouteControl

    /// To be called once, before anybody can call.
    func run() async -> Rest {
        let records = context.journal.read()
        var rest = Rest()
        var kept: Set<String> = []
        var lostKeys: Set<String> = []
        var answered = 0
        for record in records {
            switch record {
            case .answered(let record):
                answered += 1
                let routes = await adopt(record, &rest)
                if let routes { kept.formUnion(routes) } else { lostKeys.formUnion(record.media.keyNames) }
            case .unanswered(let record): adopt(record, &rest)
            }
        }
        let removed = await routing.removeSessionRoutes(of: Self.routePrefix, except: kept)
        await routing.removeKeys(named: lostKeys.sorted())
        if !removed.isEmpty {
            context.logger.info("sip: routes that nobody owns were removed: \(removed.joined(separator: ", "))")
        }
        if !records.isEmpty {
            context.logger.info(
                "sip: took over \(answered - rest.lost.count) of \(answered) answered calls, and ends \(records.count - answered) others"
            )
        }
        return rest
    }

    /// Returns the routes that stay; nil where the call cannot continue.
    private func adopt(_ record: CallRecord, _ rest: inout Rest) async -> Set<String>? {
        let caller = peer(of: record.caller, isConfigured: false)
        let callee = peer(of: record.callee, isConfigured: record.callee.isConfigured == true)
        let address = IPAddress(record.callerAddress) ?? .unspecified
        let pending = record.branches ?? []
        do throws(SIPRefusal) {
            let media = try await CallMedia(
                adopting: record.media, context: context.media, caller: caller, callee: callee)
            let call = Call(adopting: record, address: address, context: context, media: media)
            call.takeUp(pending: pending)
            if !pending.isEmpty { rest.unanswered.append(call) }
            return record.media.routeNames.union(media.record?.routeNames ?? [])
        } catch {
            let media = CallMedia(name: record.name, context: context.media, caller: caller)
            let call = Call(adopting: record, address: address, context: context, media: media)
            call.takeUp(pending: pending)
            rest.lost.append(call)
            if !pending.isEmpty { rest.unanswered.append(call) }
            return nil
        }
    }

    private func adopt(_ record: UnansweredCallRecord, _ rest: inout Rest) {
        let address = IPAddress(record.callerAddress) ?? .unspecified
        var initial: ServerRequest?
        if let request = record.caller?.request, let source = record.caller?.place.source,
            let id = context.transactions.resume(received: request, from: source)
        {
            initial = ServerRequest(id: id, request: request, source: source)
        }
        let media = CallMedia(
            name: record.name, context: context.media,
            caller: context.mediaPeer(
                address, isSecure: false, isTrusted: context.access.isAllowed(address)))
        let call = Call(adopting: record, initial: initial, address: address, context: context, media: media)
        if let initial {
            context.transactions.observe(initial.id, by: call.ladder)
            context.add(invite: initial.id, of: call)
        }
        call.takeUp(pending: record.branches)
        rest.unanswered.append(call)
    }

    /// The beginning of the names of the routes of calls.
    private static let routePrefix = "sip."

    private func peer(of side: CallRecord.Side, isConfigured: Bool) -> MediaPeer {
        let address = side.source?.address ?? .unspecified
        return context.mediaPeer(
            address, isSecure: side.source?.transport == .tls,
            isTrusted: isConfigured || context.access.isTrusted(address))
    }
}
