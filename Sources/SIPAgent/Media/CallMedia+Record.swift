// A call's media in the journal, and after a restart.

import AgentSupport
import Logging
import RTPWire
import Routing
import SDP
import SIPCore

extension CallMedia {
    /// The record for a restarted daemon; nil before the callee is chosen and media are agreed on, and after the end.
    public var record: CallMediaRecord? {
        guard !hasEnded, let chosen, let media = branches[chosen], media.negotiation.isAgreed else { return nil }
        var sides: [SIPSide: CallMediaRecord.Side] = [:]
        for side in SIPSide.allCases {
            guard let agreement = media.negotiation.agreement(side) else { return nil }
            sides[side] = CallMediaRecord.Side(
                local: agreement.local.text, remote: agreement.remote.text, places: media.inForce[side, default: [:]])
        }
        return CallMediaRecord(
            name: name, sides: sides, streams: routes.streams, totals: routes.totals, learned: learned,
            protection: media.callee.protection)
    }

    /// Takes over the state of a record.
    func adopt(_ record: CallMediaRecord, callee: MediaPeer) async throws(SIPRefusal) {
        var descriptions: [SIPSide: (local: SessionDescription, remote: SessionDescription)] = [:]
        for (side, known) in record.sides {
            guard let local = try? SessionDescription(parsing: Array(known.local.utf8)),
                let remote = try? SessionDescription(parsing: Array(known.remote.utf8))
            else { throw SIPRefusal(.serverInternalError) }
            descriptions[side] = (local, remote)
        }
        guard
            let negotiation = MediaNegotiation(
                continuing: descriptions, maximumMedia: context.policy.maximumMedia)
        else { throw SIPRefusal(.serverInternalError) }
        var callee = callee
        callee.protection = record.protection ?? .relay
        var media = BranchMedia(callee: callee, places: MediaPlaces(context: context), negotiation: negotiation)
        media.inForce = record.sides.mapValues(\.places)
        let branch = add(media)
        do throws(RoutingError) {
            for place in media.inForce[.caller, default: [:]].values { try await callerPlaces.adopt(place) }
            for place in media.inForce[.callee, default: [:]].values { try await media.places.adopt(place) }
        } catch {
            await end()
            throw refusal(error)
        }
        await forgetLostRoutes()
        do throws(SIPRefusal) {
            try await putInForce(media)
        } catch {
            await end()
            throw error
        }
        connected = branch
        setChosen(branch)
    }

    /// Routes that did not come through the restart are made again.
    private func forgetLostRoutes() async {
        var lost: Set<String> = []
        for name in routes.names where (try? await context.routing.route(name)) == nil { lost.insert(name) }
        routes.forget(lost)
    }
}
