// Supervision of a call's media.

import AgentSupport
import RTPWire
import Routing
public import Sessions
import SIPCore
import Timing

extension CallMedia {
    /// The routes whose progress is asked for every second: those of RTP, and those that wait for a first packet.
    var watchedRoutes: [String] {
        routes.streams.flatMap { key, stream in
            !key.isRTCP || !stream.others.isEmpty ? stream.routes.map(\.name) : []
        }
    }

    /// Once a second, with what routes have carried.
    func look(at progresses: [String: FlowProgress], now: UInt64) async {
        guard !hasEnded else { return }
        if judge(progresses, now: now), await !hearsRTCP(now: now) {
            isAbandoned = true
            onEvent?(.abandoned)
        }
        let hasMoved = routes.streams.contains { key, stream in
            learning[key] == nil && !stream.others.isEmpty && (progresses[stream.current.name]?.packets ?? 0) > 0
        }
        guard hasMoved || learning.values.contains(where: { $0.deadline <= now }) else { return }
        await turnstile.enter()
        defer { turnstile.leave() }
        guard !hasEnded else { return }
        await expireLearning(now: now)
        // The event of a first packet may be lost where many come at once.
        for (key, stream) in routes.streams where learning[key] == nil && !stream.others.isEmpty {
            guard (progresses[stream.current.name]?.packets ?? 0) > 0 else { continue }
            if await routes.settle(stream.current.name) { onEvent?(.recordChanged) }
        }
    }

    // MARK: Silence

    /// Tells a change of the state; true if no media come where some should, for longer than a call lasts.
    private func judge(_ progresses: [String: FlowProgress], now: UInt64) -> Bool {
        let silence = UInt64(saturatingSeconds: context.policy.silence)
        let states = plan.keys.filter { !$0.isRTCP && $0.side == .caller }.map { key in
            state(of: key.index, progresses, now: now, after: silence)
        }
        let worst = states.max { a, b in a.severity < b.severity } ?? .ok
        if worst != state {
            state = worst
            onEvent?(.state(worst))
        }
        guard let abandonment = context.policy.abandonment, !isAbandoned, !states.isEmpty else { return false }
        let limit = UInt64(saturatingSeconds: abandonment)
        let expected = plan.keys.filter { plan[$0]?.isExpected == true }
        return !expected.isEmpty && expected.allSatisfy { isSilent($0, progresses, now: now, after: limit) }
    }

    /// True if a peer that is silent, as with silence suppression, reports by RTCP that it is there. That is asked only before a call ends.
    private func hearsRTCP(now: UInt64) async -> Bool {
        guard let abandonment = context.policy.abandonment else { return false }
        let keys = routes.streams.keys.filter(\.isRTCP)
        let names = keys.flatMap { routes.streams[$0]?.routes.map(\.name) ?? [] }
        let progresses = await context.routing.progress(of: names)
        return keys.contains {
            !isSilent($0, progresses, now: now, after: UInt64(saturatingSeconds: abandonment))
                && routes.streams[$0]?.routes.contains { (progresses[$0.name]?.packets ?? 0) > 0 } == true
        }
    }

    /// The state of the media of one `m=` line, judged by the directions that were negotiated.
    private func state(
        of index: Int, _ progresses: [String: FlowProgress], now: UInt64, after limit: UInt64
    ) -> MediaState {
        let expected = SIPSide.allCases.map { StreamKey(index: index, side: $0, isRTCP: false) }
            .filter { plan[$0]?.isExpected == true }
        let silent = expected.count { isSilent($0, progresses, now: now, after: limit) }
        if silent == 0 { return .ok }
        return silent == expected.count ? .noMedia : .oneWay
    }

    private func isSilent(
        _ key: StreamKey, _ progresses: [String: FlowProgress], now: UInt64, after limit: UInt64
    ) -> Bool {
        let arrivals = routes.streams[key]?.routes.compactMap { progresses[$0.name]?.lastArrival } ?? []
        let last = max(arrivals.max() ?? 0, routes.totals[key]?.lastArrival ?? 0, plannedAt)
        return now > last && now - last >= limit
    }

    // MARK: Reports

    /// Both directions of each medium, as reported to an operator.
    public func streams() async -> [SessionReport.Stream] {
        let names = routes.streams.values.flatMap { $0.routes.map(\.name) }
        let progresses = await context.routing.progress(of: names)
        let now = MonotonicClock.now
        let silence = UInt64(saturatingSeconds: context.policy.silence)
        let kinds = kinds
        return routes.streams.filter { !$0.key.isRTCP }.sorted { $0.key < $1.key }.map { key, stream in
            let rtcp = routes.streams[StreamKey(index: key.index, side: key.side, isRTCP: true)]
            let totals = totals(of: key, stream, progresses)
            let source = stream.current.source
            let leg = stream.current.legs.min { $0.key < $1.key }
            var report = SessionReport.Stream(
                index: key.index, media: kinds[key.index] ?? "",
                transport: source.address.isMulticast ? "multicast" : "udp",
                address: Self.text(source), route: stream.current.name, leg: leg?.key, rtcpRoute: rtcp?.current.name,
                rtcpLeg: rtcp?.current.legs.keys.min(), engine: "kernel", engineReason: "a call's media are legs")
            report.from = key.side.rawValue
            report.to = leg.map { "\($0.value.address.bracketed):\($0.value.udpPort)" }
            report.state = state(of: key.index, progresses, now: now, after: silence).rawValue
            report.reception = SessionReport.Reception(
                packets: totals.packets, bytes: totals.bytes, lostPackets: totals.lostPackets,
                jitter: Double(totals.jitter) / 1_000_000_000,
                lastArrival: totals.lastArrival == 0 || totals.lastArrival > now
                    ? nil : Double(now - totals.lastArrival) / 1_000_000_000)
            return report
        }
    }

    private func totals(
        of key: StreamKey, _ stream: InstalledStream, _ progresses: [String: FlowProgress]
    ) -> StreamTotals {
        var totals = routes.totals[key] ?? StreamTotals()
        for route in stream.routes {
            if let progress = progresses[route.name] { totals.add(progress) }
        }
        return totals
    }

    private static func text(_ source: SourceSpecification) -> String {
        let address = source.source ?? source.address
        return "\(address.bracketed):\(source.sourceUDPPort.map { "\($0)" } ?? "*")"
    }
}

extension MediaState {
    /// The importance of the state to an operator.
    fileprivate var severity: Int {
        switch self {
        case .ok: 0
        case .oneWay: 1
        case .noMedia: 2
        }
    }
}
