// The fast path as its one writer sees it: loaded, attached and pinned, or adopted from an earlier process.

public import BPFPrograms
import CLibBPF
import CrosspointShim
import Glibc
import RTPWire

/// The maps, programs and attachments of one node.
///
/// Everything is pinned in bpffs and continues when this object, and the process, are gone. One process at a time may
/// hold such an object; whoever opens next finds the pins and adopts them.
public final class FastPath {
    /// Sizes of the node's tables; fixed when the fast path is first made.
    public struct Limits: Hashable, Sendable {
        /// Flows at most.
        public var flows: Int
        /// Legs at most.
        public var legs: Int

        public init(flows: Int = 8192, legs: Int = 32_768) {
            self.flows = flows
            self.legs = legs
        }
    }

    /// The number of the tables' layout that this program makes (`CROSSPOINT_ABI_VERSION`).
    public static let layoutVersion = UInt32(CROSSPOINT_ABI_VERSION)

    /// The origin of the fast path.
    public enum Origin: Hashable, Sendable {
        /// Made now.
        case created
        /// Found running the same programs.
        case adopted
        /// Found running programs of the given version, which were replaced.
        case upgraded(from: String)
        /// Found running tables of another layout, which were carried over.
        case carriedOver(fromLayout: UInt32, programs: String)
    }

    public let origin: Origin
    /// The node's folder.
    public let pins: PinDirectory
    /// The folder of the tables, below it.
    let tables: PinDirectory
    /// The version of the programs.
    public let programVersion: String

    let node: MappedArray<crosspoint_node>
    let flowDetails: MappedArray<crosspoint_flow_detail>
    let rtp: MappedArray<crosspoint_rtp>
    let rtpDetails: MappedArray<crosspoint_rtp_detail>
    let flowCounts: MappedArray<crosspoint_flow_count>
    let flowLabels: MappedArray<crosspoint_flow_label>
    let legCounts: MappedArray<crosspoint_leg_count>
    let legRefusals: MappedArray<crosspoint_leg_count>
    let legLabels: MappedArray<crosspoint_leg_label>
    let reasonCounts: MappedArray<crosspoint_reason_count>
    let sockets: MappedArray<crosspoint_socket>
    let socketMap: Descriptor
    var watches: WatchTable
    /// Of the per-CPU arrays: one for each CPU, then one for each AF_XDP worker.
    let lanes: Int
    let ingress: Descriptor
    let egress: Descriptor
    var portTable: PortTable
    var flowTable: FlowTable
    var legStore: LegStore
    var flowIndices: BlockAllocator
    /// Counters of flows that were removed, before and after a grace period began.
    var retiredIndices: [Int] = []
    private var agingIndices: [Int] = []
    var legCounters: BlockAllocator
    /// By slot of the flow table.
    let flowContexts: ContextTable
    /// Contexts of flows that workers may still be using, before and after a grace period began.
    var retiredContexts: [WorkerContext] = []
    private var agingContexts: [WorkerContext] = []
    /// Guards and how many flows need them.
    var guards: [FlowTable.Key: Int] = [:]
    /// Keeps the programs loaded that are not pinned.
    private let loaded: LoadedObject?

    /// Opens what is pinned under `pins`, or makes it.
    ///
    /// - Parameters:
    ///   - name: The node's name, for whoever reads the pins.
    ///   - limits: Table sizes; without effect on what is pinned already.
    ///   - object: The programs.
    public convenience init(
        pins: PinDirectory, name: String, limits: Limits = Limits(), object: BPFObject = .crosspoint
    ) throws(FastPathError) {
        try self.init(pins: pins, name: name, limits: limits, object: object) { (_) throws(FastPathError) in }
    }

