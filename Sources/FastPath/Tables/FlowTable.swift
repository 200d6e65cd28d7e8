// The flow table: open addressing in a mapped array that the ingress program reads.

import CrosspointShim
import RTPWire

/// Inserts, changes and removes slots of the flow table. The hash and the rules for readers are in `bpf/flow_table.h`.
struct FlowTable {
    let slots: MappedArray<crosspoint_flow>
    let details: MappedArray<crosspoint_flow_detail>
    private let mask: Int
    private(set) var usedCount = 0
    /// Slots taken out of the table that a reader may still see; free for use after a grace period.
    private var removed: Set<Int> = []
    /// The part of them for which a grace period has begun.
    private var aging: Set<Int> = []

    init(slots: MappedArray<crosspoint_flow>, details: MappedArray<crosspoint_flow_detail>) {
        precondition(slots.count.nonzeroBitCount == 1, "flow slots: a power of two")
        self.slots = slots
        self.details = details
        mask = slots.count - 1
        for index in 0..<slots.count where Self.isUsed(slots[index].pointee.kind) { usedCount += 1 }
    }

    static func isUsed(_ kind: UInt8) -> Bool {
        kind != UInt8(CROSSPOINT_SLOT_FREE.rawValue) && kind != UInt8(CROSSPOINT_SLOT_REMOVED.rawValue)
    }

    /// Which packets a slot matches.
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

    /// Where the key is; nil when it is not in the table.
    func find(_ key: Key) -> Int? {
        var index = Int(key.hash) & mask
        for _ in 0..<Int(CROSSPOINT_FLOW_PROBES) {
            let flow = slots[index].pointee
            if flow.kind == UInt8(CROSSPOINT_SLOT_FREE.rawValue) { return nil }
            if flow.kind == key.kind, self.key(at: index) == key { return index }
            index = (index + 1) & mask
        }
        return nil
    }

    /// A slot where the key can go; nil when the table is full there. Call `publish` to make it exist.
    func place(for key: Key) -> Int? {
        var index = Int(key.hash) & mask
        for _ in 0..<Int(CROSSPOINT_FLOW_PROBES) {
            if !Self.isUsed(slots[index].pointee.kind), !removed.contains(index), !aging.contains(index) {
                return index
            }
            index = (index + 1) & mask
        }
        return nil
    }

    /// Writes `record` under `key` at `index`, its kind last.
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
        usedCount += 1
    }

    /// Takes the slot out of the table. It can be used again after a grace period.
    mutating func remove(at index: Int) {
        setKind(
            UInt8(CROSSPOINT_SLOT_REMOVED.rawValue), udpPort: UInt16(bigEndian: slots[index].pointee.destination_port),
            at: index)
        removed.insert(index)
        usedCount -= 1
    }

    /// Whether removed slots wait for a grace period.
    var hasRemoved: Bool { !removed.isEmpty || !aging.isEmpty }

    /// A grace period begins: slots removed so far can be used again at its end.
    mutating func beginGracePeriod() {
        aging.formUnion(removed)
        removed.removeAll(keepingCapacity: true)
    }

    /// The grace period that began last has ended.
    mutating func endGracePeriod() {
        for index in aging {
            // At the end of a chain of collisions nobody needs to be led on.
            var last = index
            while slots[last].pointee.kind == UInt8(CROSSPOINT_SLOT_REMOVED.rawValue), !removed.contains(last),
                slots[(last + 1) & mask].pointee.kind == UInt8(CROSSPOINT_SLOT_FREE.rawValue)
            {
                setKind(UInt8(CROSSPOINT_SLOT_FREE.rawValue), udpPort: 0, at: last)
                last = (last - 1) & mask
            }
        }
        aging.removeAll(keepingCapacity: true)
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
