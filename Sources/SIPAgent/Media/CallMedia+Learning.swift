// Sources that are learned, and sources that have moved.

import AgentSupport
import Logging
import RTPWire
import Routing
import SIPCore
import Timing

extension CallMedia {
    /// A packet with another payload type than was negotiated decides nothing; somebody who sends nothing else is not waited for.
    private static let failuresAllowed = 16

    /// Listens for what packets may decide, from an agreement on.
    func beginLearning(_ media: BranchMedia) {
        routes.onFirstPacket = { [weak self] event in
            Task { @AgentActor [weak self] in await self?.firstPacket(event) }
        }
        let deadline = MonotonicClock.now.addingSaturating(UInt64(saturatingSeconds: context.policy.learning))
        for (key, planned) in plan {
            guard planned.learns, let agreement = media.negotiation.agreement(key.side),
                let signalled = Self.signalled(key, agreement)
            else {
                learning[key] = nil
                continue
            }
            if learning[key]?.signalled != signalled {
                // A peer that names a place behind a NAT has no other: it is waited for.
                let isHidden = peer(key.side, of: media).hides(signalled.address)
                learning[key] = Learning(signalled: signalled, deadline: isHidden ? .max : deadline)
            }
        }
        learning = learning.filter { plan[$0.key] != nil }
        learned = learned.filter { plan[$0.key] != nil }
    }

    private func peer(_ side: SIPSide, of media: BranchMedia) -> MediaPeer { side == .caller ? caller : media.callee }

    private func firstPacket(_ event: SessionRouteEvent) async {
        await turnstile.enter()
        defer { turnstile.leave() }
        guard !hasEnded, let key = routes.key(of: event.route), let planned = plan[key] else { return }
        guard let wanted = learning[key] else {
            // Media come from where a peer has moved to: where it was is shut.
            if routes.streams[key]?.current.name == event.route, await routes.settle(event.route) {
                onEvent?(.recordChanged)
            }
            return
        }
        guard MonotonicClock.now < wanted.deadline else { return }
        if !key.isRTCP, planned.payload == .rtp {
            let progress = await context.routing.progress(of: event.route)
            guard let progress, progress.hasRTP, planned.payloadTypes.contains(progress.payloadType) else {
                return await wait(for: key, after: event.route, planned)
            }
        }
        learning[key] = nil
        learned[key] = LearnedSource(
            endpoint: MediaEndpoint(address: event.source, udpPort: event.sourceUDPPort), signalled: wanted.signalled)
        context.logger.info(
            "call \(name): medium \(key.index) of the \(key.side.rawValue) comes from \(event.source.bracketed):\(event.sourceUDPPort)"
        )
        _ = await routes.settle(event.route)
        await planAnew()
    }

    /// The packet was none that may decide: the next one is asked for.
    private func wait(for key: StreamKey, after route: String, _ planned: PlannedStream) async {
        learning[key]?.failures += 1
        guard let failures = learning[key]?.failures, failures <= Self.failuresAllowed else { return }
        do {
            try await routes.rearm(route, of: planned)
        } catch {
            context.logger.error("call \(name): route \(route): \(error)")
        }
    }

    /// Takes what was signalled for the source where no packet has decided in time.
    func expireLearning(now: UInt64) async {
        let late = learning.filter { $0.value.deadline <= now }
        guard !late.isEmpty else { return }
        for (key, learning) in late {
            self.learning[key] = nil
            learned[key] = LearnedSource(endpoint: learning.signalled, signalled: learning.signalled)
        }
        await planAnew()
    }

    /// After something was learned.
    private func planAnew() async {
        guard let connected, let media = branches[connected] else { return }
        do throws(RoutingError) {
            let plan = try await plan(of: media)
            try await routes.apply(plan)
            self.plan = plan
        } catch {
            context.logger.error("call \(name): a learned source could not be put in force: \(error)")
        }
        onEvent?(.recordChanged)
    }
}
