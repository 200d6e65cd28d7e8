// The frames of one UMEM as its worker keeps book of them.

import CrosspointShim

/// Book-keeping of a UMEM's frames: which are free, and how many descriptors under way refer to the others.
///
/// One worker uses it, through a pointer. A frame has 4,096 bytes, which a multi-buffer frame of a zero-copy driver needs: of a smaller one
/// headroom and tail would leave little.
package struct FrameMemory {
    static let frameShift: UInt64 = 12
    package static let frameSize = 1 << Int(frameShift)
    /// Where the kernel puts received packets (XDP_PACKET_HEADROOM), and where copies begin.
    package static let headroom = 256
    /// Bytes of a packet that one frame holds.
    static let capacity = frameSize - headroom
    /// The same where a driver receives into it: it may want a header of its own, and the room of skb_shared_info at the end.
    static let zeroCopyCapacity = capacity - 320 - 32

    /// The leg that a copy was made for, in case that the kernel does not send it.
    struct Copy {
        /// The leg's counter.
        var counter: UInt32
        var bytes: UInt32
    }

    /// All that is known of a frame, 16 bytes: on one line of the cache, since each frame's turn comes when it is forgotten there.
    private struct Record {
        var copy = Copy(counter: 0, bytes: 0)
        /// Descriptors under way that refer to it.
        var references: UInt16 = 0
        /// The socket, plus 1, in whose fill ring it is, or which the kernel has taken from there; 0 for none.
        var filler: UInt8 = 0
        private var reserved: (UInt8, UInt32) = (0, 0)
    }

    let base: UnsafeMutableRawPointer
    let count: Int
    /// A stack: what was used last is in the cache.
    private let free: UnsafeMutablePointer<UInt32>
    package private(set) var freeCount: Int
    private let records: UnsafeMutablePointer<Record>

    /// Frames at `base`, all of them free.
    package init(base: UnsafeMutableRawPointer, count: Int) {
        self.base = base
        self.count = count
        free = .allocate(capacity: count)
        records = UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<Record>.stride, alignment: 64)
            .bindMemory(to: Record.self, capacity: count)
        freeCount = count
        for frame in 0..<count { free[frame] = UInt32(count - 1 - frame) }
        records.initialize(repeating: Record(), count: count)
    }

    /// Gives the books back; the memory itself is its owner's.
    package func deallocate() {
        free.deallocate()
        records.deallocate()
    }

    @inline(__always) static func index(_ address: UInt64) -> Int { Int(truncatingIfNeeded: address >> frameShift) }
    @inline(__always) static func address(_ frame: UInt32) -> UInt64 { UInt64(frame) << frameShift }

    /// A free frame; there is one.
    @inline(__always) package mutating func take() -> UInt32 {
        freeCount &-= 1
        let frame = free[freeCount]
        records[Int(frame)].references = 1
        return frame
    }

    /// One more descriptor refers to the frame.
    @inline(__always) func retain(_ index: Int) { records[index].references &+= 1 }

    /// Whether more than one descriptor refers to the frame: then its payload is not one copy's alone.
    @inline(__always) func isShared(_ index: Int) -> Bool { records[index].references > 1 }

    /// One descriptor fewer refers to the frame. Addresses come from the kernel, and were ours before.
    @inline(__always) package mutating func release(_ index: Int) {
        let left = records[index].references &- 1
        records[index].references = left
        if left == 0 {
            free[freeCount] = UInt32(truncatingIfNeeded: index)
            freeCount &+= 1
        }
    }

    /// Fetches what is known of a frame, and the first bytes of what lies at an address in it: ingress' note and the headers.
    @inline(__always) func prefetch(_ address: UInt64) {
        crosspoint_prefetch(records + Self.index(address))
        let start = base + Int(truncatingIfNeeded: address)
        crosspoint_prefetch(start - MemoryLayout<crosspoint_metadata>.size)
        crosspoint_prefetch(start)
    }

    @inline(__always) func setFiller(_ socket: UInt8, of index: Int) { records[index].filler = socket }

    /// The copy that the frame at an address begins.
    @inline(__always) func copy(at address: UInt64) -> Copy { records[Self.index(address)].copy }

    @inline(__always) func setCopy(_ copy: Copy, at address: UInt64) { records[Self.index(address)].copy = copy }

    /// Takes back every frame that a closed socket's fill ring had. Returns how many.
    mutating func takeBack(filler socket: UInt8) -> Int {
        let before = freeCount
        for index in 0..<count where records[index].filler == socket {
            records[index].filler = 0
            release(index)
        }
        return freeCount - before
    }
}
