// Allocation of records of an array: contiguous blocks, by the buddy system.

/// Hands out contiguous blocks of indices whose sizes are rounded up to powers of two, the lowest that fits best.
///
/// A block's place and size follow from its first index and the number asked for alone, so that the state can be
/// rebuilt from what an earlier process left in the maps.
struct BlockAllocator {
    let capacity: Int
    private let largestOrder: Int
    /// The free blocks by order, by number: their first index in units of their size.
    private var free: [FreeNumbers]

    /// All of `0..<capacity` free; `capacity` is a multiple of `largest`, a power of two.
    init(capacity: Int, largest: Int) {
        precondition(largest.nonzeroBitCount == 1 && capacity % largest == 0)
        self.capacity = capacity
        self.largestOrder = largest.trailingZeroBitCount
        self.free = (0...largestOrder).map { FreeNumbers(capacity: capacity >> $0) }
        for number in 0..<capacity / largest { free[largestOrder].insert(number) }
    }

    private static func order(of count: Int) -> Int {
        count <= 1 ? 0 : Int.bitWidth - (count - 1).leadingZeroBitCount
    }

    /// Takes a block of at least `count` indices; nil when there is none.
    mutating func allocate(_ count: Int) -> Int? {
        let order = Self.order(of: count)
        for larger in order..<max(order, largestOrder + 1) {
            guard let number = free[larger].first else { continue }
            _ = free[larger].remove(number)
            // Split down to the lower end, giving back the upper halves.
            for size in (order..<larger).reversed() { free[size].insert((number << (larger - size)) + 1) }
            return number << larger
        }
        return nil
    }

    /// Takes the very block that begins at `first`; false when it is not free.
    mutating func take(first: Int, count: Int) -> Bool {
        let order = Self.order(of: count)
        guard order <= largestOrder, first >= 0, first + count <= capacity, first & (1 << order - 1) == 0 else {
            return false
        }
        for larger in order...largestOrder {
            guard free[larger].remove(first >> larger) else { continue }
            // Split down to the block, giving back the halves beside it.
            for size in (order..<larger).reversed() { free[size].insert(first >> size ^ 1) }
            return true
        }
        return false
    }

    /// Gives a block back.
    mutating func release(first: Int, count: Int) {
        var order = Self.order(of: count)
        var number = first >> order
        while order < largestOrder, free[order].remove(number ^ 1) {
            number >>= 1
            order += 1
        }
        free[order].insert(number)
    }

    /// The number of free indices.
    var freeCount: Int { free.enumerated().reduce(0) { $0 + $1.element.count << $1.offset } }
}
