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
