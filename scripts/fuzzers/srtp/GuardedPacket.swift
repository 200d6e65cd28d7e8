// Memory that ends where a packet ends: who reads or writes behind it is ended by the kernel.

import Glibc

/// Holds one packet at a time, in front of a page that may not be touched.
struct GuardedPacket: ~Copyable {
    static let capacity = 65_536
    private static let page = 4096
    private let memory: UnsafeMutableRawPointer

    init() {
        guard
            let memory = mmap(
                nil, Self.capacity + Self.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            memory != MAP_FAILED, mprotect(memory + Self.capacity, Self.page, PROT_NONE) == 0
        else { fatalError("no memory for a packet") }
        self.memory = memory
    }

    deinit { munmap(memory, Self.capacity + Self.page) }

    /// Has `body` change a packet where it lies, with `room` bytes behind it. Returns so many of its bytes as `body` says.
    func change<Failure: Error>(
        _ packet: [UInt8], room: Int = 0, _ body: (UnsafeMutableRawPointer) throws(Failure) -> Int
    ) throws(Failure) -> [UInt8] {
        let start = memory + (Self.capacity - packet.count - room)
        packet.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress { start.copyMemory(from: base, byteCount: bytes.count) }
        }
        let count = try body(start)
        precondition((0...packet.count + room).contains(count), "a length inside of the packet's memory")
        return Array(UnsafeRawBufferPointer(start: start, count: count))
    }
}
