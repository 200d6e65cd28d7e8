// Reads statistics from the pins alone: with the daemon running, or dead.

import BPFPrograms
import CrosspointShim
import Glibc
import RTPWire

/// A reader of everything that the fast path counts, over maps that are pinned in bpffs.
///
/// Needs no daemon and, once open, no system call but the clock's. Counters are read while the fast path writes them:
/// each is right by itself, and two of them may be a packet apart.
public final class PinnedStatistics: Sendable {
    private let pins: PinDirectory
    /// The kernel's number of the node's record that was opened.
    private let generation: UInt32
    private let node: MappedArray<crosspoint_node>
    private let flows: MappedArray<crosspoint_flow>
    private let rtp: MappedArray<crosspoint_rtp>
    private let rtpDetails: MappedArray<crosspoint_rtp_detail>
    private let flowCounts: MappedArray<crosspoint_flow_count>
    private let flowLabels: MappedArray<crosspoint_flow_label>
    private let legCounts: MappedArray<crosspoint_leg_count>
    private let legRefusals: MappedArray<crosspoint_leg_count>
    private let legLabels: MappedArray<crosspoint_leg_label>
    private let lanes: MappedArray<crosspoint_lane>
    private let reasonCounts: MappedArray<crosspoint_reason_count>
    private let sockets: MappedArray<crosspoint_socket>
    /// Explanations of silent flows; nil where the tables are of another layout.
    private let watches: Descriptor?
    private let laneCount: Int
    /// The functions that take the records of now from tables of another layout.
    private let copies: [@Sendable () -> Void]
    /// The reasons that are counted, by their numbers.
    private let reasons: [(number: Int, name: String)]

    /// Opens the pins under `pins`; throws when nothing is pinned there. Tables of another layout are read as far as both have the
    /// same fields.
    ///
    /// Reads the generation of tables whose counters are whole: while another one is made beside it, that is the one or the other.
    public convenience init(pins: PinDirectory) throws(FastPathError) {
        while true {
            guard let generation = try Generation.readable(in: pins) else { throw Self.nothingPinned(pins) }
            do {
                try self.init(generation, pins: pins)
                return
            } catch {
                // Its tables may have gone while they were opened, and then there are others.
                let now = try Generation.readable(in: pins)
                guard now?.identifier != generation.identifier else { throw error }
            }
        }
    }

    private static func nothingPinned(_ pins: PinDirectory) -> FastPathError {
        FastPathError(
            .pinned,
            "\(pins.path): nothing is pinned there; start the daemon with 'crosspoint run', or name "
                + "the node's folder with --bpffs")
    }

    private init(_ generation: Generation, pins: PinDirectory) throws(FastPathError) {
        var other: (theirs: TableLayout, ours: TableLayout)?
        if !generation.isOwn {
            guard generation.version >= LayoutSix.version else {
                throw FastPathError(
                    .pinned,
                    "\(pins.path): maps of layout \(generation.version), this program reads layouts from "
                        + "\(LayoutSix.version) on; use the program of the running version")
            }
            let text = try LoadedObject.layoutText(of: .crosspoint, version: UInt32(CROSSPOINT_ABI_VERSION))
            guard let ours = TableLayout(text: text) else {
                throw FastPathError(.kernel, "the program's records are not described")
            }
            other = (try generation.layout(), ours)
        }
        var copies: [@Sendable () -> Void] = []
        func array<Record>(_ name: String, _ found: Descriptor? = nil) throws(FastPathError) -> MappedArray<Record> {
            var descriptor = found
            if descriptor == nil { descriptor = try generation.tables.open(.maps, name) }
            guard let descriptor else { throw Self.nothingPinned(pins) }
            guard let other else { return try MappedArray(descriptor, name: name, writable: false) }
            guard let translation = RecordTranslation(ofMap: name, from: other.theirs, to: other.ours) else {
                throw FastPathError(.pinned, "\(generation.tables.path): maps/\(name) is not described")
            }
            let copy = try MappedArray<Record>(copying: descriptor, name: name, by: translation)
            copies.append { copy.refresh() }
            return copy
        }
        self.pins = pins
        self.generation = generation.identifier
        node = try array("node", generation.node)
        flows = try array("flows")
        rtp = try array("rtp")
        rtpDetails = try array("rtp_details")
        flowCounts = try array("flow_counts")
        flowLabels = try array("flow_labels")
        legCounts = try array("leg_counts")
        legRefusals = try array("leg_refusals")
        legLabels = try array("leg_labels")
        lanes = try array("lanes")
        reasonCounts = try array("reason_counts")
        sockets = try array("sockets")
        watches = generation.isOwn ? try generation.tables.open(.maps, "watches") : nil
        laneCount = Int(node[0].pointee.lane_count)
        self.copies = copies
        reasons =
            other.map { other in
                other.theirs.reasons.sorted { $0.key < $1.key }.map { (number: $0.key, name: $0.value) }
            } ?? Self.ownReasons
    }

