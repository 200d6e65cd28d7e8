// Installing, changing and removing flows.

import CrosspointShim
import FoundationEssentials
import RTPWire

extension FastPath {
    /// Installs a flow without legs: packets of the key are accounted, and dropped as `drop_no_leg`.
    ///
    /// Several flows can share a destination if each names another source.
    public func installFlow(
        _ key: FlowKey, _ parameters: FlowParameters, port: Port, label: FlowLabel
    ) throws(FastPathError) -> FlowHandle {
        let destination = FlowTable.Key(destinationOf: key)
        guard let existing = flowTable.find(destination) else {
            return try publish(destination, filter: key, parameters, port: port, label: label)
        }
        let flags = flowTable.slots[existing].pointee.flags
        if flags & CROSSPOINT_FLOW_DRAINING.rawValue != 0 {
            return reuse(existing, filter: key, parameters, port: port, label: label)
        }
        let handle = try publish(
            FlowTable.Key(sourceOf: key), filter: key, parameters, port: port, label: label)
        let leads = key.sourceUDPPort == nil ? CROSSPOINT_FLOW_HAS_SOURCES : CROSSPOINT_FLOW_HAS_SOURCE_PORTS
        setFlags(flags | leads.rawValue, at: existing)
        return handle
    }

    private func records(
        filter key: FlowKey, _ parameters: FlowParameters, port: Port, index: Int
    ) -> (crosspoint_flow, crosspoint_flow_detail) {
        var flow = crosspoint_flow()
        var detail = crosspoint_flow_detail()
        flow.flags = parameters.flags
        flow.index = UInt32(index)
        if let source = key.source {
            detail.source = source.words
            flow.flags |= CROSSPOINT_FLOW_FILTER_SOURCE.rawValue
        }
        if let sourceUDPPort = key.sourceUDPPort {
            flow.source_port = sourceUDPPort.bigEndian
            flow.flags |= CROSSPOINT_FLOW_FILTER_SOURCE_PORT.rawValue
        }
        flow.port = UInt8(port.number)
        let mac = port.mac.bytes
        flow.ingress_mac = (mac[0], mac[1], mac[2], mac[3], mac[4], mac[5])
        Self.apply(parameters, to: &flow, &detail)
        return (flow, detail)
    }

    private static func apply(
        _ parameters: FlowParameters, to flow: UnsafeMutablePointer<crosspoint_flow>,
        _ detail: UnsafeMutablePointer<crosspoint_flow_detail>
    ) {
        flow.pointee.nanoseconds_per_tick = parameters.tickWords
        flow.pointee.outage = parameters.outage
        flow.pointee.clock_mask = parameters.clockMask
        detail.pointee.max_dropout = parameters.maximumDropout
        detail.pointee.max_misorder = parameters.maximumMisorder
        // Workers read them at any time.
        crosspoint_publish32(&detail.pointee.rules, parameters.rules)
    }

    private func publish(
        _ slotKey: FlowTable.Key, filter key: FlowKey, _ parameters: FlowParameters, port: Port, label: FlowLabel
    ) throws(FastPathError) -> FlowHandle {
        var index = flowTable.place(for: slotKey)
        if index == nil, flowTable.hasRemoved {
            waitForGracePeriod()
            index = flowTable.place(for: slotKey)
        }
        guard let index, flowTable.usedCount < flowTable.slots.count * 3 / 4 else {
            throw FastPathError(
                .full,
                "flow table: full with \(flowTable.usedCount) of \(flowTable.slots.count) slots used; remove routes, or "
                    + "raise limits: flows and run 'crosspoint unload' once")
        }
        guard let counters = flowIndices.allocate(1) else {
            throw FastPathError(
                .full,
                "flow table: all \(flowLabels.count) flows are in use\(drainingText); remove routes, or raise limits: flows "
                    + "and run 'crosspoint unload' once")
        }
        clearCounters(at: counters)
        write(label, parameters, at: counters, slot: index)
        var (record, detail) = records(filter: key, parameters, port: port, index: counters)
        Self.name(label, in: &detail)
        flowTable.publish(slotKey, record, detail, at: index)
        watches.add(key.destination, udpPort: key.udpPort)
        return FlowHandle(slot: index, generation: flowDetails[index].pointee.generation)
    }

