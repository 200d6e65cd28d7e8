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
    /// What the old programs counted last is in the new tables.
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
/// Until step 2 the old generation is as it was; from then on every start goes on with step 3, which may be done twice.
///
/// A burst that began in the old program may end in the new one, and the kernel gives all its copies the egress program of the
/// first: the old egress program has to understand notes of the new ingress program (`struct crosspoint_note`), and finds
/// the same groups and legs in its own tables. A layout that changes the note must end bursts before step 3.
struct Handover {
    /// The node's folder.
    let pins: PinDirectory
    /// Called after each step; a test ends the process there.
    var reached: (HandoverStep) throws(FastPathError) -> Void = { (_) throws(FastPathError) in }

    /// Arrays that packets write.
    private static let counted = [
        "rtp", "rtp_details", "flow_counts", "leg_counts", "leg_refusals", "lanes", "reason_counts",
    ]
    /// Those of them that have a part for each lane.
    private static let summed = ["flow_counts", "lanes", "leg_counts", "leg_refusals", "reason_counts"]
    static let tracepoints = ["on_devmap_transmit", "on_redirect_error"]

    // MARK: Making the new generation

    /// Makes the generation of `object` from the one in force, and puts it in force. `finish` does the rest.
    func make(_ object: BPFObject, version: UInt32, from old: Generation) throws(FastPathError) {
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
        let shared = try sharedTables(of: old, oldLayout, layout, sizes)
        // What an interrupted attempt left is nobody's.
        let tables = pins.generation(version)
        tables.removeAll()
        try tables.create()
        let loaded = try LoadedObject(object, sizes: sizes) { (name) throws(FastPathError) in
            shared.contains(name) ? try old.tables.open(.maps, name) : nil
        }
        for name in layout.maps.keys.sorted() where name != "node" && !shared.contains(name) {
            try translate(name, from: old, oldLayout, to: loaded, layout, sizes)
        }
        let egress = try loaded.program("egress")
        let shapes = try copyShapes(of: old, to: loaded, tables: tables, egress: egress)
        let transmit = try copyPorts(of: old, to: loaded, egress: egress)
        var record = KernelRecord(translating: oldRecord, by: nodeTranslation, layout: nodeLayout)
        var info = crosspoint_map_info()
        transmit.use { _ = crosspoint_bpf_map_info($0, &info) }
        record["abi_version"] = UInt64(version)
        record["tx_ports_map"] = UInt64(info.id)
        record["ingress_program"] = UInt64(try loaded.program("ingress").use(crosspoint_bpf_program_id))
        record.setText("program_version", object.version)
        let node = try loaded.map("node")
        try record.write(to: node, name: "node")
        if version == UInt32(CROSSPOINT_ABI_VERSION) { try Self.completeFlowTable(loaded) }
        try reached(.translated)

        for name in loaded.mapNames where name != "node" { try tables.pin(try loaded.map(name), .maps, name) }
        for (number, devmap) in shapes { try tables.pin(devmap, .shapes, number) }
        for name in ["ingress", "egress"] + Self.tracepoints {
            try tables.pin(try loaded.program(name), .programs, name)
        }
        try Generation.pinLayout(text, in: tables)
        try tables.pin(node, .maps, "node")
        if !pins.exists(.maps, Generation.readablePin) { try pins.pin(old.node, .maps, Generation.readablePin) }
        try reached(.pinned)
        try pins.pin(node, .maps, Generation.committedPin)
        try reached(.committed)
    }

    /// The tables that both generations write to: not a packet is missing in them, and none is there twice.
    private func sharedTables(
        of old: Generation, _ oldLayout: TableLayout, _ layout: TableLayout, _ sizes: LoadedObject.Sizes
    ) throws(FastPathError) -> Set<String> {
        var shared: Set<String> = []
        for name in Self.counted {
            guard layout.hasSameRecord(name, as: oldLayout), let map = try old.tables.open(.maps, name) else {
                continue
            }
            var info = crosspoint_map_info()
            map.use { _ = crosspoint_bpf_map_info($0, &info) }
            if sizes.entries(ofMap: name) == Int(info.max_entries) { shared.insert(name) }
        }
        if !layout.hasSameReasons(as: oldLayout) { shared.remove("reason_counts") }
        // Two halves of one record.
        if !shared.isSuperset(of: ["rtp", "rtp_details"]) { shared.subtract(["rtp", "rtp_details"]) }
        return shared
    }

