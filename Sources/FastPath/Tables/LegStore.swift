// Leg records and groups: immutable once a flow points at them, used again after a grace period.

import CrosspointShim

/// The content of a flow's 64-bit target (`bpf/fastpath_abi.h`).
struct FlowTarget: Hashable {
    var index: UInt32
    var shape: UInt16
    var legCount: UInt16

    static let none = FlowTarget(index: 0, shape: UInt16(CROSSPOINT_SHAPE_NONE), legCount: 0)

    init(index: UInt32, shape: UInt16, legCount: UInt16) {
        self.index = index
        self.shape = shape
        self.legCount = legCount
    }

    init(encoded: UInt64) {
        self.init(
            index: UInt32(truncatingIfNeeded: encoded), shape: UInt16(truncatingIfNeeded: encoded >> 32),
            legCount: UInt16(truncatingIfNeeded: encoded >> 48))
    }

    var encoded: UInt64 { UInt64(index) | UInt64(shape) << 32 | UInt64(legCount) << 48 }
    var isDirect: Bool { shape == UInt16(CROSSPOINT_SHAPE_DIRECT) }
    var isNone: Bool { shape == UInt16(CROSSPOINT_SHAPE_NONE) }
}

/// Sets of legs that are written and that no flow uses yet (`FastPath.prepareLegs`).
public struct PreparedLegs: Hashable, Sendable {
    var target: FlowTarget
    /// The same, or another set for RTCP that shares the flow's UDP port.
    var rtcpTarget: FlowTarget

    /// No legs.
    public static let none = PreparedLegs(target: .none, rtcpTarget: .none)
}

/// Writes sets of legs, and takes them back when no packet can use them any more.
struct LegStore {
    private let legs: MappedArray<crosspoint_leg>
    private let details: MappedArray<crosspoint_leg_detail>
    private let groups: MappedArray<crosspoint_group>
    private let contexts: ContextTable
    private var legBlocks: BlockAllocator
    private var groupBlocks: BlockAllocator
    private(set) var shapes: ShapeTable
    /// Taken out of use, but perhaps under a packet that is still under way.
    private var retired: [FlowTarget] = []
    /// The part of them for which a grace period has begun.
    private var aging: [FlowTarget] = []

    /// Sets retired at most before a grace period is waited for: many share one.
    private static let retiredLimit = 256

    init(
        legs: MappedArray<crosspoint_leg>, details: MappedArray<crosspoint_leg_detail>,
        groups: MappedArray<crosspoint_group>, shapes: ShapeTable
    ) {
        precondition(legs.count <= 1 << CROSSPOINT_SECTION_BITS, "a section names a leg in 20 bits")
        self.legs = legs
        self.details = details
        self.groups = groups
        self.shapes = shapes
        contexts = ContextTable(count: legs.count)
        legBlocks = BlockAllocator(capacity: legs.count, largest: Int(CROSSPOINT_MAX_LEGS))
        groupBlocks = BlockAllocator(capacity: groups.count, largest: 1)
    }

    /// The arrays as they lie in memory, for a reader beside the kernel's programs.
    var firstLeg: UnsafePointer<crosspoint_leg> { UnsafePointer(legs[0]) }
    var firstDetail: UnsafePointer<crosspoint_leg_detail> { UnsafePointer(details[0]) }
    var firstGroup: UnsafePointer<crosspoint_group> { UnsafePointer(groups[0]) }
    var firstContext: UnsafePointer<UnsafeMutableRawPointer?> { UnsafePointer(contexts.first) }
    var legCapacity: Int { legs.count }
    var groupCapacity: Int { groups.count }

    /// Takes note of a set that an earlier process left in use. False when it does not make sense.
    mutating func adopt(_ target: FlowTarget) -> Bool {
        if target.isNone { return true }
        if target.isDirect { return legBlocks.take(first: Int(target.index), count: 1) }
        guard Int(target.index) < groups.count, groupBlocks.take(first: Int(target.index), count: 1) else {
            return false
        }
        let group = groups[Int(target.index)].pointee
        guard group.leg_count == target.legCount,
            legBlocks.take(first: Int(group.first_leg), count: Int(group.leg_count))
        else { return false }
        shapes.adopt(target.shape)
        return true
    }

    /// The records of a set.
    private func records(of target: FlowTarget) -> Range<Int> {
        if target.isNone { return 0..<0 }
        let first = target.isDirect ? Int(target.index) : Int(groups[Int(target.index)].pointee.first_leg)
        return first..<first + Int(target.legCount)
    }

    /// Opens a shut leg in place, from a gate on if there is one; or takes the gate from an open one.
    func open(counter: UInt32, gate: LegParameters.Gate?, in target: FlowTarget) {
        guard let index = records(of: target).first(where: { legs[$0].pointee.counter == counter }) else { return }
        var flags = legs[index].pointee.flags & ~(CROSSPOINT_LEG_SHUT.rawValue | CROSSPOINT_LEG_GATED.rawValue)
        if let gate {
            legs[index].pointee.gate_sequence = gate.sequence
            details[index].pointee.gate_deadline = gate.deadline
            flags |= CROSSPOINT_LEG_GATED.rawValue
        }
        crosspoint_publish32(&legs[index].pointee.flags, flags)
    }

