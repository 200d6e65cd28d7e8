// Parts of the fast path's maps that an AF_XDP worker reads and writes.

import CLibBPF
package import CrosspointShim
import Glibc

/// The tables of one AF_XDP worker: plain memory, shared with the kernel's programs.
///
/// Pointers are valid as long as the fast path that gave them. Flows, legs and groups are only read, within a
/// pass of a `TableReader`; counters are those of the worker's own lane.
package struct WorkerTables {
    package let flows: UnsafePointer<crosspoint_flow>
    package let flowDetails: UnsafePointer<crosspoint_flow_detail>
    package let flowSlots: UInt32
    package let legs: UnsafePointer<crosspoint_leg>
    package let legDetails: UnsafePointer<crosspoint_leg_detail>
    package let legSlots: UInt32
    package let groups: UnsafePointer<crosspoint_group>
    package let groupSlots: UInt32
    /// The contexts that this process has for flows, by slot, and for legs, by index.
    package let flowContexts: UnsafePointer<UnsafeMutableRawPointer?>
    package let legContexts: UnsafePointer<UnsafeMutableRawPointer?>
    /// Index: a leg's counter.
    package let legCounts: UnsafeMutablePointer<crosspoint_leg_count>
    package let legRefusals: UnsafeMutablePointer<crosspoint_leg_count>
    package let legCounters: UInt32
    /// Index: port.
    package let ports: UnsafeMutablePointer<crosspoint_port_count>
    package let reasons: UnsafeMutablePointer<crosspoint_reason_count>

    package init(
        flows: UnsafePointer<crosspoint_flow>, flowDetails: UnsafePointer<crosspoint_flow_detail>, flowSlots: UInt32,
        legs: UnsafePointer<crosspoint_leg>, legDetails: UnsafePointer<crosspoint_leg_detail>, legSlots: UInt32,
        groups: UnsafePointer<crosspoint_group>, groupSlots: UInt32,
        flowContexts: UnsafePointer<UnsafeMutableRawPointer?>, legContexts: UnsafePointer<UnsafeMutableRawPointer?>,
        legCounts: UnsafeMutablePointer<crosspoint_leg_count>,
        legRefusals: UnsafeMutablePointer<crosspoint_leg_count>, legCounters: UInt32,
        ports: UnsafeMutablePointer<crosspoint_port_count>, reasons: UnsafeMutablePointer<crosspoint_reason_count>
    ) {
        self.flows = flows
        self.flowDetails = flowDetails
        self.flowSlots = flowSlots
        self.legs = legs
        self.legDetails = legDetails
        self.legSlots = legSlots
        self.groups = groups
        self.groupSlots = groupSlots
        self.flowContexts = flowContexts
        self.legContexts = legContexts
        self.legCounts = legCounts
        self.legRefusals = legRefusals
        self.legCounters = legCounters
        self.ports = ports
        self.reasons = reasons
    }
}

extension FastPath {
    /// The number of AF_XDP workers that there can be.
    package var workerLimit: Int { Int(node[0].pointee.worker_lanes) }

    /// The tables of a worker, 0 to `workerLimit` - 1.
    package func tables(ofWorker worker: Int) -> WorkerTables {
        precondition(worker >= 0 && worker < workerLimit, "worker \(worker) of \(workerLimit)")
        let lane = lanes - workerLimit + worker
        let ports = UnsafeMutableRawPointer(portTable.lanes[lane])
            .assumingMemoryBound(to: crosspoint_port_count.self)
        return WorkerTables(
            flows: UnsafePointer(flowTable.slots[0]), flowDetails: UnsafePointer(flowDetails[0]),
            flowSlots: UInt32(flowTable.slots.count), legs: legStore.firstLeg, legDetails: legStore.firstDetail,
            legSlots: UInt32(legStore.legCapacity), groups: legStore.firstGroup,
            groupSlots: UInt32(legStore.groupCapacity), flowContexts: UnsafePointer(flowContexts.first),
            legContexts: legStore.firstContext, legCounts: legCounts[lane * legLabels.count],
            legRefusals: legRefusals[lane * legLabels.count], legCounters: UInt32(legLabels.count), ports: ports,
            reasons: reasonCounts[lane * Int(CROSSPOINT_MAX_PORTS)])
    }

    /// The record of the AF_XDP socket at a port's queue.
    package func socketRecord(port: UInt16, queue: Int) -> UnsafeMutablePointer<crosspoint_socket> {
        sockets[Int(port) * Int(CROSSPOINT_MAX_QUEUES) + queue]
    }

    /// From now on a queue's packets of AF_XDP flows can go to a socket: its worker begins with its heartbeat.
    package func enterSocket(_ descriptor: CInt, port: UInt16, queue: Int) -> CInt {
        var key = UInt32(Int(port) * Int(CROSSPOINT_MAX_QUEUES) + queue)
        var value = descriptor
        return socketMap.use { bpf_map_update_elem($0, &key, &value, UInt64(BPF_ANY)) } == 0 ? 0 : errno
    }

    /// No packet that comes from now on goes to the queue's socket.
    package func removeSocket(port: UInt16, queue: Int) {
        var key = UInt32(Int(port) * Int(CROSSPOINT_MAX_QUEUES) + queue)
        _ = socketMap.use { bpf_map_delete_elem($0, &key) }
    }
}
