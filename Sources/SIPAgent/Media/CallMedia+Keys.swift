// Keys of a call whose SRTP ends at this node.

import KeyManagement
import Routing
import SDP
import SIPCore
import SRTPKeys

extension CallMedia {
    /// The rules for keys of a branch; nil where keys are the ends' own.
    func security(_ media: BranchMedia) -> MediaSecurity? {
        guard media.callee.protection.endsSRTP else { return nil }
        return MediaSecurity(
            protection: media.callee.protection,
            isSecure: [.caller: caller.isSecure, .callee: media.callee.isSecure]
        ) { profile in SRTPKey(new: profile, random: Self.randomBytes) }
    }

    private static func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// The beginning of the names of the call's keys.
    var keyPrefix: String { "sip.\(name)." }

    /// All keys of what a branch has agreed on, by their names.
    func keys(of media: BranchMedia) -> [String: [SRTPKey]] {
        guard media.callee.protection.endsSRTP else { return [:] }
        var keys: [String: [SRTPKey]] = [:]
        for side in SIPSide.allCases {
            guard let agreement = media.negotiation.agreement(side) else { continue }
            for (index, pair) in Self.keys(agreement) {
                keys[MediaPlan.keyName(keyPrefix, index, side, isReceiving: true)] = pair.peer
                keys[MediaPlan.keyName(keyPrefix, index, side, isReceiving: false)] = [pair.own]
            }
        }
        return keys
    }

    /// Brings routes and keys to a plan. On an error the routes are as they were.
    ///
    /// Keys of new names come before the routes that name them. Other keys of a known name come after them, when nothing is refused any
    /// more: a key that was given up must not come back, since what was sent with it is forgotten.
    func apply(
        _ plan: [StreamKey: PlannedStream], keys: [String: [SRTPKey]], hearsFormer: Bool
    ) async throws(RoutingError) {
        var added: [String] = []
        do throws(RoutingError) {
            for (name, list) in keys.sorted(by: { $0.key < $1.key }) where installedKeys[name] == nil {
                try await context.routing.setKeys(list, named: name)
                installedKeys[name] = list
                added.append(name)
            }
            try await routes.apply(plan, hearsFormer: hearsFormer)
        } catch {
            await removeKeys { !added.contains($0) }
            throw error
        }
        for (name, list) in keys.sorted(by: { $0.key < $1.key }) where installedKeys[name] != list {
            try await context.routing.setKeys(list, named: name)
            installedKeys[name] = list
        }
        await removeKeys { keys[$0] != nil }
    }

    /// Forgets keys that no route names any more: all but those that are kept.
    func removeKeys(keeping isKept: (String) -> Bool = { _ in false }) async {
        let gone = installedKeys.keys.filter { !isKept($0) }.sorted()
        guard !gone.isEmpty else { return }
        for name in gone { installedKeys[name] = nil }
        await context.routing.removeKeys(named: gone)
    }

    /// The keys that a side has agreed on with this node, by the place of their medium.
    static func keys(_ agreement: OfferAnswer.Agreement) -> [Int: MediaSecurity.Keys] {
        var keys: [Int: MediaSecurity.Keys] = [:]
        for index in agreement.media.indices where agreement.media[index].isActive {
            keys[index] = MediaSecurity.keys(
                local: agreement.local.media[index], remote: agreement.remote.media[index])
        }
        return keys
    }
}
