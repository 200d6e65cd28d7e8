// Keys of routes: who encrypts and decrypts with what, and that no key is used for two things.

import AFXDP
import FastPath
import Logging
import SRTP
public import SRTPKeys

/// The protection that a leg is encrypted with, or a flow decrypted.
struct Protection {
    var reference: KeyReference
    var material: KeyMaterial
    /// The name of the flow that both nodes of a link use.
    var flow: String
    var context: WorkerContext
    /// The records of the packets that were sent; more than one where RTP and RTCP are both sent.
    var indices: [SentIndices] = []

    /// The identities that nobody else may use for the other direction: master keys, or a link key with a flow's name.
    var identities: Set<[UInt8]> {
        switch material {
        case .srtp(let keys): Set(keys.map(\.masterKey))
        case .link(let key): [key.secret + flow.utf8]
        }
    }
}

extension FlowController {
    /// The protection that a leg of a route is encrypted with; nil for one that is not. `receiving` is the protection
    /// that the route itself is decrypted with.
    func makeSending(
        _ leg: LegSpecification, of route: RouteSpecification, receiving: Protection?
    ) throws(RoutingError) -> Protection? {
        guard let reference = leg.srtp else { return nil }
        let endpoint = "leg \(leg)"
        // RTP and RTCP of a session's medium, whichever routes they take, are one sender.
        if let shared = sharedSending[reference.key] { return shared }
        let material = try keys.material(reference.key, of: endpoint)
        let flow = reference.flow ?? route.name
        func refuse(_ problem: String) -> RoutingError {
            RoutingError(.invalid, "\(endpoint): key \(reference.key) \(problem)")
        }
        var indices: [SentIndices] = []
        let context: WorkerContext
        do {
            switch material {
            case .link(let key): context = try .sending(LinkDerivation(key, flow: flow))
            case .srtp(let list):
                guard reference.flow == nil else { throw refuse("is no link's, and has no flows; leave out /\(flow)") }
                guard let key = list.first else { throw refuse("is empty") }
                let isShared = keys.sessionKey(reference.key) != nil
                // RTCP beside RTP is encrypted with keys that a leg for RTCP alone may not have too.
                let channels =
                    isShared || (route.payload == .rtp && leg.packets == .all)
                    ? ["rtp", "rtcp"] : route.payload == .rtcp || leg.packets == .rtcp ? ["rtcp"] : ["rtp"]
                for channel in channels { indices.append(try keys.indices(of: key, channel: channel)) }
                context = try .sending(key, indices: indices[0])
            }
        } catch let error as RoutingError {
            throw error
        } catch let error as SentIndicesError {
            throw RoutingError(
                error == .unknown ? .conflict : .unavailable, "\(endpoint): key \(reference.key) \(error)")
        } catch {
            throw RoutingError(.failed, "\(endpoint): key \(reference.key): libsrtp refuses it (\(error))")
        }
        let made = Protection(
            reference: reference, material: material, flow: flow, context: context, indices: indices)
        let others =
            statesWithStaged.map { ($0.specification.name, $0.receiving) } + [(route.name, receiving)]
        for (name, other) in others {
            if let other, !other.identities.isDisjoint(with: made.identities) {
                throw RoutingError(.conflict, "\(endpoint): \(otherDirection(made, "route \(name) decrypts"))")
            }
        }
        if keys.sessionKey(reference.key) != nil { sharedSending[reference.key] = made }
        return made
    }

