// A BPF array that the kernel's programs and this process share as memory.

import CrosspointShim
import Glibc

/// A `BPF_F_MMAPABLE` array, mapped: reading and writing take no system call.
///
/// The records are the ABI's own (`bpf/fastpath_abi.h`); who may write which is said there. Readers on other threads see
/// what readers in other processes see: whole words, and records whose words may be a packet apart. That is why it may
/// be sent between threads.
package final class MappedArray<Record>: @unchecked Sendable {
    package let descriptor: Descriptor
    package let count: Int
    private let records: UnsafeMutablePointer<Record>
    private let byteCount: Int
    /// The table that the records come from and their translation, for a copy of an array of another layout.
    private let original: (table: RawTable, translation: RecordTranslation)?

    /// Maps the array behind `descriptor`. Refused when its records are not of this ABI's size.
    package init(_ descriptor: Descriptor, name: String, writable: Bool) throws(FastPathError) {
        var info = crosspoint_map_info()
        guard descriptor.use({ crosspoint_bpf_map_info($0, &info) }) == 0 else {
            throw FastPathError(.kernel, "map \(name): the kernel does not describe it: \(errorText(errno))")
        }
        guard info.value_size == MemoryLayout<Record>.stride else {
            throw FastPathError(
                .pinned,
                "map \(name): records of \(info.value_size) bytes, this program has \(MemoryLayout<Record>.stride); "
                    + "stop the media and run 'crosspoint unload', or use the program that pinned it")
        }
        let page = Int(sysconf(CInt(_SC_PAGESIZE)))
        let size = (Int(info.max_entries) * MemoryLayout<Record>.stride + page - 1) / page * page
        let protection = writable ? PROT_READ | PROT_WRITE : PROT_READ
        let memory = descriptor.use { mmap(nil, size, protection, MAP_SHARED, $0, 0) }
        guard let memory, memory != MAP_FAILED else {
            throw FastPathError(.kernel, "map \(name): cannot be mapped: \(errorText(errno))")
        }
        self.descriptor = descriptor
        self.count = Int(info.max_entries)
        self.byteCount = size
        self.records = memory.bindMemory(to: Record.self, capacity: Int(info.max_entries))
        original = nil
    }

    /// A copy, for reading, of an array whose records have another layout; `refresh` takes another one.
    init(
        copying descriptor: Descriptor, name: String, by translation: RecordTranslation
    ) throws(FastPathError) {
        let table = try RawTable(descriptor, name: name, size: translation.fromSize)
        let page = Int(sysconf(CInt(_SC_PAGESIZE)))
        let size = (table.count * MemoryLayout<Record>.stride + page - 1) / page * page
        guard translation.toSize == MemoryLayout<Record>.stride else {
            throw FastPathError(.pinned, "map \(name): its layout is not this program's")
        }
        let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let memory, memory != MAP_FAILED else {
            throw FastPathError(.kernel, "map \(name): no memory for a copy: \(errorText(errno))")
        }
        self.descriptor = descriptor
        count = table.count
        byteCount = size
        records = memory.bindMemory(to: Record.self, capacity: table.count)
        original = (table, translation)
        refresh()
    }

    /// Copies the original's records of now; does nothing to an array that is not a copy.
    func refresh() {
        guard let original else { return }
        for index in 0..<count { original.translation.write(original.table[index], to: records + index) }
    }

    deinit { munmap(records, byteCount) }

    /// The record at `index`, in place. The pointer is valid as long as the array.
    package subscript(index: Int) -> UnsafeMutablePointer<Record> {
        precondition(index >= 0 && index < count, "record \(index) of \(count)")
        return records + index
    }

    /// Makes the record all zeros.
    package func clear(_ index: Int) {
        UnsafeMutableRawPointer(self[index]).initializeMemory(
            as: UInt8.self, repeating: 0, count: MemoryLayout<Record>.stride)
    }
}
