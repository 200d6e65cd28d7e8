// A forwarding loop over rings and tables in plain memory: no kernel takes part.

package import AFXDP
package import CrosspointShim
import FastPath

/// Tables, one UMEM and sockets whose other side is played by the caller: what a worker's own code does, and nothing else.
package final class SyntheticNode {
    package let loop: UnsafeMutablePointer<ForwardingLoop>
    package let memory: UnsafeMutablePointer<FrameMemory>
    package let flows: UnsafeMutablePointer<crosspoint_flow>
    package let flowDetails: UnsafeMutablePointer<crosspoint_flow_detail>
    package let legs: UnsafeMutablePointer<crosspoint_leg>
    package let legDetails: UnsafeMutablePointer<crosspoint_leg_detail>
    package let groups: UnsafeMutablePointer<crosspoint_group>
    package let flowContexts: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    package let legContexts: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    package let legCounts: UnsafeMutablePointer<crosspoint_leg_count>
    package let legRefusals: UnsafeMutablePointer<crosspoint_leg_count>
    package let ports: UnsafeMutablePointer<crosspoint_port_count>
    package let reasons: UnsafeMutablePointer<crosspoint_reason_count>
    package private(set) var sockets: [SyntheticSocket] = []
    package let base: UnsafeMutableRawPointer
    package let frames: Int

    package static let slots = 16
    package static let legCapacity = 2048

    package init(frames: Int = 4096) {
        self.frames = frames
        func zeroed<Record>(_ count: Int, of: Record.Type) -> UnsafeMutablePointer<Record> {
            let memory = UnsafeMutableRawPointer.allocate(
                byteCount: count * MemoryLayout<Record>.stride, alignment: 64)
            memory.initializeMemory(as: UInt8.self, repeating: 0, count: count * MemoryLayout<Record>.stride)
            return memory.bindMemory(to: Record.self, capacity: count)
        }
        flows = zeroed(Self.slots, of: crosspoint_flow.self)
        flowDetails = zeroed(Self.slots, of: crosspoint_flow_detail.self)
        legs = zeroed(Self.legCapacity, of: crosspoint_leg.self)
        legDetails = zeroed(Self.legCapacity, of: crosspoint_leg_detail.self)
        groups = zeroed(Self.slots, of: crosspoint_group.self)
        flowContexts = zeroed(Self.slots, of: UnsafeMutableRawPointer?.self)
        legContexts = zeroed(Self.legCapacity, of: UnsafeMutableRawPointer?.self)
        legCounts = zeroed(Self.legCapacity, of: crosspoint_leg_count.self)
        legRefusals = zeroed(Self.legCapacity, of: crosspoint_leg_count.self)
        ports = zeroed(Int(CROSSPOINT_MAX_PORTS), of: crosspoint_port_count.self)
        reasons = zeroed(Int(CROSSPOINT_MAX_PORTS), of: crosspoint_reason_count.self)
        base = UnsafeMutableRawPointer.allocate(byteCount: frames * FrameMemory.frameSize, alignment: 4096)
        base.initializeMemory(as: UInt8.self, repeating: 0, count: frames * FrameMemory.frameSize)
        memory = .allocate(capacity: 1)
        memory.initialize(to: FrameMemory(base: base, count: frames))
        loop = .allocate(capacity: 1)
        loop.initialize(
            to: ForwardingLoop(
                tables: WorkerTables(
                    flows: flows, flowDetails: flowDetails, flowSlots: UInt32(Self.slots), legs: legs,
                    legDetails: legDetails, legSlots: UInt32(Self.legCapacity), groups: groups,
                    groupSlots: UInt32(Self.slots), flowContexts: flowContexts, legContexts: legContexts,
                    legCounts: legCounts, legRefusals: legRefusals,
                    legCounters: UInt32(Self.legCapacity), ports: ports, reasons: reasons)))
    }

    deinit {
        loop.pointee.deallocate()
        loop.deallocate()
        memory.pointee.deallocate()
        memory.deallocate()
        base.deallocate()
        for table in [
            UnsafeMutableRawPointer(flows), UnsafeMutableRawPointer(flowDetails), UnsafeMutableRawPointer(legs),
            UnsafeMutableRawPointer(legDetails), UnsafeMutableRawPointer(groups), UnsafeMutableRawPointer(flowContexts),
            UnsafeMutableRawPointer(legContexts),
            UnsafeMutableRawPointer(legCounts),
            UnsafeMutableRawPointer(legRefusals), UnsafeMutableRawPointer(ports), UnsafeMutableRawPointer(reasons),
        ] { table.deallocate() }
    }

    /// Opens a socket at a port.
    @discardableResult
    package func open(
        port: UInt8, receives: Bool, sharesPayload: Bool = false, mtu: Int = 1500, fillLimit: Int = 1024
    ) -> SyntheticSocket {
        let socket = SyntheticSocket(
            port: port, number: UInt8(sockets.count + 1), memory: memory, base: base, receives: receives,
            sharesPayload: sharesPayload, longestFrame: mtu + 18, fillLimit: fillLimit)
        sockets.append(socket)
        loop.pointee.add(socket.channel, sends: true)
        return socket
    }

    /// Has flow 0 go to the given legs.
    package func setLegs(_ records: [(leg: crosspoint_leg, detail: crosspoint_leg_detail)], flow slot: Int = 0) {
        for (index, record) in records.enumerated() {
            legs[index] = record.leg
            legDetails[index] = record.detail
        }
        groups[0].first_leg = 0
        groups[0].leg_count = UInt32(records.count)
        let shape = records.count == 1 ? UInt64(CROSSPOINT_SHAPE_DIRECT) : UInt64(CROSSPOINT_SHAPE_FIRST)
        flows[slot].target = UInt64(records.count) << 48 | shape << 32
        flowDetails[slot].generation = 7
    }

    /// What ingress would write in front of a packet of flow 0.
    package func note(frame: UInt32, sequence: UInt32 = 0, slot: UInt32 = 0) -> crosspoint_metadata {
        crosspoint_metadata(
            group: slot, packet: UInt32(truncatingIfNeeded: flowDetails[Int(slot)].generation), sequence: sequence,
            frame: frame)
    }
}
