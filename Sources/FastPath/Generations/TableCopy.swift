// Carrying the tables of one generation over to another.

import CLibBPF
import CrosspointShim
import Glibc

/// The old generation's tables, and how the new one's records differ.
struct TableCopy {
    let old: Generation
    let oldLayout: TableLayout
    /// The new generation's.
    let layout: TableLayout

    /// Arrays that packets write.
    private static let counted = [
        "rtp", "rtp_details", "flow_counts", "leg_counts", "leg_refusals", "lanes", "reason_counts",
    ]
    /// Those of them that have a part for each lane.
    private static let summed = ["flow_counts", "lanes", "leg_counts", "leg_refusals", "reason_counts"]

    /// The tables that both generations write to: not a packet is missing in them, and none is there twice.
    func sharedTables(_ sizes: LoadedObject.Sizes) throws(FastPathError) -> Set<String> {
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
    func translate(_ name: String, to loaded: LoadedObject) throws(FastPathError) {
        // Workers end with their process, and their sockets; watches are no array, and are entered again with the flows.
        guard name != "sockets", name != "watches",
            let translation = RecordTranslation(ofMap: name, from: oldLayout, to: layout),
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
        if name == "rtp" || name == "rtp_details" { try restartAccounting(loaded) }
    }

    /// Has RTP begin to be counted from its next packet on, with what was expected and received so far: packets that pass
    /// between the copy and the new program's first one would look lost. Called when either table is filled.
    private func restartAccounting(_ loaded: LoadedObject) throws(FastPathError) {
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
    func shapes(
        to loaded: LoadedObject, egress: Descriptor
    ) throws(FastPathError) -> [(name: String, devmap: Descriptor)] {
        let outer = try loaded.map("shapes")
        var copies: [(name: String, devmap: Descriptor)] = []
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
    func ports(to loaded: LoadedObject, egress: Descriptor) throws(FastPathError) -> Descriptor {
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

    /// Puts the sums of all lanes of tables that are not shared into a lane that nobody writes yet: the first worker's. Sums are
    /// set, not added, so that it may be done again; no packet is under way in the old programs.
    func carryCounters(to new: Generation) throws(FastPathError) {
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
                if name == "reason_counts" {
                    writeReasons(UnsafeRawPointer(sum), to: target[lane * inTarget + index])
                } else {
                    translation.write(sum, to: target[lane * inTarget + index])
                }
            }
        }
    }

    /// Carries reasons over by their names; one that the new layout does not have is left out.
    private func writeReasons(_ from: UnsafeRawPointer, to: UnsafeMutableRawPointer) {
        guard let source = oldLayout.record(ofMap: "reason_counts")?.field("packets"),
            let target = layout.record(ofMap: "reason_counts")?.field("packets")
        else { return }
        let numbers = Dictionary(layout.reasons.map { ($0.value, $0.key) }) { first, _ in first }
        for (number, name) in oldLayout.reasons where number < source.count {
            guard let new = numbers[name], new < target.count else { continue }
            let packets = from.load(fromByteOffset: source.offset + 8 * number, as: UInt64.self)
            to.storeBytes(of: packets, toByteOffset: target.offset + 8 * new, as: UInt64.self)
        }
    }

    private static func identifier(_ map: Descriptor) -> UInt32 {
        var info = crosspoint_map_info()
        map.use { _ = crosspoint_bpf_map_info($0, &info) }
        return info.id
    }
}
