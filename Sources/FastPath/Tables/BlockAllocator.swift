// Which records of an array are taken: contiguous blocks, by the buddy system.

/// Hands out contiguous blocks of indices whose sizes are rounded up to powers of two.
///
/// A block's place and size follow from its first index and the number asked for alone, so that the state can be
/// rebuilt from what an earlier process left in the maps.
struct BlockAllocator {
    let capacity: Int
    private let largestOrder: Int
    /// First indices of the free blocks, by order.
    private var free: [Set<Int>]

    /// All of `0..<capacity` free; `capacity` is a multiple of `largest`, a power of two.
    init(capacity: Int, largest: Int) {
        precondition(largest.nonzeroBitCount == 1 && capacity % largest == 0)
        self.capacity = capacity
        self.largestOrder = largest.trailingZeroBitCount
        self.free = Array(repeating: [], count: largestOrder + 1)
        self.free[largestOrder] = Set(stride(from: 0, to: capacity, by: largest))
    }

    private static func order(of count: Int) -> Int {
        count <= 1 ? 0 : Int.bitWidth - (count - 1).leadingZeroBitCount
    }

    /// Takes a block of at least `count` indices; nil when there is none.
    mutating func allocate(_ count: Int) -> Int? {
        let order = Self.order(of: count)
        guard order <= largestOrder, var found = (order...largestOrder).first(where: { !free[$0].isEmpty }),
            let first = free[found].first
        else { return nil }
        free[found].remove(first)
        while found > order {
            found -= 1
            free[found].insert(first + 1 << found)
        }
        return first
    }

    /// Takes the very block that begins at `first`; false when it is not free.
    mutating func take(first: Int, count: Int) -> Bool {
        let order = Self.order(of: count)
        guard order <= largestOrder, first >= 0, first + count <= capacity, first & (1 << order - 1) == 0 else {
            return false
        }
        for larger in order...largestOrder {
            let start = first & ~(1 << larger - 1)
            guard free[larger].remove(start) != nil else { continue }
            // Split down to the block, giving back the halves beside it.
            var size = larger
            var current = start
            while size > order {
                size -= 1
                let middle = current + 1 << size
                if first >= middle {
                    free[size].insert(current)
                    current = middle
                } else {
                    free[size].insert(middle)
                }
            }
            return true
        }
        return false
    }

    /// Gives a block back.
    mutating func release(first: Int, count: Int) {
        var order = Self.order(of: count)
        var start = first
        while order < largestOrder, free[order].remove(start ^ 1 << order) != nil {
            start &= ~(1 << order)
            order += 1
        }
        free[order].insert(start)
    }

    /// How many indices are free.
    var freeCount: Int { free.enumerated().reduce(0) { $0 + $1.element.count << $1.offset } }
}
