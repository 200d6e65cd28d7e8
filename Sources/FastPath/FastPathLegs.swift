// A flow's legs: their counters, and opening those that are shut.

import CrosspointShim

extension FastPath {
    /// Takes a counter for a leg, which it keeps through all changes of its record.
    public func addLegCounter(flow: FlowHandle, number: UInt32, to: String) throws(FastPathError) -> UInt32 {
        guard let counter = legCounters.allocate(1) else {
            throw FastPathError(.full, "leg table: all \(legLabels.count) legs are in use; raise limits: legs")
        }
        for lane in 0..<lanes {
            legCounts.clear(lane * legLabels.count + counter)
            legRefusals.clear(lane * legLabels.count + counter)
        }
        describeLeg(UInt32(counter), flow: flow, number: number, to: to)
        return UInt32(counter)
    }

    /// Writes the description of the leg, or the flow that it belongs to, again.
    public func describeLeg(_ counter: UInt32, flow: FlowHandle, number: UInt32, to: String) {
        var label = crosspoint_leg_label()
        label.flow = UInt32(counters(of: flow))
        label.number = number
        Self.store(to, in: &label.to)
        label.in_use = 1
        legLabels[Int(counter)].pointee = label
    }

    /// Gives a leg's counter back; the leg is in no set any more, and a grace period has passed.
    public func removeLegCounter(_ counter: UInt32) {
        legLabels[Int(counter)].pointee.in_use = 0
        legCounters.release(first: Int(counter), count: 1)
    }

    /// Gives back every counter that is not among `known`: of legs that an earlier process left and nobody owns.
    public func removeLegCounters(except known: Set<UInt32>) {
        for counter in 0..<legLabels.count
        where legLabels[counter].pointee.in_use != 0 && !known.contains(UInt32(counter)) {
            removeLegCounter(UInt32(counter))
        }
    }

    /// Opens a leg that was set shut, in place: its copies are sent from the gate on, or from the next packet. Of an open leg, its
    /// gate is replaced.
    public func openLeg(_ counter: UInt32, gate: LegParameters.Gate?, of handle: FlowHandle) {
        guard isCurrent(handle) else { return }
        for target in targets(at: handle.slot) { legStore.open(counter: counter, gate: gate, in: target) }
    }

    /// True if a leg of the flow is shut; nil where the flow has no such leg.
    public func isShut(_ counter: UInt32, of handle: FlowHandle) -> Bool? {
        guard isCurrent(handle) else { return nil }
        return targets(at: handle.slot).compactMap { legStore.isShut(counter: counter, in: $0) }.first
    }

    /// The number of the leg that has taken the counter, if any: to find legs of an earlier process.
    public func legNumber(ofCounter counter: UInt32) -> UInt32? {
        guard Int(counter) < legLabels.count, legLabels[Int(counter)].pointee.in_use != 0 else { return nil }
        return legLabels[Int(counter)].pointee.number
    }
}