    private static let ownReasons = DropReason.all.map { (number: Int($0.number), name: $0.name) }

    /// True if the node runs other tables than those that were opened: then they have to be opened again.
    public var isOutdated: Bool {
        guard let now = try? Generation.readable(in: pins) else { return false }
        return now.identifier != generation
    }

    /// A reader of the same memory as the fast path's owner in this process: the kernel maps whole arrays at once, and
    /// mapping them twice would take the daemon's memory twice.
    init(sharing fastPath: FastPath) {
        pins = fastPath.pins
        generation = 0
        node = fastPath.node
        flows = fastPath.flowTable.slots
        rtp = fastPath.rtp
        rtpDetails = fastPath.rtpDetails
        flowCounts = fastPath.flowCounts
        flowLabels = fastPath.flowLabels
        legCounts = fastPath.legCounts
        legRefusals = fastPath.legRefusals
        legLabels = fastPath.legLabels
        lanes = fastPath.portTable.lanes
        reasonCounts = fastPath.reasonCounts
        sockets = fastPath.sockets
        watches = fastPath.watches.map
        laneCount = fastPath.lanes
        copies = []
        reasons = Self.ownReasons
    }

    /// Reads everything.
    public func snapshot() throws(FastPathError) -> StatisticsSnapshot {
        copies.forEach { $0() }
        let now = Self.clock(CLOCK_MONOTONIC)
        var legs: [UInt32: [LegStatistics]] = [:]
        for counter in 0..<legLabels.count where legLabels[counter].pointee.in_use != 0 {
            let label = legLabels[counter].pointee
            legs[label.flow, default: []].append(leg(counter, label))
        }
        var read: [FlowStatistics] = []
        for index in 0..<flowLabels.count where flowLabels[index].pointee.in_use != 0 {
            var flow = flow(index, legs: (legs[UInt32(index)] ?? []).sorted { $0.leg < $1.leg }, now: now)
            flow.sighting = sighting(of: flow, slot: Int(flowLabels[index].pointee.slot), now: now)
            read.append(flow)
        }
        let record = node[0].pointee
        return StatisticsSnapshot(
            node: FastPath.text(record.name), unixNanoseconds: Self.clock(CLOCK_REALTIME), monotonicNanoseconds: now,
            programVersion: FastPath.text(record.program_version), ports: try ports(),
            flows: read.sorted { ($0.route, $0.from) < ($1.route, $1.from) })
    }

