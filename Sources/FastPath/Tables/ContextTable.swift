// The contexts of flows or legs, by index, as workers read them.

import CrosspointShim

/// Plain pointers for workers, and beside them what keeps alive what they point to.
final class ContextTable {
    let first: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    private let count: Int
    private var owners: [Int: WorkerContext] = [:]

    init(count: Int) {
        self.count = count
        first = .allocate(capacity: count)
        first.initialize(repeating: nil, count: count)
    }

    deinit { first.deallocate() }

    /// Sets what workers find at `index`, and returns what they may still be using.
    @discardableResult
    func set(_ context: WorkerContext?, at index: Int) -> WorkerContext? {
        if context == nil, owners.isEmpty { return nil }
        let old = owners[index]
        crosspoint_publish64(
            UnsafeMutableRawPointer(first + index).assumingMemoryBound(to: UInt64.self),
            UInt64(UInt(bitPattern: context?.address)))
        owners[index] = context
        return old
    }
}
