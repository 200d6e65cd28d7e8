// An array of any layout.

import CrosspointShim
import Glibc

/// An array of any layout, mapped.
final class RawTable {
    let count: Int
    /// Bytes from one record to the next.
    let stride: Int
    private let memory: UnsafeMutableRawPointer
    private let byteCount: Int

    /// Maps the array; `size` is that of its records by its layout.
    init(_ map: Descriptor, name: String, size: Int) throws(FastPathError) {
        var info = crosspoint_map_info()
        guard map.use({ crosspoint_bpf_map_info($0, &info) }) == 0 else {
            throw FastPathError(.kernel, "map \(name): the kernel does not describe it: \(errorText(errno))")
        }
        guard Int(info.value_size) == size else {
            throw FastPathError(
                .pinned, "map \(name): records of \(info.value_size) bytes, and its layout says \(size)")
        }
        count = Int(info.max_entries)
        stride = (size + 7) / 8 * 8
        let page = Int(sysconf(CInt(_SC_PAGESIZE)))
        byteCount = (count * stride + page - 1) / page * page
        let size = byteCount
        let mapped = map.use { mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, $0, 0) }
        guard let mapped, mapped != MAP_FAILED else {
            throw FastPathError(.kernel, "map \(name): cannot be mapped: \(errorText(errno))")
        }
        memory = mapped
    }

    deinit { munmap(memory, byteCount) }

    subscript(index: Int) -> UnsafeMutableRawPointer {
        precondition(index >= 0 && index < count, "record \(index) of \(count)")
        return memory + index * stride
    }

    /// Translates as many records as both tables have.
    func copy(from other: RawTable, by translation: RecordTranslation) {
        for index in 0..<min(count, other.count) { translation.write(other[index], to: self[index]) }
    }
}

extension TableLayout {
    /// The offsets of a map's sums: its 64-bit numbers, also those of records in it.
    func sums(ofMap name: String) -> [Int] { record(ofMap: name).map { sums($0, at: 0, depth: 0) } ?? [] }

    private func sums(_ record: Record, at offset: Int, depth: Int) -> [Int] {
        guard depth < 4 else { return [] }
        return record.fields.flatMap { field -> [Int] in
            let places = (0..<field.count).map { offset + field.offset + $0 * field.size }
            if let inner = field.record.flatMap({ records[$0] }) {
                return places.flatMap { sums(inner, at: $0, depth: depth + 1) }
            }
            return field.size == 8 ? places : []
        }
    }
}