    /// The same; `reached` is called after each step of a handover from another layout, and may end it there.
    convenience init(
        pins: PinDirectory, name: String, limits: Limits = Limits(), object: BPFObject = .crosspoint,
        reached: @escaping (HandoverStep) throws(FastPathError) -> Void
    ) throws(FastPathError) {
        try pins.create([.maps, .links])
        guard let found = try Generation.committed(in: pins) else {
            guard pins.names(.links).allSatisfy({ !$0.hasPrefix("port-") }) else {
                throw FastPathError(
                    .pinned, "\(pins.path): attached ports, but no node record; run 'crosspoint unload' and start again"
                )
            }
            // Pins that an interrupted start left behind.
            pins.removePins()
            try pins.create([.maps, .links])
            try self.init(creating: pins, name: name, limits: limits, object: object)
            return
        }
        guard found.version >= LayoutSix.version else {
            throw FastPathError(
                .pinned,
                "\(pins.path): maps of layout \(found.version), this program carries over layouts from "
                    + "\(LayoutSix.version) on; keep the running version, or stop the media and run 'crosspoint unload' first"
            )
        }
        let record = try found.record(found.layout())
        guard record["network_namespace"] == crosspoint_network_namespace_cookie() else {
            throw FastPathError(
                .pinned,
                "\(pins.path): belongs to another network namespace; choose another 'bpffs' folder or node name")
        }
        let handover = Handover(pins: pins, reached: reached)
        var generation = found
        var carriedFrom: Origin?
        if !found.isOwn {
            try handover.make(object, version: UInt32(CROSSPOINT_ABI_VERSION), from: found)
            carriedFrom = .carriedOver(fromLayout: found.version, programs: record.text("program_version"))
            guard let made = try Generation.committed(in: pins), made.isOwn else {
                throw FastPathError(.pinned, "\(pins.path): another process writes there")
            }
            generation = made
        }
        try handover.finish(generation)
        try self.init(adopting: generation, pins: pins, object: object, origin: carriedFrom)
    }

    private init(
        creating pins: PinDirectory, name: String, limits: Limits, object: BPFObject
    ) throws(FastPathError) {
        let sizes = LoadedObject.Sizes(
            processors: Int(libbpf_num_possible_cpus()),
            workers: min(Int(libbpf_num_possible_cpus()), Int(CROSSPOINT_MAX_WORKERS)),
            flowSlots: Self.powerOfTwo(atLeast: max(limits.flows, 64) * 4), flows: max(limits.flows, 64),
            legSlots: max(Self.powerOfTwo(atLeast: limits.legs * 2), Int(CROSSPOINT_MAX_LEGS)),
            groupSlots: max(limits.flows, 64) + 1024,
            legCounters: max(Self.powerOfTwo(atLeast: limits.legs), 64))
        let loaded = try LoadedObject(object, sizes: sizes) { (_) throws(FastPathError) in nil }
        let tables = pins.ownGeneration
        try tables.create()
        self.loaded = loaded
        self.pins = pins
        self.tables = tables
        origin = .created
        programVersion = object.version
        lanes = sizes.lanes
        node = try MappedArray(loaded.map("node"), name: "node", writable: true)
        func array<Record>(_ name: String) throws(FastPathError) -> MappedArray<Record> {
            try MappedArray(loaded.map(name), name: name, writable: true)
        }
        flowDetails = try array("flow_details")
        rtp = try array("rtp")
        rtpDetails = try array("rtp_details")
        flowCounts = try array("flow_counts")
        flowLabels = try array("flow_labels")
        legCounts = try array("leg_counts")
        legRefusals = try array("leg_refusals")
        legLabels = try array("leg_labels")
        reasonCounts = try array("reason_counts")
        sockets = try array("sockets")
        socketMap = try loaded.map("socket_map")
        watches = WatchTable(map: try loaded.map("watches"))
        ingress = try loaded.program("ingress")
        egress = try loaded.program("egress")
        let transmit = try loaded.map("tx_ports")
        portTable = try PortTable(
            pins: pins, slots: array("ports"), transmit: transmit, lanes: array("lanes"))
        flowTable = FlowTable(slots: try array("flows"), details: flowDetails, lines: try array("flow_lines"))
        legStore = LegStore(
            legs: try array("legs"), details: try array("leg_details"), groups: try array("groups"),
            shapes: try ShapeTable(pins: tables, outer: loaded.map("shapes")) { _ in nil })
        flowContexts = ContextTable(count: flowTable.slots.count)
        flowIndices = BlockAllocator(capacity: sizes.flows, largest: 1)
        legCounters = BlockAllocator(capacity: sizes.legCounters, largest: 1)

        for map in loaded.mapNames where map != "node" {
            try tables.pin(try loaded.map(map), .maps, map)
        }
        try Self.pinPrograms(loaded, tables)
        try Generation.pinLayout(
            try LoadedObject.layoutText(of: object, version: UInt32(CROSSPOINT_ABI_VERSION)), in: tables)
        describe(name: name, sizes: sizes, transmit: transmit)
        try tables.pin(node.descriptor, .maps, "node")
        try pins.pin(node.descriptor, .maps, Generation.readablePin)
        // This one makes the pins complete.
        try pins.pin(node.descriptor, .maps, Generation.committedPin)
    }

