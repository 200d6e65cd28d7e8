// The flow table: slots in a mapped array, and the entries by which the ingress program finds them.

import CrosspointShim
import RTPWire

/// Inserts, changes and removes slots of the flow table. The layout of entries is in `bpf/fastpath_abi.h`, the hash too; the rules for
/// readers are in `bpf/flow_table.h`.
struct FlowTable {
    let slots: MappedArray<crosspoint_flow>
    let details: MappedArray<crosspoint_flow_detail>
    private let lines: MappedArray<crosspoint_flow_line>
    private let mask: Int
    private(set) var usedCount = 0
    /// Slots that nobody uses, but for slot 0.
    private var free: FreeNumbers
    /// Slots taken out of the table that a reader may still see; free for use after a grace period.
    private var removed: [Int] = []
    /// Those of them for which a grace period has begun.
    private var aging: [Int] = []

    /// Takes over what is in the arrays, which may be what a process left that was killed between two stores.
    init(
        slots: MappedArray<crosspoint_flow>, details: MappedArray<crosspoint_flow_detail>,
        lines: MappedArray<crosspoint_flow_line>
    ) {
        precondition(slots.count.nonzeroBitCount == 1, "flow slots: a power of two")
        precondition(lines.count * Int(CROSSPOINT_FLOW_LINE_ENTRIES) == slots.count, "an entry for each slot")
        self.slots = slots
        self.details = details
        self.lines = lines
        mask = slots.count - 1
        free = FreeNumbers(capacity: slots.count)
        var reachable = Set<Int>()
        for place in 0..<slots.count {
            let slot = Int(entry(place)) & mask
            guard slot != 0 else { continue }
            if Self.isUsed(slots[slot].pointee.kind) { reachable.insert(slot) } else { clearEntry(place) }
        }
        for slot in 1..<slots.count {
            guard Self.isUsed(slots[slot].pointee.kind) else {
                free.insert(slot)
                continue
            }
            usedCount += 1
            if !reachable.contains(slot), let place = entryPlace(for: key(at: slot).hash) {
                setEntry(place, leadingTo: slot, hash: key(at: slot).hash)
            }
        }
    }

    static func isUsed(_ kind: UInt8) -> Bool { kind != UInt8(CROSSPOINT_SLOT_FREE.rawValue) }

    /// The packets that a slot matches.
    struct Key: Hashable {
        var kind: UInt8
        var destination: IPAddress
        var udpPort: UInt16
        var interfaceIndex: UInt32
        var vlans: UInt32
        var source: IPAddress?
        var sourceUDPPort: UInt16?

        /// The slot that takes packets of any source, or of the one that its filter names.
        init(destinationOf key: FlowKey) {
            kind = UInt8(CROSSPOINT_SLOT_DESTINATION.rawValue)
            destination = key.destination
            udpPort = key.udpPort
            interfaceIndex = key.interfaceIndex
            vlans = key.encodedVLANs
        }

        /// The slot that takes packets of the key's source, beside others of the same destination.
        init(sourceOf key: FlowKey) {
            self.init(destinationOf: key)
            kind = UInt8(
                (key.sourceUDPPort == nil ? CROSSPOINT_SLOT_SOURCE : CROSSPOINT_SLOT_SOURCE_PORT).rawValue)
            source = key.source
            sourceUDPPort = key.sourceUDPPort
        }

        /// The slot that keeps packets to a group, whatever their UDP port, from the host.
        init(guardOf group: IPAddress, interfaceIndex: UInt32, vlans: UInt32) {
            kind = UInt8(CROSSPOINT_SLOT_GUARD.rawValue)
            destination = group
            udpPort = 0
            self.interfaceIndex = interfaceIndex
            self.vlans = vlans
        }

        /// The slot that keeps packets to a reserved address and UDP port from the host, wherever they come in.
        init(guardOf address: IPAddress, udpPort: UInt16) {
            kind = UInt8(CROSSPOINT_SLOT_GUARD.rawValue)
            destination = address
            self.udpPort = udpPort
            interfaceIndex = 0
            vlans = 0
        }

        /// The key of a slot in use.
        init(_ flow: crosspoint_flow, _ detail: crosspoint_flow_detail) {
            kind = flow.kind
            destination = IPAddress(words: flow.destination)
            udpPort = UInt16(bigEndian: flow.destination_port)
            interfaceIndex = flow.interface_index
            vlans = flow.vlans
            if kind == UInt8(CROSSPOINT_SLOT_SOURCE.rawValue) || kind == UInt8(CROSSPOINT_SLOT_SOURCE_PORT.rawValue) {
                source = IPAddress(words: detail.source)
                if kind == UInt8(CROSSPOINT_SLOT_SOURCE_PORT.rawValue) {
                    sourceUDPPort = UInt16(bigEndian: flow.source_port)
                }
            }
        }

        /// Two words of an address as they lie in memory.
        private static func halves(_ address: IPAddress) -> (UInt64, UInt64) {
            let words = address.words
            return (UInt64(words.1) << 32 | UInt64(words.0), UInt64(words.3) << 32 | UInt64(words.2))
        }