    /// True if the leg with the counter is shut; nil where the set has none with it.
    func isShut(counter: UInt32, in target: FlowTarget) -> Bool? {
        records(of: target).first { legs[$0].pointee.counter == counter }
            .map { legs[$0].pointee.flags & CROSSPOINT_LEG_SHUT.rawValue != 0 }
    }

    private func write(_ leg: LegParameters, at index: Int) {
        contexts.set(leg.context, at: index)
        legs[index].pointee = leg.record
        details[index].pointee = leg.detail
    }

    /// Writes a set of legs and returns what makes a flow use it.
    mutating func write(
        _ parameters: [LegParameters], egress: Descriptor, interface: (UInt16) -> UInt32?
    ) throws(FastPathError) -> FlowTarget {
        guard let firstLeg = parameters.first else { return .none }
        let count = parameters.count
        guard count <= Int(CROSSPOINT_MAX_LEGS) else {
            throw FastPathError(.full, "\(count) legs: a flow has at most \(CROSSPOINT_MAX_LEGS)")
        }
        guard let first = allocateLegs(count) else {
            throw FastPathError(
                .full, "leg table: no room for \(count) more of \(legs.count) records; raise limits: legs")
        }
        if count == 1 {
            write(firstLeg, at: first)
            return FlowTarget(index: UInt32(first), shape: UInt16(CROSSPOINT_SHAPE_DIRECT), legCount: 1)
        }
        let sorted = parameters.enumerated().sorted { ($0.element.port, $0.offset) < ($1.element.port, $1.offset) }
        var shape = Shape(legs: [])
        for (_, leg) in sorted {
            if shape.legs.last?.port == leg.port {
                shape.legs[shape.legs.count - 1].count += 1
            } else {
                shape.legs.append(.init(port: leg.port, count: 1))
            }
        }
        let number: UInt16
        do {
            number = try shapes.use(shape, egress: egress, interface: interface)
        } catch {
            legBlocks.release(first: first, count: count)
            throw error
        }
        guard let group = allocateGroup() else {
            shapes.release(number)
            legBlocks.release(first: first, count: count)
            throw FastPathError(.full, "group table: all \(groups.count) are in use; raise limits: flows")
        }
        for (offset, leg) in sorted.enumerated() {
            write(leg.element, at: first + offset)
        }
        groups.clear(group)
        groups[group].pointee.first_leg = UInt32(first)
        groups[group].pointee.leg_count = UInt32(count)
        withUnsafeMutableBytes(of: &groups[group].pointee.sections) { bytes in
            let sections = bytes.bindMemory(to: UInt32.self)
            var next = UInt32(first)
            for entry in shape.legs {
                sections[Int(entry.port)] = next | UInt32(entry.count) << UInt32(CROSSPOINT_SECTION_BITS)
                next += UInt32(entry.count)
            }
        }
        return FlowTarget(index: UInt32(group), shape: number, legCount: UInt16(count))
    }

    /// Takes a set out of use; the flow no longer points at it.
    mutating func retire(_ target: FlowTarget) {
        if target.isNone { return }
        retired.append(target)
        if retired.count >= Self.retiredLimit { reclaim() }
    }

    /// A grace period begins: what was retired so far becomes free at its end.
    mutating func beginGracePeriod() {
        aging += retired
        retired.removeAll(keepingCapacity: true)
    }

    /// The grace period that began last has ended.
    mutating func endGracePeriod() {
        for target in aging { free(target) }
        aging.removeAll(keepingCapacity: true)
    }

    /// Waits until no packet uses what was retired, and makes it free.
    mutating func reclaim() {
        if retired.isEmpty, aging.isEmpty { return }
        GracePeriod.wait()
        beginGracePeriod()
        endGracePeriod()
    }

    private mutating func free(_ target: FlowTarget) {
        for index in records(of: target) { contexts.set(nil, at: index) }
        if target.isDirect {
            legBlocks.release(first: Int(target.index), count: 1)
            return
        }
        let group = groups[Int(target.index)].pointee
        legBlocks.release(first: Int(group.first_leg), count: Int(group.leg_count))
        groupBlocks.release(first: Int(target.index), count: 1)
        shapes.release(target.shape)
    }

    private mutating func allocateLegs(_ count: Int) -> Int? {
        if let first = legBlocks.allocate(count) { return first }
        reclaim()
        return legBlocks.allocate(count)
    }

    private mutating func allocateGroup() -> Int? {
        if let group = groupBlocks.allocate(1) { return group }
        reclaim()
        return groupBlocks.allocate(1)
    }
}

extension LegStore {
    /// Enters interfaces and egress program again in every shape.
    func refreshShapes(egress: Descriptor, interface: (UInt16) -> UInt32?) throws(FastPathError) {
        try shapes.refresh(egress: egress, interface: interface)
    }
}
