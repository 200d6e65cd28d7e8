// One layout of the tables in bpffs, this version's or another's.

import CLibBPF
import CrosspointShim
import Glibc

/// Tables of one layout, with the programs that use them.
///
/// Tables of another layout are made beside the old ones, in a folder of their own, and the ports' links then run other
/// programs (`Handover`). Every version finds in the node's folder, whatever the layout is: `maps/node`, the node's record of the
/// generation that the links run or are about to, whose first four bytes are the layout's version; `maps/statistics`, the same of the
/// generation whose counters are whole; and `links/port-NUMBER-NAME`.
struct Generation {
    /// The pin of the generation that is in force: from the moment it has another, the next start continues from there.
    static let committedPin = "node"
    /// The pin of the generation that statistics are read from.
    static let readablePin = "statistics"
    /// The pin of the layout's text, among a generation's maps.
    static let layoutPin = "layout"

    let version: UInt32
    /// The folder of its maps, programs and shapes.
    let tables: PinDirectory
    let node: Descriptor

    /// The generation that a pin in the node's folder names; nil without such a pin.
    init?(in pins: PinDirectory, by pin: String) throws(FastPathError) {
        guard let node = try pins.open(.maps, pin) else { return nil }
        let bytes = try KernelRecord.read(node, name: pin)
        guard bytes.count >= 4 else { throw FastPathError(.pinned, "\(pins.path): maps/\(pin) is no node's record") }
        version = bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
        // The last version before generations had its tables in the node's own folder.
        tables = version <= LayoutSix.version ? pins : pins.generation(version)
        self.node = node
    }

    /// The generation whose links run.
    static func committed(in pins: PinDirectory) throws(FastPathError) -> Generation? {
        try Generation(in: pins, by: committedPin)
    }

    /// The generation that counters are read from.
    static func readable(in pins: PinDirectory) throws(FastPathError) -> Generation? {
        if let readable = try Generation(in: pins, by: readablePin) { return readable }
        return try committed(in: pins)
    }

    var isOwn: Bool { version == UInt32(CROSSPOINT_ABI_VERSION) }

    /// The kernel's number of the node's record: no two generations share it.
    var identifier: UInt32 {
        var info = crosspoint_map_info()
        node.use { _ = crosspoint_bpf_map_info($0, &info) }
        return info.id
    }

    /// The layout of the tables' records in memory.
    func layout() throws(FastPathError) -> TableLayout {
        var text = LayoutSix.text
        if version != LayoutSix.version {
            guard let map = try tables.open(.maps, Self.layoutPin) else {
                throw FastPathError(
                    .pinned,
                    "\(tables.path): maps of layout \(version), which say nothing of their records; keep the running "
                        + "version, or stop the media and run 'crosspoint unload' first")
            }
            text = String(decoding: try KernelRecord.read(map, name: Self.layoutPin).prefix { $0 != 0 }, as: UTF8.self)
        }
        guard let layout = TableLayout(text: text), layout.version == version else {
            throw FastPathError(
                .pinned,
                "\(tables.path): maps/\(Self.layoutPin) is damaged; run 'crosspoint unload' and start again")
        }
        return layout
    }

    /// The node's record, by its layout.
    func record(_ layout: TableLayout) throws(FastPathError) -> KernelRecord {
        guard let record = layout.record(ofMap: "node") else {
            throw FastPathError(.pinned, "\(tables.path): its layout has no node's record")
        }
        return try KernelRecord(node, name: "node", layout: record)
    }

    /// Pins a generation's layout among its maps.
    static func pinLayout(_ text: String, in tables: PinDirectory) throws(FastPathError) {
        let bytes = Array(text.utf8) + [0]
        let map = crosspoint_bpf_create_text("cp_layout", bytes, bytes.count)
        guard map >= 0 else { throw FastPathError(.kernel, "layout's text: no map: \(errorText(map))") }
        try tables.pin(Descriptor(owning: map), .maps, layoutPin)
    }
}

/// A map's only record, read and written by the names of its fields.
struct KernelRecord {
    private(set) var bytes: [UInt8]
    private let layout: TableLayout.Record

    init(_ map: Descriptor, name: String, layout: TableLayout.Record) throws(FastPathError) {
        bytes = try Self.read(map, name: name)
        self.layout = layout
        guard bytes.count >= layout.size else {
            throw FastPathError(.pinned, "map \(name): its record is shorter than its layout says")
        }
    }

    /// A record of zeros with what a translation takes from another one.
    init(translating other: KernelRecord, by translation: RecordTranslation, layout: TableLayout.Record) {
        var bytes = [UInt8](repeating: 0, count: layout.size)
        other.bytes.withUnsafeBytes { from in
            bytes.withUnsafeMutableBytes { to in
                if let from = from.baseAddress, let to = to.baseAddress { translation.write(from, to: to) }
            }
        }
        self.bytes = bytes
        self.layout = layout
    }

    /// The bytes of a map's record 0.
    static func read(_ map: Descriptor, name: String) throws(FastPathError) -> [UInt8] {
        var info = crosspoint_map_info()
        var key: UInt32 = 0
        guard map.use({ crosspoint_bpf_map_info($0, &info) }) == 0 else {
            throw FastPathError(.kernel, "map \(name): the kernel does not describe it: \(errorText(errno))")
        }
        var bytes = [UInt8](repeating: 0, count: (Int(info.value_size) + 7) / 8 * 8)
        guard map.use({ bpf_map_lookup_elem($0, &key, &bytes) }) == 0 else {
            throw FastPathError(.kernel, "map \(name): cannot be read: \(errorText(errno))")
        }
        return Array(bytes.prefix(Int(info.value_size)))
    }

    func write(to map: Descriptor, name: String) throws(FastPathError) {
        var key: UInt32 = 0
        guard map.use({ bpf_map_update_elem($0, &key, bytes, UInt64(BPF_ANY)) }) == 0 else {
            throw FastPathError(.kernel, "map \(name): cannot be written: \(errorText(errno))")
        }
    }

    /// A number; 0 for a field that the layout does not have.
    subscript(name: String) -> UInt64 {
        get {
            guard let field = layout.field(name), field.size <= 8 else { return 0 }
            return bytes[field.offset..<field.offset + field.size].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        set {
            guard let field = layout.field(name), field.size <= 8 else { return }
            for byte in 0..<field.size {
                bytes[field.offset + byte] = UInt8(truncatingIfNeeded: newValue >> (8 * UInt64(byte)))
            }
        }
    }

    /// A text, zero-terminated within its field.
    func text(_ name: String) -> String {
        guard let field = layout.field(name) else { return "" }
        return String(
            decoding: bytes[field.offset..<field.offset + field.size * field.count].prefix { $0 != 0 }, as: UTF8.self)
    }

    mutating func setText(_ name: String, _ text: String) {
        guard let field = layout.field(name), field.size == 1 else { return }
        let utf8 = Array(text.utf8.prefix(field.count - 1))
        for place in 0..<field.count { bytes[field.offset + place] = place < utf8.count ? utf8[place] : 0 }
    }
}
