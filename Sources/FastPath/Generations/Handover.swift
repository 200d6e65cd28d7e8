// From the tables of one layout to those of another, while packets flow.

import BPFPrograms
import CLibBPF
import CrosspointShim
import Glibc

/// A step of a handover. A process that ends at any of them leaves the old generation running or the new one.
enum HandoverStep: Hashable, Sendable, CaseIterable {
    /// The new tables have what the old ones have; nobody knows of them.
    case translated
    /// Everything of the new generation is pinned; nobody runs it.
    case pinned
    /// The new generation is in force: whoever starts now finishes the handover.
    case committed
    /// The first port's link has its new program, others have their old one.
    case firstLink
    /// Every link has its new program.
    case links
    /// The last counts of the old programs are in the new tables.
    case counters
    /// Statistics are read from the new tables.
    case readers
}

/// Makes a generation of tables beside one of another layout, and has the ports run it.
///
/// 1. New tables are filled from the old ones, record by record, by the names of fields (`TableLayout`): what is installed goes
///    on, known to the journal or not, under the same slots, legs and groups. Tables that packets write are not copied but
///    shared, as long as their records are the same.
/// 2. One rename in bpffs puts the new generation in force.
/// 3. Each port's link gets its new program: each packet is the old programs' or the new ones'.
/// 4. When no packet can be under way in the old programs, counters that are not shared are carried over, statistics are
///    read from the new tables, and the old ones are removed.
///
/// Until step 2 the old generation is as it was; from then on every start continues with step 3, which may be done twice.
///
/// A burst that began in the old program may end in the new one, and the kernel gives all its copies the egress program of the
/// first: the old egress program has to understand notes of the new ingress program (`struct crosspoint_note`), and finds
/// the same groups and legs in its own tables. A layout that changes the note must end bursts before step 3.
struct Handover {
    /// The node's folder.
    let pins: PinDirectory
    /// Called after each step; a test ends the process there.
    var reached: (HandoverStep) throws(FastPathError) -> Void = { (_) throws(FastPathError) in }

    static let tracepoints = ["on_devmap_transmit", "on_redirect_error"]

    // MARK: Making the new generation

    /// The new generation as it is before anything of it is pinned.
    private struct Prepared {
        var loaded: LoadedObject
        var shapes: [(name: String, devmap: Descriptor)]
        var node: Descriptor
        /// Its layout.
        var text: String
    }

    /// Makes the generation of `object` from the one in force, and puts it in force. `finish` does the rest. Where that fails, nothing
    /// of it stays, and the old generation is as it was.
    func make(_ object: BPFObject, version: UInt32, from old: Generation) throws(FastPathError) {
        let tables = pins.generation(version)
        // Tables that an interrupted attempt left are nobody's.
        tables.removeAll()
        var prepared: Prepared
        do { prepared = try prepare(object, version: version, from: old) } catch {
            tables.removeAll()
            throw error
        }
        try reached(.translated)
        do {
            try pin(prepared, in: tables)
            if !pins.exists(.maps, Generation.readablePin) { try pins.pin(old.node, .maps, Generation.readablePin) }
        } catch {
            tables.removeAll()
            throw error
        }
        try reached(.pinned)
        try pins.pin(prepared.node, .maps, Generation.committedPin)
        try reached(.committed)
    }

    private func prepare(
        _ object: BPFObject, version: UInt32, from old: Generation
    ) throws(FastPathError) -> Prepared {
        let oldLayout = try old.layout()
        let text = try LoadedObject.layoutText(of: object, version: version)
        guard let layout = TableLayout(text: text), let nodeLayout = layout.record(ofMap: "node"),
            let nodeTranslation = RecordTranslation(ofMap: "node", from: oldLayout, to: layout)
        else { throw FastPathError(.kernel, "program \(object.name): its records are not described") }
        let oldRecord = try old.record(oldLayout)
        let sizes = LoadedObject.Sizes(oldRecord)
        guard sizes.areUsable else {
            throw FastPathError(
                .pinned,
                "\(old.tables.path): maps of layout \(old.version) do not say how large they are; keep the running version, or "
                    + "stop the media and run 'crosspoint unload' first")
        }
        let copy = TableCopy(old: old, oldLayout: oldLayout, layout: layout)
        let shared = try copy.sharedTables(sizes)
        let loaded = try LoadedObject(object, sizes: sizes) { (name) throws(FastPathError) in
            shared.contains(name) ? try old.tables.open(.maps, name) : nil
        }
        for name in layout.maps.keys.sorted() where name != "node" && !shared.contains(name) {
            try copy.translate(name, to: loaded)
        }
        let egress = try loaded.program("egress")
        let shapes = try copy.shapes(to: loaded, egress: egress)
        let transmit = try copy.ports(to: loaded, egress: egress)
        var record = KernelRecord(translating: oldRecord, by: nodeTranslation, layout: nodeLayout)
        var info = crosspoint_map_info()
        transmit.use { _ = crosspoint_bpf_map_info($0, &info) }
        record["abi_version"] = UInt64(version)
        record["tx_ports_map"] = UInt64(info.id)
        record["ingress_program"] = UInt64(try loaded.program("ingress").use(crosspoint_bpf_program_id))
        record.setText("program_version", object.version)
        let node = try loaded.map("node")
        try record.write(to: node, name: "node")
        if version == UInt32(CROSSPOINT_ABI_VERSION) { try completeFlowTable(loaded) }
        return Prepared(loaded: loaded, shapes: shapes, node: node, text: text)
    }

