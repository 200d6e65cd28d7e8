// Loading the BPF object: its maps, new or pinned, and its programs.

package import BPFPrograms
import CLibBPF
import CrosspointShim
import Glibc

/// The fast path's BPF object, loaded.
package final class LoadedObject {
    private let object: OpaquePointer

    /// Sizes of the node's tables, as the maps are made with.
    package struct Sizes {
        var processors: Int
        /// AF_XDP workers at most.
        var workers: Int
        var flowSlots: Int
        var flows: Int
        var legSlots: Int
        var groupSlots: Int
        var legCounters: Int

        /// Lanes of the per-CPU arrays.
        var lanes: Int { processors + workers }

        func entries(ofMap name: String) -> Int? {
            switch name {
            case "flow_lines": flowSlots / Int(CROSSPOINT_FLOW_LINE_ENTRIES)
            case "flows", "flow_details": flowSlots
            case "rtp", "rtp_details", "flow_labels": flows
            case "flow_counts": flows * lanes
            case "legs", "leg_details": legSlots
            case "leg_counts", "leg_refusals": legCounters * lanes
            case "leg_labels": legCounters
            case "groups": groupSlots
            case "reason_counts": Int(CROSSPOINT_MAX_PORTS) * lanes
            case "lanes": lanes
            // Of each flow two, and some for those that drain.
            case "watches": flows * 2 + 1024
            case "scan_lanes": processors
            case "scan_samples": processors * Int(CROSSPOINT_SCAN_SAMPLES)
            default: nil
            }
        }
    }

    /// Describes the records of an object's tables, as text for whoever has not got the object.
    static func layoutText(of source: BPFObject, version: UInt32) throws(FastPathError) -> String {
        let object = try open(source)
        defer { bpf_object__close(object) }
        return TableLayout.text(of: object, version: version)
    }

    private static func open(_ source: BPFObject) throws(FastPathError) -> OpaquePointer {
        crosspoint_libbpf_keep_messages()
        guard
            let object = source.bytes.withUnsafeBytes({ bytes in
                crosspoint_bpf_object_open(bytes.baseAddress, bytes.count, source.name)
            })
        else { throw FastPathError(.kernel, "program \(source.name): not a BPF object: \(errorText(errno))") }
        return object
    }

    /// Loads `source`. Maps for which `pinned` has a descriptor are used again, the others are made.
    package init(
        _ source: BPFObject, sizes: Sizes?, pinned: (String) throws(FastPathError) -> Descriptor?
    ) throws(FastPathError) {
        let object = try Self.open(source)
        self.object = object
        var map = bpf_object__next_map(object, nil)
        while let current = map {
            let name = String(cString: bpf_map__name(current))
            if name.hasSuffix(".rodata") {
                if let sizes { try Self.setSizes(sizes, in: current) }
            } else if let descriptor = try pinned(name) {
                guard descriptor.use({ bpf_map__reuse_fd(current, $0) }) == 0 else {
                    throw FastPathError(.pinned, "map \(name): what is pinned does not fit: \(errorText(errno))")
                }
            } else if let entries = sizes?.entries(ofMap: name) {
                bpf_map__set_max_entries(current, UInt32(entries))
            }
            map = bpf_object__next_map(object, current)
        }
        guard bpf_object__load(object) == 0 else {
            let number = errno
            throw Self.loadError(source.name, number)
        }
    }

    deinit { bpf_object__close(object) }

    private static func setSizes(_ sizes: Sizes, in map: OpaquePointer) throws(FastPathError) {
        var record = crosspoint_sizes(
            flow_mask: UInt32(sizes.flowSlots - 1), flows: UInt32(sizes.flows),
            leg_counters: UInt32(sizes.legCounters), reserved: 0)
        guard bpf_map__set_initial_value(map, &record, MemoryLayout<crosspoint_sizes>.size) == 0 else {
            throw FastPathError(.kernel, "program's read-only data: not the table sizes that were expected")
        }
    }

    private static func loadError(_ name: String, _ number: CInt) -> FastPathError {
        var buffer = [CChar](repeating: 0, count: 8192)
        let taken = crosspoint_libbpf_take_messages(&buffer, buffer.count)
        let text = String(decoding: buffer.prefix(taken).map(UInt8.init(bitPattern:)), as: UTF8.self)
        if number == EPERM || number == EACCES, !text.contains("END PROG LOAD LOG") {
            return FastPathError(
                .privileges,
                "loading BPF programs: not permitted; run as root, or with the capabilities BPF, PERFMON, NET_ADMIN "
                    + "and NET_RAW as the systemd unit grants them")
        }
        // The verifier's own last words, without libbpf's around them and without its statistics.
        let log = text.split(separator: "\n").prefix { !$0.contains("END PROG LOAD LOG") }
        let last = log.filter { !$0.hasPrefix("processed ") }.suffix(4).joined(separator: "; ")
        return FastPathError(.kernel, "program \(name): the kernel refuses it: \(errorText(number)): \(last)")
    }

    /// The descriptor of a map, owned by the caller.
    package func map(_ name: String) throws(FastPathError) -> Descriptor {
        let number = bpf_object__find_map_fd_by_name(object, name)
        guard number >= 0 else { throw FastPathError(.kernel, "map \(name): not in the program") }
        return try Self.duplicate(number)
    }

    /// The names of all maps but read-only data.
    var mapNames: [String] {
        var names: [String] = []
        var map = bpf_object__next_map(object, nil)
        while let current = map {
            let name = String(cString: bpf_map__name(current))
            if !name.hasSuffix(".rodata") { names.append(name) }
            map = bpf_object__next_map(object, current)
        }
        return names
    }

    /// The descriptor of a program, owned by the caller.
    package func program(_ name: String) throws(FastPathError) -> Descriptor {
        guard let program = bpf_object__find_program_by_name(object, name) else {
            throw FastPathError(.kernel, "program \(name): not in the object")
        }
        return try Self.duplicate(bpf_program__fd(program))
    }

    /// Attaches a tracepoint program; the descriptor of its link, owned by the caller.
    func attachTracepoint(_ name: String) throws(FastPathError) -> Descriptor {
        try Self.attachTracepoint(try program(name), name: name)
    }

    static func attachTracepoint(_ program: Descriptor, name: String) throws(FastPathError) -> Descriptor {
        let link = program.use(crosspoint_bpf_attach_tracepoint)
        guard link >= 0 else {
            throw FastPathError(.kernel, "tracepoint program \(name): cannot be attached: \(errorText(link))")
        }
        return Descriptor(owning: link)
    }

    private static func duplicate(_ number: CInt) throws(FastPathError) -> Descriptor {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw FastPathError(.kernel, "duplicating a descriptor: \(errorText(errno))") }
        return Descriptor(owning: copy)
    }
}