    /// The number of flows that were removed and still drain, as an explanation for a full table.
    private var drainingText: String {
        let count = (0..<flowTable.slots.count).count { slot in
            let flow = flowTable.slots[slot].pointee
            return FlowTable.isUsed(flow.kind) && flow.flags & CROSSPOINT_FLOW_DRAINING.rawValue != 0
        }
        return count == 0 ? "" : " (\(count) of them were removed, and drain for ten seconds)"
    }

    /// Gives a draining slot, which touches no counter, to a new flow of the same destination.
    private func reuse(
        _ index: Int, filter key: FlowKey, _ parameters: FlowParameters, port: Port, label: FlowLabel
    ) -> FlowHandle {
        let place = flowTable.slots[index]
        let counters = Int(place.pointee.index)
        clearCounters(at: counters)
        write(label, parameters, at: counters, slot: index)
        let (new, detail) = records(filter: key, parameters, port: port, index: counters)
        flowDetails[index].pointee.generation &+= 1
        flowDetails[index].pointee.source = detail.source
        Self.name(label, in: flowDetails[index])
        place.pointee.port = new.port
        place.pointee.ingress_mac = new.ingress_mac
        Self.apply(parameters, to: place, flowDetails[index])
        place.pointee.source_port = new.source_port
        setFlags(new.flags, at: index)
        return FlowHandle(slot: index, generation: flowDetails[index].pointee.generation)
    }

    private func clearCounters(at index: Int) {
        rtp.clear(index)
        rtpDetails.clear(index)
        for lane in 0..<lanes { flowCounts.clear(lane * flowLabels.count + index) }
    }

    /// The index of the flow's counters.
    func counters(of handle: FlowHandle) -> Int { Int(flowTable.slots[handle.slot].pointee.index) }

    private func write(_ label: FlowLabel, _ parameters: FlowParameters, at index: Int, slot: Int) {
        var record = crosspoint_flow_label()
        Self.store(label.route, in: &record.route)
        Self.store(label.from, in: &record.from)
        record.clock_rate = parameters.clockRate ?? 0
        record.payload = parameters.payload.rawValue
        record.accounting = label.accounting
        record.engine_reason = parameters.engineReason.rawValue
        record.slot = UInt32(slot)
        record.in_use = 1
        flowLabels[index].pointee = record
    }

    /// Writes which route a flow belongs to, for whoever has its record.
    private static func name(_ label: FlowLabel, in detail: UnsafeMutablePointer<crosspoint_flow_detail>) {
        detail.pointee.route = label.identifier?.uuid ?? zeroIdentifier
        detail.pointee.route_source = label.sourceNumber
    }

