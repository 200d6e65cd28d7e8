// The frames of one UMEM as its worker keeps book of them.

/// Book-keeping of a UMEM's frames: which are free, and how many descriptors under way refer to the others.
///
/// One worker uses it, through a pointer. A frame has 4,096 bytes, which a multi-buffer frame of a zero-copy driver needs: of a smaller one
/// headroom and tail would leave little.
package struct FrameMemory {
    static let frameShift: UInt64 = 12
    package static let frameSize = 1 << Int(frameShift)
    /// The offset at which the kernel puts received packets (XDP_PACKET_HEADROOM), and at which copies begin.
    package static let headroom = 256
    /// Bytes of a packet that one frame holds.
    static let capacity = frameSize - headroom
    /// The same where a driver receives into it: it may want a header of its own, and the room of skb_shared_info at the end.
    static let zeroCopyCapacity = capacity - 320 - 32

    /// The leg that a copy was made for, in case that the kernel does not send it.
    package struct Copy {
        /// The leg's counter.
        var counter: UInt32
        var bytes: UInt32
    }

    let base: UnsafeMutableRawPointer
    let count: Int
    /// A stack: what was used last is in the cache.
    private let free: UnsafeMutablePointer<UInt32>
    package private(set) var freeCount: Int
    private let references: UnsafeMutablePointer<UInt16>
    let copies: UnsafeMutablePointer<Copy>
    /// The socket, plus 1, in whose fill ring a frame is, or which the kernel has taken from there; 0 for none.
    private let fillers: UnsafeMutablePointer<UInt8>

    /// Frames at `base`, all of them free.
    package init(base: UnsafeMutableRawPointer, count: Int) {
        self.base = base
        self.count = count
        free = .allocate(capacity: count)
        references = .allocate(capacity: count)
        copies = .allocate(capacity: count)
        fillers = .allocate(capacity: count)
        freeCount = count
        for frame in 0..<count { free[frame] = UInt32(count - 1 - frame) }
        references.initialize(repeating: 0, count: count)
        copies.initialize(repeating: Copy(counter: 0, bytes: 0), count: count)
        fillers.initialize(repeating: 0, count: count)
    }

    /// Gives the books back; the memory itself is its owner's.
    package func deallocate() {
        free.deallocate()
        references.deallocate()
        copies.deallocate()
        fillers.deallocate()
    }

    @inline(__always) static func index(_ address: UInt64) -> Int { Int(truncatingIfNeeded: address >> frameShift) }
    @inline(__always) static func address(_ frame: UInt32) -> UInt64 { UInt64(frame) << frameShift }

    /// A free frame; there is one.
    @inline(__always) package mutating func take() -> UInt32 {
        freeCount &-= 1
        let frame = free[freeCount]
        references[Int(frame)] = 1
        return frame
    }

    /// One more descriptor refers to the frame.
    @inline(__always) func retain(_ index: Int) { references[index] &+= 1 }

    /// True if more than one descriptor refers to the frame: then its payload is not one copy's alone.
    @inline(__always) func isShared(_ index: Int) -> Bool { references[index] > 1 }

    /// One descriptor fewer refers to the frame. Addresses come from the kernel, and were ours before.
    @inline(__always) package mutating func release(_ index: Int) {
        let left = references[index] &- 1
        references[index] = left
        if left == 0 {
            free[freeCount] = UInt32(truncatingIfNeeded: index)
            freeCount &+= 1
        }
    }

    @inline(__always) func setFiller(_ socket: UInt8, of index: Int) { fillers[index] = socket }

    /// Takes back every frame that a closed socket's fill ring had. Returns how many.
    mutating func takeBack(filler socket: UInt8) -> Int {
        let before = freeCount
        for index in 0..<count where fillers[index] == socket {
            fillers[index] = 0
            release(index)
        }
        return freeCount - before
    }
}