    private init(
        adopting generation: Generation, pins: PinDirectory, object: BPFObject, origin carriedFrom: Origin?
    ) throws(FastPathError) {
        let node = try MappedArray<crosspoint_node>(generation.node, name: "node", writable: true)
        let tables = generation.tables
        let record = node[0].pointee
        let runningVersion = Self.text(record.program_version)
        let isSame = runningVersion == object.version && tables.exists(.programs, "egress")
        func descriptor(_ kind: PinDirectory.Kind, _ name: String) throws(FastPathError) -> Descriptor {
            guard let descriptor = try tables.open(kind, name) else {
                throw FastPathError(
                    .pinned,
                    "\(tables.path): \(kind.rawValue)/\(name) is missing; run 'crosspoint unload' and start again")
            }
            return descriptor
        }
        func array<Record>(_ name: String) throws(FastPathError) -> MappedArray<Record> {
            try MappedArray(descriptor(.maps, name), name: name, writable: true)
        }
        self.pins = pins
        self.tables = tables
        self.node = node
        lanes = Int(record.lane_count)
        programVersion = object.version
        flowDetails = try array("flow_details")
        rtp = try array("rtp")
        rtpDetails = try array("rtp_details")
        flowCounts = try array("flow_counts")
        flowLabels = try array("flow_labels")
        legCounts = try array("leg_counts")
        legRefusals = try array("leg_refusals")
        legLabels = try array("leg_labels")
        reasonCounts = try array("reason_counts")
        sockets = try array("sockets")
        socketMap = try descriptor(.maps, "socket_map")
        watches = WatchTable(map: try descriptor(.maps, "watches"))
        let transmit = try descriptor(.maps, "tx_ports")
        let ports = try PortTable(
            pins: pins, slots: array("ports"), transmit: transmit, lanes: array("lanes"))
        portTable = ports
        flowTable = FlowTable(slots: try array("flows"), details: flowDetails, lines: try array("flow_lines"))
        legStore = LegStore(
            legs: try array("legs"), details: try array("leg_details"), groups: try array("groups"),
            shapes: try ShapeTable(pins: tables, outer: descriptor(.maps, "shapes")) { ports.number(ofInterface: $0) })
        flowContexts = ContextTable(count: flowTable.slots.count)
        flowIndices = BlockAllocator(capacity: Int(record.flows), largest: 1)
        legCounters = BlockAllocator(capacity: Int(record.leg_counters), largest: 1)

        if isSame {
            loaded = nil
            origin = carriedFrom ?? .adopted
            ingress = try descriptor(.programs, "ingress")
            egress = try descriptor(.programs, "egress")
            adoptTables()
            return
        }
        let sizes = LoadedObject.Sizes(
            processors: Int(record.lane_count - record.worker_lanes), workers: Int(record.worker_lanes),
            flowSlots: Int(record.flow_slots), flows: Int(record.flows), legSlots: Int(record.leg_slots),
            groupSlots: Int(record.group_slots), legCounters: Int(record.leg_counters))
        let loaded = try LoadedObject(object, sizes: sizes) { (name) throws(FastPathError) in
            try tables.open(.maps, name)
        }
        self.loaded = loaded
        origin = .upgraded(from: runningVersion)
        ingress = try loaded.program("ingress")
        egress = try loaded.program("egress")
        adoptTables()
        for map in loaded.mapNames where !tables.exists(.maps, map) {
            try tables.pin(try loaded.map(map), .maps, map)
        }
        // Egress first: a frame of the old ingress program finds an egress program of the same ABI either way.
        try portTable.refresh(egress: egress)
        try legStore.refreshShapes(egress: egress, interface: portTable.interface(ofNumber:))
        try portTable.replaceProgram(by: ingress)
        node[0].pointee.ingress_program = ingress.use(crosspoint_bpf_program_id)
        try Self.pinPrograms(loaded, tables)
        Self.store(object.version, in: &node[0].pointee.program_version)
    }

    /// A reader of everything that this fast path counts.
    public func statistics() -> PinnedStatistics { PinnedStatistics(sharing: self) }

    private static func powerOfTwo(atLeast value: Int) -> Int {
        value <= 1 ? 1 : 1 << (Int.bitWidth - (value - 1).leadingZeroBitCount)
    }