    /// Fills a new table. Counters of lanes begin at 0, and get what the old ones have when it is the last (`carryCounters`).
    private func translate(
        _ name: String, from old: Generation, _ oldLayout: TableLayout, to loaded: LoadedObject, _ layout: TableLayout,
        _ sizes: LoadedObject.Sizes
    ) throws(FastPathError) {
        // Workers end with their process, and their sockets.
        guard name != "sockets", let translation = RecordTranslation(ofMap: name, from: oldLayout, to: layout),
            let map = try old.tables.open(.maps, name)
        else { return }
        let source = try RawTable(map, name: name, size: translation.fromSize)
        let target = try RawTable(try loaded.map(name), name: name, size: translation.toSize)
        target.copy(from: source, by: translation)
        if Self.summed.contains(name) {
            for index in 0..<target.count {
                for offset in layout.sums(ofMap: name) {
                    target[index].storeBytes(of: 0, toByteOffset: offset, as: UInt64.self)
                }
            }
        }
        // A number that the old program's last broadcast has would be taken for that one's.
        if name == "lanes", let packet = layout.record(ofMap: name)?.field("packet"), packet.size == 4 {
            for index in 0..<target.count {
                let number = target[index].load(fromByteOffset: packet.offset, as: UInt32.self)
                target[index].storeBytes(of: number ^ 1 << 31, toByteOffset: packet.offset, as: UInt32.self)
            }
        }
        if name == "rtp" || name == "rtp_details" { try restartAccounting(of: old, oldLayout, loaded, layout) }
    }

    /// Has RTP begin to be counted from its next packet on, with what was expected and received so far: packets that pass
    /// between the copy and the new program's first one would look lost. Called when either table is filled.
    private func restartAccounting(
        of old: Generation, _ oldLayout: TableLayout, _ loaded: LoadedObject, _ layout: TableLayout
    ) throws(FastPathError) {
        guard let rtp = layout.record(ofMap: "rtp"), let detail = layout.record(ofMap: "rtp_details"),
            let oldRTP = oldLayout.record(ofMap: "rtp"), let oldDetail = oldLayout.record(ofMap: "rtp_details"),
            let highest = oldRTP.field("highest"), let received = oldRTP.field("received"),
            let oldState = oldRTP.field("state"), let oldBase = oldDetail.field("base"),
            let oldExpected = oldDetail.field("expected_before"), let oldReceived = oldDetail.field("received_before"),
            let state = rtp.field("state"), let newHighest = rtp.field("highest"),
            let newReceived = rtp.field("received"),
            let base = detail.field("base"), let expectedBefore = detail.field("expected_before"),
            let receivedBefore = detail.field("received_before"),
            let oldRecords = try old.tables.open(.maps, "rtp"),
            let oldDetails = try old.tables.open(.maps, "rtp_details")
        else { return }
        let source = try RawTable(oldRecords, name: "rtp", size: oldRTP.size)
        let sourceDetail = try RawTable(oldDetails, name: "rtp_details", size: oldDetail.size)
        let target = try RawTable(try loaded.map("rtp"), name: "rtp", size: rtp.size)
        let targetDetail = try RawTable(try loaded.map("rtp_details"), name: "rtp_details", size: detail.size)
        for index in 0..<min(min(source.count, sourceDetail.count), min(target.count, targetDetail.count)) {
            let from = UnsafeRawPointer(source[index])
            let fromDetail = UnsafeRawPointer(sourceDetail[index])
            guard from.load(fromByteOffset: oldState.offset, as: UInt8.self) != 0 else { continue }
            func number(_ pointer: UnsafeRawPointer, _ field: TableLayout.Field) -> UInt64 {
                pointer.loadUnaligned(fromByteOffset: field.offset, as: UInt64.self)
            }
            // Between two packets: both numbers belong to the same one.
            var progress = (highest: number(from, highest), received: number(from, received))
            for _ in 0..<1000 {
                let again = (highest: number(from, highest), received: number(from, received))
                if again == progress { break }
                progress = again
            }
            let expected =
                number(fromDetail, oldExpected) &+ progress.highest &- number(fromDetail, oldBase) &+ 1
            // As after a first packet, on probation: the next in order is counted on, any other begins.
            target[index].storeBytes(
                of: UInt8(CROSSPOINT_RTP_STARTED.rawValue), toByteOffset: state.offset, as: UInt8.self)
            target[index].storeBytes(of: progress.highest, toByteOffset: newHighest.offset, as: UInt64.self)
            target[index].storeBytes(of: 0, toByteOffset: newReceived.offset, as: UInt64.self)
            targetDetail[index].storeBytes(of: progress.highest &+ 1, toByteOffset: base.offset, as: UInt64.self)
            targetDetail[index].storeBytes(of: expected, toByteOffset: expectedBefore.offset, as: UInt64.self)
            targetDetail[index].storeBytes(
                of: number(fromDetail, oldReceived) &+ progress.received, toByteOffset: receivedBefore.offset,
                as: UInt64.self)
        }
    }