        var hash: UInt32 {
            let (high, low) = Self.halves(destination)
            var place = UInt64(vlans) << 32 | UInt64(interfaceIndex)
            if let source {
                let (sourceHigh, sourceLow) = Self.halves(source)
                place = crosspoint_source_place(place, sourceHigh, sourceLow, (sourceUDPPort ?? 0).bigEndian)
            }
            return crosspoint_flow_hash(high, low, place, UInt32(udpPort.bigEndian) | UInt32(kind) << 16)
        }
    }

    /// The key of the slot at `index`, which is in use.
    func key(at index: Int) -> Key { Key(slots[index].pointee, details[index].pointee) }

    /// The slot of the key; nil when it is not in the table.
    func find(_ key: Key) -> Int? {
        let hash = key.hash
        for place in places(for: hash) {
            let entry = entry(place)
            if entry == 0 { return nil }
            let slot = Int(entry) & mask
            if (entry ^ hash) & ~UInt32(mask) == 0, slots[slot].pointee.kind == key.kind, self.key(at: slot) == key {
                return slot
            }
        }
        return nil
    }

    /// A slot where the key can go; nil when the table is full, or where the key's entry would be. Call `publish` to make
    /// it exist.
    func place(for key: Key) -> Int? { entryPlace(for: key.hash) == nil ? nil : free.first }

    /// Writes `record` under `key` at `index`, which `place(for:)` has named, and leads readers there.
    mutating func publish(
        _ key: Key, _ record: crosspoint_flow, _ detail: crosspoint_flow_detail, at index: Int
    ) {
        var record = record
        var detail = detail
        record.destination = key.destination.words
        record.interface_index = key.interfaceIndex
        record.vlans = key.vlans
        record.destination_port = key.udpPort.bigEndian
        if let source = key.source { detail.source = source.words }
        if let port = key.sourceUDPPort { record.source_port = port.bigEndian }
        record.kind = slots[index].pointee.kind
        detail.generation = details[index].pointee.generation &+ 1
        slots[index].pointee = record
        details[index].pointee = detail
        setKind(key.kind, udpPort: key.udpPort, at: index)
        guard let place = entryPlace(for: key.hash), free.remove(index) else {
            preconditionFailure("slot \(index): not the one that was named")
        }
        setEntry(place, leadingTo: index, hash: key.hash)
        usedCount += 1
    }

    /// Takes the slot out of the table. It can be used again after a grace period.
    mutating func remove(at index: Int) {
        let hash = key(at: index).hash
        setKind(
            UInt8(CROSSPOINT_SLOT_FREE.rawValue), udpPort: UInt16(bigEndian: slots[index].pointee.destination_port),
            at: index)
        if let place = places(for: hash).first(where: { Int(entry($0)) & mask == index }) { clearEntry(place) }
        removed.append(index)
        usedCount -= 1
    }

    /// True if removed slots wait for a grace period.
    var hasRemoved: Bool { !removed.isEmpty || !aging.isEmpty }

    /// A grace period begins: slots removed so far can be used again at its end.
    mutating func beginGracePeriod() {
        aging += removed
        removed.removeAll(keepingCapacity: true)
    }

    /// The grace period that began last has ended.
    mutating func endGracePeriod() {
        for slot in aging { free.insert(slot) }
        aging.removeAll(keepingCapacity: true)
    }

    /// The places at which a search for a hash looks, in order.
    private func places(for hash: UInt32) -> some Sequence<Int> {
        (0..<Int(CROSSPOINT_FLOW_PROBES)).lazy.map { [mask] in (Int(hash) + $0) & mask }
    }

    /// The first place where an entry for a hash can be; nil when all where it would be found are taken.
    private func entryPlace(for hash: UInt32) -> Int? { places(for: hash).first { Int(entry($0)) & mask == 0 } }

    private func entry(_ place: Int) -> UInt32 { withEntry(place) { $0.pointee } }

    private func setEntry(_ place: Int, leadingTo slot: Int, hash: UInt32) {
        withEntry(place) { crosspoint_publish32($0, hash & ~UInt32(mask) | UInt32(slot)) }
    }

    /// Takes an entry out: the search continues there, but at the end of a chain of collisions nobody needs to be led on.
    private func clearEntry(_ place: Int) {
        withEntry(place) { crosspoint_publish32($0, ~UInt32(mask)) }
        var last = place
        while Int(entry(last)) & mask == 0, entry(last) != 0, entry((last + 1) & mask) == 0 {
            withEntry(last) { crosspoint_publish32($0, 0) }
            last = (last - 1) & mask
        }
    }

    private func withEntry<Result>(_ place: Int, _ body: (UnsafeMutablePointer<UInt32>) -> Result) -> Result {
        let entries = Int(CROSSPOINT_FLOW_LINE_ENTRIES)
        return lines[place / entries].withMemoryRebound(to: UInt32.self, capacity: entries) {
            body($0 + place % entries)
        }
    }

    /// UDP port and kind lie in one word, which readers load at once.
    private func setKind(_ kind: UInt8, udpPort: UInt16, at index: Int) {
        withUnsafeMutablePointer(to: &slots[index].pointee.destination_port) { place in
            place.withMemoryRebound(to: UInt32.self, capacity: 1) {
                crosspoint_publish32($0, UInt32(udpPort.bigEndian) | UInt32(kind) << 16)
            }
        }
    }
}