    /// Leads to every slot, also where the old table's entries had another form.
    private func completeFlowTable(_ loaded: LoadedObject) throws(FastPathError) {
        func array<Record>(_ name: String) throws(FastPathError) -> MappedArray<Record> {
            try MappedArray(loaded.map(name), name: name, writable: true)
        }
        _ = FlowTable(slots: try array("flows"), details: try array("flow_details"), lines: try array("flow_lines"))
    }

    private func pin(_ prepared: Prepared, in tables: PinDirectory) throws(FastPathError) {
        let loaded = prepared.loaded
        try tables.create()
        for name in loaded.mapNames where name != "node" { try tables.pin(try loaded.map(name), .maps, name) }
        for shape in prepared.shapes { try tables.pin(shape.devmap, .shapes, shape.name) }
        for name in ["ingress", "egress"] + Self.tracepoints {
            try tables.pin(try loaded.program(name), .programs, name)
        }
        try Generation.pinLayout(prepared.text, in: tables)
        try tables.pin(prepared.node, .maps, "node")
    }

    // MARK: Having the ports run it

    /// Has every port run the generation that is in force, and removes all others. Does nothing where that is so already.
    func finish(_ new: Generation) throws(FastPathError) {
        let readable = try Generation.readable(in: pins)
        // If statistics are not read from the new tables yet, those that they are read from are its predecessor's.
        let old = readable.flatMap { $0.identifier == new.identifier ? nil : $0 }
        try attach("on_redirect_error", of: new.tables)
        let hasSwitched = try switchLinks(to: new)
        if hasSwitched { try reached(.links) }
        // It counts what any program's copies meet with: two of them would count that twice.
        try attach("on_devmap_transmit", of: new.tables)
        old?.tables.unpin(.links, "on_devmap_transmit")
        if hasSwitched || old != nil { GracePeriod.wait() }
        if let old {
            let copy = TableCopy(old: old, oldLayout: try old.layout(), layout: try new.layout())
            try copy.carryCounters(to: new)
            try reached(.counters)
        }
        if old != nil || !pins.exists(.maps, Generation.readablePin) {
            try pins.pin(new.node, .maps, Generation.readablePin)
            try reached(.readers)
        }
        pins.removeTables()
        for version in pins.generations where version != new.version { pins.generation(version).removeAll() }
    }

    /// Attaches a generation's tracepoint program, if it is not.
    private func attach(_ tracepoint: String, of tables: PinDirectory) throws(FastPathError) {
        guard !tables.exists(.links, tracepoint) else { return }
        guard let program = try tables.open(.programs, tracepoint) else {
            throw FastPathError(
                .pinned,
                "\(tables.path): programs/\(tracepoint) is missing; run 'crosspoint unload' and start again")
        }
        try tables.pin(try LoadedObject.attachTracepoint(program, name: tracepoint), .links, tracepoint)
    }

    /// True if a link had to be switched.
    private func switchLinks(to new: Generation) throws(FastPathError) -> Bool {
        guard let ingress = try new.tables.open(.programs, "ingress") else {
            throw FastPathError(
                .pinned,
                "\(new.tables.path): programs/ingress is missing; run 'crosspoint unload' and start again")
        }
        let wanted = ingress.use(crosspoint_bpf_program_id)
        var hasSwitched = false
        for name in pins.names(.links) where name.hasPrefix("port-") {
            guard let link = try pins.open(.links, name), link.use(crosspoint_bpf_link_interface) > 0,
                link.use(crosspoint_bpf_link_program) != wanted
            else { continue }
            let result = link.use { link in ingress.use { crosspoint_bpf_replace_program(link, $0) } }
            // The interface may have gone just now, and its link holds nothing any more.
            guard result == 0 || link.use(crosspoint_bpf_link_interface) <= 0 else {
                throw FastPathError(.kernel, "\(name): the program cannot be replaced: \(errorText(result))")
            }
            if !hasSwitched { try reached(.firstLink) }
            hasSwitched = true
        }
        return hasSwitched
    }
}

extension LoadedObject.Sizes {
    /// The sizes that a node's record contains.
    init(_ record: KernelRecord) {
        self.init(
            processors: Int(record["lane_count"]) - Int(record["worker_lanes"]), workers: Int(record["worker_lanes"]),
            flowSlots: Int(record["flow_slots"]), flows: Int(record["flows"]), legSlots: Int(record["leg_slots"]),
            groupSlots: Int(record["group_slots"]), legCounters: Int(record["leg_counters"]))
    }

    /// True if tables can be made of these sizes.
    var areUsable: Bool {
        flowSlots.nonzeroBitCount == 1 && processors > 0 && workers > 0 && flows > 0 && legSlots > 0 && groupSlots > 0
            && legCounters > 0 && legSlots % Int(CROSSPOINT_MAX_LEGS) == 0
    }
}