    /// Broadcast devmaps of the same interfaces, with the new egress program, under the same numbers.
    private func copyShapes(
        of old: Generation, to loaded: LoadedObject, tables: PinDirectory, egress: Descriptor
    ) throws(FastPathError) -> [(String, Descriptor)] {
        let outer = try loaded.map("shapes")
        var copies: [(String, Descriptor)] = []
        for name in old.tables.names(.shapes) {
            guard let number = UInt32(name), let devmap = try old.tables.open(.shapes, name) else { continue }
            var info = crosspoint_map_info()
            devmap.use { _ = crosspoint_bpf_map_info($0, &info) }
            let map = crosspoint_bpf_create_devmap("cp_shape", info.max_entries)
            guard map >= 0 else {
                throw FastPathError(.kernel, "devmap of \(info.max_entries) legs: cannot be made: \(errorText(errno))")
            }
            let copy = Descriptor(owning: map)
            for key in 0..<info.max_entries {
                let interface = devmap.use { crosspoint_bpf_devmap_interface($0, key) }
                if interface != 0 { try Self.enter(interface, at: key, of: copy, egress) }
            }
            let error = InnerMap(copy).enter(outer, at: number)
            guard error == 0 else {
                throw FastPathError(
                    .kernel, "devmap of \(info.max_entries) legs: cannot be installed: \(errorText(error))")
            }
            copies.append((name, copy))
        }
        return copies
    }

    /// The devmap of ports, with the egress program where the old one has it.
    private func copyPorts(
        of old: Generation, to loaded: LoadedObject, egress: Descriptor
    ) throws(FastPathError) -> Descriptor {
        let transmit = try loaded.map("tx_ports")
        guard let devmap = try old.tables.open(.maps, "tx_ports") else { return transmit }
        for key in 0..<UInt32(CROSSPOINT_MAX_PORTS) {
            let interface = devmap.use { crosspoint_bpf_devmap_interface($0, key) }
            guard interface != 0 else { continue }
            let hasProgram = devmap.use { crosspoint_bpf_devmap_program($0, key) } != 0
            try Self.enter(interface, at: key, of: transmit, hasProgram ? egress : nil)
        }
        return transmit
    }

    private static func enter(
        _ interface: UInt32, at key: UInt32, of devmap: Descriptor, _ egress: Descriptor?
    ) throws(FastPathError) {
        let result = devmap.use { map in
            guard let egress else { return crosspoint_bpf_set_devmap_entry(map, key, interface, -1) }
            return egress.use { crosspoint_bpf_set_devmap_entry(map, key, interface, $0) }
        }
        // An interface that has just gone has no entry: the kernel passes over it as over one that is down.
        guard result == 0 || errno == ENODEV || errno == EINVAL else {
            throw FastPathError(.kernel, "interface \(interface): cannot be entered in a devmap: \(errorText(errno))")
        }
    }

    /// Leads to every slot, also where the old table's entries had another form.
    private static func completeFlowTable(_ loaded: LoadedObject) throws(FastPathError) {
        func array<Record>(_ name: String) throws(FastPathError) -> MappedArray<Record> {
            try MappedArray(loaded.map(name), name: name, writable: true)
        }
        _ = FlowTable(slots: try array("flows"), details: try array("flow_details"), lines: try array("flow_lines"))
    }

    // MARK: Having the ports run it