    static let zeroIdentifier: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)

    /// Filter UDP port and flags lie in one word, which the program loads at once or in parts that only it orders.
    private func setFlags(_ flags: UInt32, sourcePort: UInt16? = nil, at index: Int) {
        let place = flowTable.slots[index]
        let word =
            UInt64(sourcePort ?? place.pointee.source_port) | UInt64(place.pointee.clock_mask) << 16
            | UInt64(place.pointee.port) << 24 | UInt64(flags) << 32
        withUnsafeMutablePointer(to: &place.pointee.source_port) { pointer in
            UnsafeMutableRawPointer(pointer).withMemoryRebound(to: UInt64.self, capacity: 1) {
                crosspoint_publish64($0, word)
            }
        }
    }

    func isCurrent(_ handle: FlowHandle) -> Bool {
        let flow = flowTable.slots[handle.slot].pointee
        return FlowTable.isUsed(flow.kind) && flowDetails[handle.slot].pointee.generation == handle.generation
    }

    /// Changes the accounting of an installed flow; its counters continue.
    public func setParameters(_ parameters: FlowParameters, of handle: FlowHandle) {
        guard isCurrent(handle) else { return }
        let place = flowTable.slots[handle.slot]
        Self.apply(parameters, to: place, flowDetails[handle.slot])
        let label = flowLabels[counters(of: handle)]
        label.pointee.clock_rate = parameters.clockRate ?? 0
        label.pointee.payload = parameters.payload.rawValue
        label.pointee.engine_reason = parameters.engineReason.rawValue
        let kept =
            CROSSPOINT_FLOW_FILTER_SOURCE.rawValue | CROSSPOINT_FLOW_FILTER_SOURCE_PORT.rawValue
            | CROSSPOINT_FLOW_HAS_SOURCES.rawValue | CROSSPOINT_FLOW_HAS_SOURCE_PORTS.rawValue
            | CROSSPOINT_FLOW_OWN_MAC.rawValue
        setFlags(place.pointee.flags & kept | parameters.flags, at: handle.slot)
    }

    /// Says whether frames for the flow's destination come to the port's own hardware address, or to that of its group, and to no
    /// other: those that were for another host are dropped then. Not where an interface above the port has an address of its own.
    public func setComesToOwnMAC(_ isOnly: Bool, of handle: FlowHandle) {
        guard isCurrent(handle) else { return }
        let flags = flowTable.slots[handle.slot].pointee.flags
        let wanted =
            isOnly ? flags | CROSSPOINT_FLOW_OWN_MAC.rawValue : flags & ~CROSSPOINT_FLOW_OWN_MAC.rawValue
        if wanted != flags { setFlags(wanted, at: handle.slot) }
    }

    /// Changes the label of an installed flow, which readers of the statistics see.
    public func setLabel(_ label: FlowLabel, of handle: FlowHandle) {
        guard isCurrent(handle) else { return }
        let record = flowLabels[counters(of: handle)]
        Self.store(label.route, in: &record.pointee.route)
        Self.store(label.from, in: &record.pointee.from)
        record.pointee.accounting = label.accounting
        Self.name(label, in: flowDetails[handle.slot])
    }

    /// Sets what workers have for the flow's packets, before it goes to any legs; nil for nothing.
    public func setContext(_ context: WorkerContext?, of handle: FlowHandle) {
        guard isCurrent(handle) else { return }
        if let old = flowContexts.set(context, at: handle.slot), old != context { retiredContexts.append(old) }
    }

    /// True if `changeFilter` can serve the flow: not where its source is part of the key.
    public func hasOwnDestination(_ handle: FlowHandle) -> Bool {
        isCurrent(handle)
            && flowTable.slots[handle.slot].pointee.kind == UInt8(CROSSPOINT_SLOT_DESTINATION.rawValue)
    }

    /// Changes which source a flow takes packets from, in place: packets of whoever is in both filters are not missed, and
    /// nobody else's are taken meanwhile. The flow `hasOwnDestination`; the key's destination is not looked at.
    public func changeFilter(_ key: FlowKey, label: FlowLabel, of handle: FlowHandle) {
        guard hasOwnDestination(handle) else { return }
        let place = flowTable.slots[handle.slot]
        let detail = flowDetails[handle.slot]
        var flags = place.pointee.flags
        flags &= ~(CROSSPOINT_FLOW_FILTER_SOURCE.rawValue | CROSSPOINT_FLOW_FILTER_SOURCE_PORT.rawValue)
        if let source = key.source {
            if IPAddress(words: detail.pointee.source) != source { detail.pointee.source = source.words }
            flags |= CROSSPOINT_FLOW_FILTER_SOURCE.rawValue
        }
        if key.sourceUDPPort != nil { flags |= CROSSPOINT_FLOW_FILTER_SOURCE_PORT.rawValue }
        setFlags(flags, sourcePort: key.sourceUDPPort.map(\.bigEndian) ?? 0, at: handle.slot)
        Self.store(label.from, in: &flowLabels[counters(of: handle)].pointee.from)
    }

    /// Replaces the legs of a flow by one store: no packet sees half a set, and legs in both sets miss nothing.
    ///
    /// RTCP that shares the flow's UDP port goes the same way, but for legs that are for RTP or RTCP alone; nowhere if a leg changes
    /// RTP headers.
    public func setLegs(_ legs: [LegParameters], of handle: FlowHandle) throws(FastPathError) {
        guard isCurrent(handle) else { return }
        publish(try prepareLegs(legs), of: handle)
    }

    /// Writes sets of legs that no flow uses yet: all that can fail of a change of legs. Each is published or discarded once.
    public func prepareLegs(_ legs: [LegParameters]) throws(FastPathError) -> PreparedLegs {
        // A single copy is rewritten by ingress; more are broadcast and rewritten by egress.
        if legs.count > 1, try portTable.prepareForGroups(legs.map(\.port), egress: egress) { GracePeriod.wait() }
        let forRTP = legs.filter { $0.packets != .rtcp }
        let forRTCP = legs.contains(where: \.rewritesRTP) ? [] : legs.filter { $0.packets != .rtp }
        let target = try legStore.write(forRTP, egress: egress, interface: portTable.interface(ofNumber:))
        if forRTCP == forRTP { return PreparedLegs(target: target, rtcpTarget: target) }
        do {
            let rtcpTarget = try legStore.write(forRTCP, egress: egress, interface: portTable.interface(ofNumber:))
            return PreparedLegs(target: target, rtcpTarget: rtcpTarget)
        } catch {
            legStore.retire(target)
            throw error
        }
    }

    /// Has a flow use prepared legs: stores only, nothing that can fail. Legs for a flow that is gone are discarded.
    public func publish(_ legs: PreparedLegs, of handle: FlowHandle) {
        guard isCurrent(handle) else { return discard(legs) }
        let old = targets(at: handle.slot)
        let detail = flowDetails[handle.slot]
        if legs.rtcpTarget.isNone { crosspoint_publish64(&detail.pointee.rtcp_target, FlowTarget.none.encoded) }
        crosspoint_publish64(&flowTable.slots[handle.slot].pointee.target, legs.target.encoded)
        if !legs.rtcpTarget.isNone { crosspoint_publish64(&detail.pointee.rtcp_target, legs.rtcpTarget.encoded) }
        old.forEach { legStore.retire($0) }
    }

    /// Gives back prepared legs that no flow is to use.
    public func discard(_ legs: PreparedLegs) {
        for target in Set([legs.target, legs.rtcpTarget]) { legStore.retire(target) }
    }

    /// The sets of legs that a flow uses: one, or another one for RTCP.
    func targets(at index: Int) -> Set<FlowTarget> {
        [
            FlowTarget(encoded: flowTable.slots[index].pointee.target),
            FlowTarget(encoded: flowDetails[index].pointee.rtcp_target),
        ]
    }

    /// Ends a flow. Its destination stays ours while its source may still send: packets are dropped as `drop_draining`
    /// until `finishDraining`. Returns false when the destination has other flows and nothing drains.
    @discardableResult
    public func drainFlow(_ handle: FlowHandle) -> Bool {
        guard isCurrent(handle) else { return false }
        let index = handle.slot
        let flow = flowTable.slots[index].pointee
        let leads = (CROSSPOINT_FLOW_HAS_SOURCES.rawValue | CROSSPOINT_FLOW_HAS_SOURCE_PORTS.rawValue)
        let key = flowTable.key(at: index)
        flowLabels[counters(of: handle)].pointee.in_use = 0
        if flow.kind == UInt8(CROSSPOINT_SLOT_DESTINATION.rawValue) {
            if flow.flags & leads != 0 {
                setFlags(
                    flow.flags & (leads | CROSSPOINT_FLOW_REPORT_UNKNOWN.rawValue)
                        | CROSSPOINT_FLOW_DISPATCH_ONLY.rawValue, at: index)
                clearTargets(at: index)
                return false
            }
            setFlags(CROSSPOINT_FLOW_DRAINING.rawValue, at: index)
            clearTargets(at: index)
            return true
        }
        clearTargets(at: index)
        removeSlot(index)
        return dropLead(to: key)
    }

    /// Takes a slot out of the table; it and its counters are free after a grace period.
    private func removeSlot(_ index: Int) {
        retiredIndices.append(Int(flowTable.slots[index].pointee.index))
        let key = flowTable.key(at: index)
        watches.remove(key.destination, udpPort: key.udpPort)
        flowTable.remove(at: index)
    }

    private func clearTargets(at index: Int) {
        let old = targets(at: index)
        defer { if let context = flowContexts.set(nil, at: index) { retiredContexts.append(context) } }
        crosspoint_publish64(&flowDetails[index].pointee.rtcp_target, FlowTarget.none.encoded)
        crosspoint_publish64(&flowTable.slots[index].pointee.target, FlowTarget.none.encoded)
        old.forEach { legStore.retire($0) }
    }

    /// After the removal of a slot with a source: its destination's slot leads nowhere, if that was the last one.
    private func dropLead(to removed: FlowTable.Key) -> Bool {
        var destination = removed
        destination.kind = UInt8(CROSSPOINT_SLOT_DESTINATION.rawValue)
        destination.source = nil
        destination.sourceUDPPort = nil
        guard let index = flowTable.find(destination) else { return false }
        let rest = (0..<flowTable.slots.count).filter { slot in
            let flow = flowTable.slots[slot].pointee
            guard
                flow.kind == UInt8(CROSSPOINT_SLOT_SOURCE.rawValue)
                    || flow.kind == UInt8(CROSSPOINT_SLOT_SOURCE_PORT.rawValue)
            else { return false }
            var key = flowTable.key(at: slot)
            key.kind = destination.kind
            key.source = nil
            key.sourceUDPPort = nil
            return key == destination
        }
        let flags = flowTable.slots[index].pointee.flags
        let hasPorts = rest.contains {
            flowTable.slots[$0].pointee.kind == UInt8(CROSSPOINT_SLOT_SOURCE_PORT.rawValue)
        }
        let hasSources = rest.contains { flowTable.slots[$0].pointee.kind == UInt8(CROSSPOINT_SLOT_SOURCE.rawValue) }
        if rest.isEmpty, flags & CROSSPOINT_FLOW_DISPATCH_ONLY.rawValue != 0 {
            setFlags(CROSSPOINT_FLOW_DRAINING.rawValue, at: index)
            return true
        }
        var kept = flags
        if !hasPorts { kept &= ~CROSSPOINT_FLOW_HAS_SOURCE_PORTS.rawValue }
        if !hasSources { kept &= ~CROSSPOINT_FLOW_HAS_SOURCES.rawValue }
        setFlags(kept, at: index)
        return false
    }

    /// Forgets a destination that drained; packets to it are the host's again, unless a guard is in place.
    public func finishDraining(_ key: FlowKey) {
        guard let index = flowTable.find(FlowTable.Key(destinationOf: key)),
            flowTable.slots[index].pointee.flags & CROSSPOINT_FLOW_DRAINING.rawValue != 0
        else { return }
        removeSlot(index)
    }

    /// Removes a flow at once, whatever it is in the middle of: nobody owns it.
    public func removeFlow(_ handle: FlowHandle) {
        guard isCurrent(handle) else { return }
        flowLabels[counters(of: handle)].pointee.in_use = 0
        clearTargets(at: handle.slot)
        removeSlot(handle.slot)
    }
}