    /// The protection that a route's packets are decrypted with; nil for one whose packets come as they are.
    func makeReceiving(_ route: RouteSpecification) throws(RoutingError) -> Protection? {
        // The host has its packets as they come.
        guard let reference = route.source.srtp, route.delivery == .legs else { return nil }
        let endpoint = "source \(route.source)"
        let material = try keys.material(reference.key, of: endpoint)
        let flow = reference.flow ?? route.name
        let context: WorkerContext
        do {
            switch material {
            case .link(let key): context = .receiving(LinkDerivation(key, flow: flow))
            case .srtp(let list):
                guard reference.flow == nil else {
                    throw RoutingError(
                        .invalid, "\(endpoint): key \(reference.key) is no link's, and has no flows; leave out /\(flow)"
                    )
                }
                context = try .receiving(list)
            }
        } catch let error as RoutingError {
            throw error
        } catch {
            throw RoutingError(.failed, "\(endpoint): key \(reference.key): libsrtp refuses it (\(error))")
        }
        let made = Protection(reference: reference, material: material, flow: flow, context: context)
        for state in statesWithStaged {
            for leg in state.legs {
                if let other = leg.protection, !other.identities.isDisjoint(with: made.identities) {
                    let place = "leg \(leg.number) of route \(state.specification.name) encrypts"
                    throw RoutingError(.conflict, "\(endpoint): \(otherDirection(made, place))")
                }
            }
        }
        return made
    }

    /// All routes, those of a batch that is being staged as they will be.
    private var statesWithStaged: [RouteState] {
        table.values.filter { staging[$0.specification.name] == nil } + Array(staging.values)
    }

    /// Packets of both directions under one key may have one keystream (RFC 3711 section 9.1), and each could be sent back.
    private func otherDirection(_ made: Protection, _ other: String) -> String {
        made.material.isLink
            ? "flow \(made.flow) of link \(made.reference.key) is what \(other): a flow of a link goes one way; name the flow "
                + "with srtp=\(made.reference.key)/FLOW"
            : "key \(made.reference.key) is what \(other) with; give each direction a key of its own"
    }

    // MARK: Other keys

    public func setKeys(_ list: [SRTPKey], named name: String) async throws(RoutingError) {
        do { try RouteSpecification.validate(name: name) } catch { throw RoutingError(error) }
        let material: KeyMaterial
        do { material = try KeyMaterial(keys: list) } catch { throw RoutingError(.invalid, "key \(name) \(error)") }
        guard keys.sessionKey(name) != material else { return }
        try keys.set(material, named: name)
        sharedSending[name] = nil
        if let problem = renewKeys().first { throw RoutingError(.invalid, problem) }
    }

    public func removeKeys(named names: [String]) async {
        for name in names {
            sharedSending[name] = nil
            keys.remove(name)
        }
    }

    /// Has every route use the keys as they are now. Returns a line for each that cannot; it continues with the key that it has.
    @discardableResult
    func renewKeys() -> [String] {
        var problems: [String] = []
        for var state in Array(table.values) where state.specification.usesSRTP {
            do throws(RoutingError) {
                guard try renewKeys(of: &state) else { continue }
                if let flow = state.flow {
                    fastPath.setContext(state.receiving?.context, of: flow)
                    try setLegs(state.readyLegs, of: flow)
                }
                table[state.specification.name] = state
                logger.info("route \(state.specification.name): new keys")
            } catch {
                problems.append("route \(state.specification.name): \(error)")
            }
        }
        return problems
    }

    /// True if any key is another than it was.
    private func renewKeys(of state: inout RouteState) throws(RoutingError) -> Bool {
        var isChanged = false
        if let old = state.receiving,
            try keys.material(old.reference.key, of: "source \(state.specification.source)") != old.material
        {
            state.receiving = try makeReceiving(state.specification)
            isChanged = true
        }
        for index in state.legs.indices {
            let leg = state.legs[index].specification
            guard let old = state.legs[index].protection,
                try keys.material(old.reference.key, of: "leg \(leg)") != old.material
            else { continue }
            state.legs[index].protection = try makeSending(
                leg, of: state.specification, receiving: state.receiving)
            isChanged = true
        }
        return isChanged
    }

    /// No packet is sent any more: what is known of the keys' use is complete, and outlives the machine's run.
    func finishKeys() {
        for state in table.values {
            for indices in state.legs.flatMap({ $0.protection?.indices ?? [] }) { indices.finish() }
        }
    }
}
