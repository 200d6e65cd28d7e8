// Going on after a restart of the daemon.

import AgentSupport
import Logging
import RTPWire
import Routing
import SIPCore

/// Takes up the calls of the journal, and takes out of the fast path what none of them owns.
@AgentActor
struct CallAdoption {
    let context: CallContext
    let routing: any SessionRouteControl

    /// To be called once, before anybody can call.
    ///
    /// - Returns: the calls that cannot go on, to be ended on both sides when messages can be sent.
    func run() async -> [Call] {
        let records = context.journal.read()
        var lost: [Call] = []
        var kept: Set<String> = []
        var lostKeys: Set<String> = []
        for record in records {
            let caller = peer(of: record.caller)
            let callee = peer(of: record.callee)
            let address = IPAddress(record.callerAddress) ?? .unspecified
            do throws(SIPRefusal) {
                let media = try await CallMedia(
                    adopting: record.media, context: context.media, caller: caller, callee: callee)
                let call = Call(adopting: record, address: address, context: context, media: media)
                call.takeUp()
                kept.formUnion(record.media.routeNames)
                kept.formUnion(media.record?.routeNames ?? [])
            } catch {
                let media = CallMedia(name: record.name, context: context.media, caller: caller)
                let call = Call(adopting: record, address: address, context: context, media: media)
                call.takeUp()
                lost.append(call)
                lostKeys.formUnion(record.media.keyNames)
            }
        }
        let removed = await routing.removeSessionRoutes(of: Self.routePrefix, except: kept)
        await routing.removeKeys(named: lostKeys.sorted())
        if !removed.isEmpty {
            context.logger.info("sip: routes that nobody owns were removed: \(removed.joined(separator: ", "))")
        }
        if !records.isEmpty {
            context.logger.info("sip: took over \(records.count - lost.count) of \(records.count) calls")
        }
        return lost
    }

    /// How the names of the routes of calls begin.
    private static let routePrefix = "sip."

    private func peer(of side: CallRecord.Side) -> MediaPeer {
        context.mediaPeer(
            side.source?.address ?? .unspecified, isSecure: side.source?.transport == .tls)
    }
}