    private static func pinPrograms(_ loaded: LoadedObject, _ tables: PinDirectory) throws(FastPathError) {
        for name in ["ingress", "egress"] + Handover.tracepoints {
            try tables.pin(try loaded.program(name), .programs, name)
        }
        // A tracepoint's link cannot be updated: the new one is pinned over the old one, which goes with its pin.
        for name in Handover.tracepoints {
            try tables.pin(try loaded.attachTracepoint(name), .links, name)
        }
    }

    private func describe(name: String, sizes: LoadedObject.Sizes, transmit: Descriptor) {
        var info = crosspoint_map_info()
        transmit.use { _ = crosspoint_bpf_map_info($0, &info) }
        var record = crosspoint_node()
        record.abi_version = UInt32(CROSSPOINT_ABI_VERSION)
        record.lane_count = UInt32(sizes.lanes)
        record.worker_lanes = UInt32(sizes.workers)
        record.flow_slots = UInt32(sizes.flowSlots)
        record.flows = UInt32(sizes.flows)
        record.leg_slots = UInt32(sizes.legSlots)
        record.group_slots = UInt32(sizes.groupSlots)
        record.leg_counters = UInt32(sizes.legCounters)
        record.network_namespace = crosspoint_network_namespace_cookie()
        record.tx_ports_map = info.id
        record.ingress_program = ingress.use(crosspoint_bpf_program_id)
        Self.store(name, in: &record.name)
        Self.store(programVersion, in: &record.program_version)
        record.created = UInt64(time(nil)) * 1_000_000_000
        node[0].pointee = record
    }

    /// Takes note of every set of legs and every leg counter that flows use.
    private func adoptTables() {
        for slot in 0..<flowTable.slots.count {
            let flow = flowTable.slots[slot].pointee
            guard FlowTable.isUsed(flow.kind) else { continue }
            if flow.kind == UInt8(CROSSPOINT_SLOT_GUARD.rawValue) {
                guards[flowTable.key(at: slot)] = 0
                continue
            }
            let target = FlowTarget(encoded: flow.target)
            if !legStore.adopt(target) { flowTable.slots[slot].pointee.target = FlowTarget.none.encoded }
            let detail = flowDetails[slot]
            if detail.pointee.rtcp_target != flow.target,
                !legStore.adopt(FlowTarget(encoded: detail.pointee.rtcp_target))
            {
                detail.pointee.rtcp_target = FlowTarget.none.encoded
            }
            _ = flowIndices.take(first: Int(flow.index), count: 1)
            let key = flowTable.key(at: slot)
            watches.add(key.destination, udpPort: key.udpPort)
        }
        for counter in 0..<legLabels.count where legLabels[counter].pointee.in_use != 0 {
            _ = legCounters.take(first: counter, count: 1)
        }
    }

    /// Waits until no packet uses what was removed, and makes it free: about 8 ms.
    public func waitForGracePeriod() {
        GracePeriod.wait()
        beginGracePeriod()
        endGracePeriod()
    }

    /// The first of three steps by which many removals share one wait that holds nobody up: take note of what was
    /// removed so far; wait with `GracePeriod.elapsed()`; make it free.
    public func beginGracePeriod() {
        agingContexts += retiredContexts
        retiredContexts.removeAll(keepingCapacity: true)
        agingIndices += retiredIndices
        retiredIndices.removeAll(keepingCapacity: true)
        flowTable.beginGracePeriod()
        legStore.beginGracePeriod()
    }

    /// The third of the steps.
    public func endGracePeriod() {
        agingContexts.removeAll(keepingCapacity: true)
        for index in agingIndices { flowIndices.release(first: index, count: 1) }
        agingIndices.removeAll(keepingCapacity: true)
        flowTable.endGracePeriod()
        legStore.endGracePeriod()
    }

    /// Stores text in a fixed array of characters, cut at a character's end if need be, with a zero behind it.
    static func store<Characters>(_ text: String, in characters: inout Characters) {
        withUnsafeMutableBytes(of: &characters) { bytes in
            var utf8 = Array(text.utf8.prefix(bytes.count - 1))
            while String(validating: utf8, as: UTF8.self) == nil { utf8.removeLast() }
            bytes.initializeMemory(as: UInt8.self, repeating: 0)
            bytes.copyBytes(from: utf8)
        }
    }

    /// Reads text from a fixed array of characters.
    static func text<Characters>(_ characters: Characters) -> String {
        withUnsafeBytes(of: characters) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