    private static func clock(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private func leg(_ counter: Int, _ label: crosspoint_leg_label) -> LegStatistics {
        var sum = crosspoint_leg_count()
        var refused = crosspoint_leg_count()
        for lane in 0..<laneCount {
            let count = legCounts[lane * legLabels.count + counter].pointee
            let refusal = legRefusals[lane * legLabels.count + counter].pointee
            sum.packets &+= count.packets
            sum.bytes &+= count.bytes
            refused.packets &+= refusal.packets
            refused.bytes &+= refusal.bytes
        }
        // Refused copies were counted before the kernel refused them.
        return LegStatistics(
            leg: label.number, to: FastPath.text(label.to), packets: sum.packets &- refused.packets,
            bytes: sum.bytes &- refused.bytes, refusedPackets: refused.packets)
    }

    private func flow(_ index: Int, legs: [LegStatistics], now: UInt64) -> FlowStatistics {
        let label = flowLabels[index].pointee
        let record = rtp[index].pointee
        let detail = rtpDetails[index].pointee
        var sum = crosspoint_flow_count()
        for lane in 0..<laneCount {
            let count = flowCounts[lane * flowLabels.count + index].pointee
            sum.packets &+= count.packets
            sum.bytes &+= count.bytes
        }
        let slot = Int(label.slot) < flows.count ? flows[Int(label.slot)].pointee : crosspoint_flow()
        let flags = slot.flags
        let engine = engine(of: slot, label, now: now)
        let isAccounted = flags & CROSSPOINT_FLOW_ACCOUNT.rawValue != 0
        let last = record.last_arrival
        return FlowStatistics(
            route: FastPath.text(label.route), from: FastPath.text(label.from),
            payload: ["rtp", "rtcp", "raw"][Int(min(label.payload, 2))], engine: engine.name,
            engineReason: engine.reason,
            packets: sum.packets, bytes: sum.bytes,
            lastPacketAgeNanoseconds: sum.packets == 0 || last == 0 ? nil : now > last ? now - last : 0,
            rtp: isAccounted && record.state & UInt8(CROSSPOINT_RTP_STARTED.rawValue) != 0
                ? RTPStatistics(record, detail, clockRate: label.clock_rate) : nil,
            rtcpPackets: detail.rtcp_packets, wrongSourcePackets: detail.wrong_source,
            invalidPackets: detail.invalid, legs: legs)
    }

    /// The latest packet that was for a silent flow and came otherwise, of the last seconds.
    private func sighting(of flow: FlowStatistics, slot: Int, now: UInt64) -> FlowSighting? {
        let recent: UInt64 = 3_000_000_000
        guard let watches, slot < flows.count, flow.lastPacketAgeNanoseconds.map({ $0 >= 1_000_000_000 }) ?? true else {
            return nil
        }
        let record = flows[slot].pointee
        let sightings = WatchTable.sightings(
            IPAddress(words: record.destination), udpPort: UInt16(bigEndian: record.destination_port), in: watches)
        let age = { (sighting: crosspoint_sighting) in now > sighting.time ? now - sighting.time : 0 }
        guard let latest = sightings.filter({ $0.time != 0 && age($0) < recent }).max(by: { $0.time < $1.time }) else {
            return nil
        }
        let kind: FlowSighting.Kind
        switch crosspoint_sighting_kind(rawValue: latest.kind) {
        case CROSSPOINT_SIGHTED_TTL: kind = .ttlExpired
        case CROSSPOINT_SIGHTED_FRAGMENT: kind = .fragments
        case CROSSPOINT_SIGHTED_UDP_PORT: kind = .wrongUDPPort
        default: kind = latest.interface_index == record.interface_index ? .wrongVLAN : .wrongPort
        }
        let (outer, inner) = (UInt16(latest.vlans >> 16 & 0xfff), UInt16(latest.vlans & 0xfff))
        var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
        let port =
            if_indextoname(latest.interface_index, &name).map { String(cString: $0) } ?? "\(latest.interface_index)"
        return FlowSighting(
            kind: kind, packets: latest.packets, ageNanoseconds: age(latest),
            source: "\(IPAddress(words: latest.source))", port: port,
            vlans: outer == 0 ? [] : inner == 0 ? [outer] : [outer, inner],
            udpPort: kind == .fragments ? nil : UInt16(bigEndian: latest.udp_port))
    }

    /// The engine that carries a flow at this moment, and why.
    private func engine(
        of flow: crosspoint_flow, _ label: crosspoint_flow_label, now: UInt64
    ) -> (name: String, reason: String) {
        let reason = EngineReason(rawValue: label.engine_reason) ?? .ordinary
        guard flow.flags & CROSSPOINT_FLOW_AFXDP.rawValue != 0 else { return ("kernel", reason.text) }
        let first = Int(flow.port) * Int(CROSSPOINT_MAX_QUEUES)
        // Of a port with several queues all have a worker or none.
        let isServed = (first..<first + Int(CROSSPOINT_MAX_QUEUES)).contains { index in
            let heartbeat = crosspoint_read64(&sockets[index].pointee.heartbeat)
            return heartbeat != 0 && Int64(bitPattern: now &- heartbeat) <= Int64(CROSSPOINT_HEARTBEAT_LIMIT)
        }
        if isServed { return ("afxdp", reason.text) }
        if flow.flags & CROSSPOINT_FLOW_AFXDP_ONLY.rawValue != 0 { return ("none", EngineReason.noWorker.text) }
        return reason == .encryption
            ? ("partly", EngineReason.noWorkerForEncryption.text) : ("kernel", EngineReason.noWorker.text)
    }

    /// The AF_XDP sockets of a port, by queue.
    private func sockets(ofPort number: Int) -> [SocketStatistics] {
        (0..<Int(CROSSPOINT_MAX_QUEUES)).compactMap { queue in
            let record = sockets[number * Int(CROSSPOINT_MAX_QUEUES) + queue].pointee
            guard record.flags & CROSSPOINT_SOCKET_OPEN.rawValue != 0 else { return nil }
            var counters: [String: UInt64] = [:]
            withUnsafeBytes(of: record.counters) { bytes in
                let values = bytes.bindMemory(to: UInt64.self)
                for (index, name) in SocketStatistics.counterNames.enumerated() { counters[name] = values[index] }
            }
            return SocketStatistics(
                queue: queue, worker: Int(record.worker),
                mode: record.flags & CROSSPOINT_SOCKET_ZERO_COPY.rawValue != 0 ? "zero-copy" : "copy",
                isMultiBuffer: record.flags & CROSSPOINT_SOCKET_MULTI_BUFFER.rawValue != 0, counters: counters)
        }
    }

    private func ports() throws(FastPathError) -> [PortStatistics] {
        var ports: [PortStatistics] = []
        for name in pins.names(.links) {
            let parts = name.split(separator: "-", maxSplits: 2)
            guard parts.count == 3, parts[0] == "port", let number = Int(parts[1]) else { continue }
            let link = try pins.open(.links, name)
            let interface = link.map { $0.use(crosspoint_bpf_link_interface) } ?? 0
            ports.append(
                port(number, name: String(parts[2]), interfaceIndex: interface > 0 ? UInt32(interface) : 0))
        }
        return ports.sorted { $0.name < $1.name }
    }

    private func port(_ number: Int, name: String, interfaceIndex: UInt32) -> PortStatistics {
        var port = PortStatistics(
            name: name, interfaceIndex: interfaceIndex, receivedPackets: 0, forwardedPackets: 0, forwardedBytes: 0,
            requestedCopies: 0, transmittedCopies: 0, refusedCopies: 0, dropped: [:], passed: [:], undelivered: [:],
            sockets: sockets(ofPort: number))
        var counted = [UInt64](repeating: 0, count: Int(CROSSPOINT_REASON_SLOTS))
        // The kernel reports a bulk's missing frames together with those that the egress program itself dropped.
        var ownDrops: UInt64 = 0
        for lane in 0..<laneCount {
            let index = lane * Int(CROSSPOINT_MAX_PORTS) + number
            let count = withUnsafeBytes(of: lanes[lane].pointee.ports) {
                $0.load(
                    fromByteOffset: number * MemoryLayout<crosspoint_port_count>.stride, as: crosspoint_port_count.self)
            }
            port.forwardedPackets &+= count.forwarded_packets
            port.forwardedBytes &+= count.forwarded_bytes
            port.requestedCopies &+= count.requested_copies
            port.transmittedCopies &+= count.transmitted_copies
            port.refusedCopies &+= count.refused_copies
            ownDrops &+= count.dropped_copies
            withUnsafeBytes(of: reasonCounts[index].pointee.packets) { bytes in
                for (reason, packets) in bytes.bindMemory(to: UInt64.self).enumerated() { counted[reason] &+= packets }
            }
        }
        for reason in reasons where reason.number < counted.count {
            let packets = counted[reason.number]
            switch DropReason.outcome(of: reason.name) {
            case .passed: port.passed[reason.name] = packets
            case .dropped: port.dropped[reason.name] = packets
            case .undelivered: port.undelivered[reason.name] = packets
            }
        }
        port.refusedCopies = port.refusedCopies > ownDrops ? port.refusedCopies &- ownDrops : 0
        port.receivedPackets =
            port.forwardedPackets &+ port.passed.values.reduce(0, &+) &+ port.dropped.values.reduce(0, &+)
        return port
    }
}

extension RTPStatistics {
    init(_ record: crosspoint_rtp, _ detail: crosspoint_rtp_detail, clockRate: UInt32) {
        let expected = detail.expected_before &+ (record.highest &- detail.base &+ 1)
        let received = detail.received_before &+ record.received
        let jitter = record.jitter >> 4
        let hasClock = clockRate != 0
        self.init(
            ssrc: record.ssrc, payloadType: record.payload_type, expectedPackets: expected, receivedPackets: received,
            lostPackets: Int64(bitPattern: expected &- received), lossEvents: detail.loss_events,
            reorderedPackets: detail.reordered, duplicatePackets: detail.duplicates, latePackets: detail.late,
            ssrcChanges: detail.ssrc_changes, sourceChanges: detail.source_changes,
            sequenceResets: detail.sequence_resets, outages: detail.outages,
            largestGapPackets: detail.largest_gap_packets, largestGapNanoseconds: UInt64(record.largest_gap) << 10,
            // The fast path begins at 2^32 (bpf/rtp_stats.h); wraps are counted from 0.
            extendedHighestSequence: record.highest &- 1 << 32, clockRate: hasClock ? clockRate : nil,
            jitterNanoseconds: hasClock ? jitter : nil,
            jitterTimestampUnits: hasClock
                ? jitter.multipliedReportingOverflow(by: UInt64(clockRate)).partialValue / 1_000_000_000 : nil,
            largestJitterNanoseconds: hasClock ? UInt64(record.largest_jitter) : nil)
    }
}
