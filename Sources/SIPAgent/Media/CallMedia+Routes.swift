// A call's agreement in the fast path.

import AgentSupport
import RTPWire
import Routing
import SIPCore

extension CallMedia {
    /// Brings the routes to what a branch has agreed on: its media pass when it returns. On an error everything is as it was.
    ///
    /// - Parameter hearsFormer: Whether the peers are those of before, who may have moved.
    func putInForce(_ media: BranchMedia, hearsFormer: Bool = true) async throws(SIPRefusal) {
        do throws(RoutingError) {
            let plan = try await plan(of: media)
            try await apply(plan, keys: keys(of: media), hearsFormer: hearsFormer)
            self.plan = plan
        } catch {
            throw refusal(error)
        }
        plannedAt = MonotonicClock.now
        isAbandoned = false
        beginLearning(media)
        context.watch(self)
    }

    /// Gives the caller's media to another branch.
    func connect(_ branch: MediaBranch) async throws(SIPRefusal) {
        guard let media = branches[branch], media.negotiation.isAgreed else { return }
        learned = learned.filter { $0.key.side == .caller }
        learning = learning.filter { $0.key.side == .caller }
        try await putInForce(media, hearsFormer: false)
        connected = branch
    }

    /// Nobody has the caller's media: its UDP ports stay reserved.
    func disconnect() async {
        plan = [:]
        learning = [:]
        learned = learned.filter { $0.key.side == .caller }
        await routes.removeAll()
        await removeKeys()
    }

    func plan(of media: BranchMedia) async throws(RoutingError) -> [StreamKey: PlannedStream] {
        var sides: [SIPSide: MediaPlan.Side] = [:]
        for side in SIPSide.allCases {
            guard let agreement = media.negotiation.agreement(side) else { return [:] }
            let peer = side == .caller ? caller : media.callee
            var learned: [StreamKey: MediaEndpoint] = [:]
            for (key, source) in self.learned
            where key.side == side && Self.signalled(key, agreement) == source.signalled {
                learned[key] = source.endpoint
            }
            var attachments: [IPAddress: NetworkAttachment] = [:]
            let named = MediaPlan.destinations(of: agreement)
            let hidden = named.filter { peer.hides($0) }
            let destinations = named.subtracting(hidden).union(learned.values.map(\.address))
            for address in destinations where !address.isMulticast {
                attachments[address] = try await attachment(towards: address)
            }
            sides[side] = MediaPlan.Side(
                agreement: agreement, places: media.inForce[side, default: [:]], attachments: attachments,
                hidden: hidden, signalling: peer.signalling, sources: peer.sources, learned: learned,
                earlier: routes.sources,
                keys: media.callee.protection.endsSRTP ? Self.keys(agreement) : [:])
        }
        return MediaPlan(sides: sides, endsSRTP: media.callee.protection.endsSRTP, prefix: keyPrefix).streams
    }

    /// The endpoint from which a stream of a peer's packets comes, as the peer's description says.
    static func signalled(_ key: StreamKey, _ agreement: OfferAnswer.Agreement) -> MediaEndpoint? {
        guard agreement.media.indices.contains(key.index) else { return nil }
        let medium = agreement.media[key.index]
        if key.isRTCP {
            guard let address = medium.remoteRTCPAddress, let udpPort = medium.remoteRTCPUDPPort else { return nil }
            return MediaEndpoint(address: address, udpPort: udpPort)
        }
        return medium.remoteAddress.map { MediaEndpoint(address: $0, udpPort: medium.remoteUDPPort) }
    }
}
