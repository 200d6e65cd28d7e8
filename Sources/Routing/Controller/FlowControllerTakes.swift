// Make before break: the sources that a batch brings on air are received and seen before anything changes.

import Events
import FastPath
import Logging

/// A new source of a planned route while it is waited for.
struct AwaitedSource {
    let route: String
    let source: SourceSpecification
    let flow: FlowHandle
    var watch: SourceWatch
    /// The payload type that the receivers have now; nil where it does not matter.
    var payloadType: UInt8?
}

extension FlowController {
    public func take(
        route name: String, source: SourceSpecification, awaiting wait: SourceWait?
    ) async throws(RoutingError) -> RouteReport {
        guard let state = table[name] else { throw noRoute(name) }
        var specification = state.specification
        specification.source = source
        if specification == state.specification { return report(state) }
        let reports = try await apply([.replace(specification)], awaiting: wait)
        guard let report = reports.first(where: { $0.specification.name == name }) else { throw noRoute(name) }
        return report
    }

    public func apply(
        _ changes: [RouteChange], awaiting wait: SourceWait?
    ) async throws(RoutingError) -> [RouteReport] {
        guard let wait else { return try await apply(changes) }
        let plan = try plan(changes)
        let number = nextPreview
        nextPreview += 1
        previews[number] = []
        // Whatever the batch does not use is given back, and what it uses has holds of its own by then.
        defer {
            for preview in previews.removeValue(forKey: number) ?? [] { endPreview(preview) }
            detachUnusedPorts()
        }
        var awaited = try awaitedSources(of: plan, preview: number)
        let end = ContinuousClock.now.advanced(by: wait.timeout)
        while awaited.contains(where: { !$0.watch.isAlive }) {
            for index in awaited.indices {
                if let now = fastPath.activity(of: awaited[index].flow) {
                    awaited[index].watch.see(packets: now.packets, timestamp: now.timestamp)
                }
            }
            guard ContinuousClock.now < end else { throw aborted(awaited, wait) }
            try? await Task.sleep(for: .milliseconds(4))
        }
        for source in awaited { try checkFormat(of: source) }
        return try await apply(changes)
    }

    // MARK: New sources

    /// The sources that get legs by the plan, each with a flow that can be watched: its own, the one that another route of the batch
    /// gives up, or a new one without legs. A source that differs from the old one by its sender alone shares the old one's flow, and
    /// cannot be seen apart.
    private func awaitedSources(of plan: [PlannedRoute], preview number: Int) throws(RoutingError) -> [AwaitedSource] {
        let vacated = vacatedFlows(by: plan)
        var awaited: [AwaitedSource] = []
        for planned in plan {
            guard let intent = planned.intent, intent.specification.payload != .rtcp else { continue }
            let before = table[planned.name]
            let source = intent.specification.source
            let isSame = before?.specification.source == source
            guard !planned.legs.isEmpty, !isSame || planned.legs.contains(where: { $0.number == nil }) else { continue }
            let flow: FlowHandle?
            if isSame {
                flow = before?.flow
            } else if let before, before.specification.source.isSameDestination(as: source) {
                continue
            } else if let other = vacated[RouteTable.Place(source)]?.first {
                flow = other.flow
            } else {
                flow = try beginPreview(of: intent, number)
            }
            guard let flow else { continue }
            let packets = fastPath.activity(of: flow)?.packets ?? 0
            let specification = intent.specification
            let isCounted = specification.payload == .raw || specification.accounting == .counters
            var payloadType: UInt8?
            if !isSame, !isCounted, let old = before?.flow, fastPath.activity(of: old) != nil,
                specification.legs.contains(where: { $0.rtp.payloadType == nil })
            {
                payloadType = fastPath.payloadType(of: old)
            }
            awaited.append(
                AwaitedSource(
                    route: planned.name, source: source, flow: flow,
                    watch: SourceWatch(packets: packets, countsPackets: isCounted), payloadType: payloadType))
        }
        return awaited
    }

    /// Receives a source under its route's name, without legs.
    private func beginPreview(of intent: RouteIntent, _ number: Int) throws(RoutingError) -> FlowHandle? {
        var intent = intent
        intent.specification.legs = []
        var state = RouteState(intent: intent, parameters: intent.specification.flowParameters)
        try establishSource(&state)
        previews[number]?.append(state)
        return state.flow
    }

    /// Lets go of a preview. Where the route has its flow now, the route's own hold stays.
    private func endPreview(_ preview: RouteState) {
        if let flow = preview.flow, table.route(of: flow) != nil {
            releaseHold(of: preview)
        } else {
            releaseSource(of: preview, drains: true)
        }
    }

    // MARK: Refusals

    private func aborted(_ awaited: [AwaitedSource], _ wait: SourceWait) -> RoutingError {
        let lines = awaited.filter { !$0.watch.isAlive }.map { source in
            let seen = source.watch.hasPackets ? "not \(SourceWait.frames) frames" : "no packet"
            return "route \(source.route): aborted, nothing has changed: \(seen) of \(source.source) within "
                + "\(wait.text); check that the source sends, or --force"
        }
        for (line, source) in zip(lines, awaited.filter { !$0.watch.isAlive }) {
            logger.warning("\(line)")
            events.record(.warning, .takeAborted, source.route, line, author: EventAuthor.current)
        }
        return RoutingError(.unavailable, lines[0], details: lines.count > 1 ? lines : [])
    }

    private func checkFormat(of source: AwaitedSource) throws(RoutingError) {
        guard let old = source.payloadType else { return }
        let new = fastPath.payloadType(of: source.flow)
        guard new != old else { return }
        throw RoutingError(
            .conflict,
            "route \(source.route): aborted, nothing has changed: \(source.source) has payload type \(new), and receivers "
                + "have \(old) now; give the legs pt=\(old), or --force")
    }
}