    /// Has every port run the generation that is in force, and removes all others. Does nothing where that is so already.
    func finish(_ new: Generation) throws(FastPathError) {
        let readable = try Generation.readable(in: pins)
        // Where statistics are not read from the new tables yet, those that they are read from are its predecessor's.
        let old = readable.flatMap { $0.identifier == new.identifier ? nil : $0 }
        try attach("on_redirect_error", of: new.tables)
        let hasSwitched = try switchLinks(to: new)
        if hasSwitched { try reached(.links) }
        // It counts what any program's copies meet with: two of them would count that twice.
        try attach("on_devmap_transmit", of: new.tables)
        old?.tables.unpin(.links, "on_devmap_transmit")
        if hasSwitched || old != nil { GracePeriod.wait() }
        if let old {
            try carryCounters(from: old, to: new)
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
                .pinned, "\(tables.path): programs/\(tracepoint) is missing; run 'crosspoint unload' and start anew")
        }
        try tables.pin(try LoadedObject.attachTracepoint(program, name: tracepoint), .links, tracepoint)
    }

    /// Whether a link had to be switched.
    private func switchLinks(to new: Generation) throws(FastPathError) -> Bool {
        guard let ingress = try new.tables.open(.programs, "ingress") else {
            throw FastPathError(
                .pinned, "\(new.tables.path): programs/ingress is missing; run 'crosspoint unload' and start anew")
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

    /// Puts the sums of all lanes of tables that are not shared into a lane that nobody writes yet: the first worker's. Sums are
    /// set, not added, so that it may be done again; no packet is under way in the old programs.
    private func carryCounters(from old: Generation, to new: Generation) throws(FastPathError) {
        let oldLayout = try old.layout()
        let layout = try new.layout()
        let oldRecord = try old.record(oldLayout)
        let record = try new.record(layout)
        let lane = Int(record["lane_count"]) - Int(record["worker_lanes"])
        for name in Self.summed {
            guard let from = try old.tables.open(.maps, name), let to = try new.tables.open(.maps, name),
                Self.identifier(from) != Self.identifier(to),
                let translation = RecordTranslation(ofMap: name, from: oldLayout, to: layout)
            else { continue }
            let source = try RawTable(from, name: name, size: translation.fromSize)
            let target = try RawTable(to, name: name, size: translation.toSize)
            let sourceLanes = max(Int(oldRecord["lane_count"]), 1)
            let targetLanes = max(Int(record["lane_count"]), 1)
            let inSource = source.count / sourceLanes
            let inTarget = target.count / targetLanes
            let sums = oldLayout.sums(ofMap: name)
            let sum = UnsafeMutableRawPointer.allocate(byteCount: source.stride, alignment: 8)
            defer { sum.deallocate() }
            for index in 0..<min(inSource, inTarget) {
                memset(sum, 0, source.stride)
                for lane in 0..<sourceLanes {
                    let counts = source[lane * inSource + index]
                    for offset in sums {
                        let total =
                            sum.load(fromByteOffset: offset, as: UInt64.self)
                            &+ counts.load(fromByteOffset: offset, as: UInt64.self)
                        sum.storeBytes(of: total, toByteOffset: offset, as: UInt64.self)
                    }
                }
                translation.write(sum, to: target[lane * inTarget + index])
            }
        }
    }

    private static func identifier(_ map: Descriptor) -> UInt32 {
        var info = crosspoint_map_info()
        map.use { _ = crosspoint_bpf_map_info($0, &info) }
        return info.id
    }
}

extension LoadedObject.Sizes {
    /// The sizes that a node's record tells of.
    init(_ record: KernelRecord) {
        self.init(
            processors: Int(record["lane_count"]) - Int(record["worker_lanes"]), workers: Int(record["worker_lanes"]),
            flowSlots: Int(record["flow_slots"]), flows: Int(record["flows"]), legSlots: Int(record["leg_slots"]),
            groupSlots: Int(record["group_slots"]), legCounters: Int(record["leg_counters"]))
    }

    /// Whether tables can be made of these sizes.
    var areUsable: Bool {
        flowSlots.nonzeroBitCount == 1 && processors > 0 && workers > 0 && flows > 0 && legSlots > 0 && groupSlots > 0
            && legCounters > 0 && legSlots % Int(CROSSPOINT_MAX_LEGS) == 0
    }
}
