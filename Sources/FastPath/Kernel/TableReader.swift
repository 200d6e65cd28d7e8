// Position of a thread of this process that reads the tables beside the kernel's programs.

import Glibc
import Synchronization

/// Tells where a thread is that reads the tables outside the kernel.
///
/// It reads between `begin` and `end` only, and keeps nothing from one pass to the next. A pass is a batch of
/// packets, so that its fence costs a packet little.
package final class TableReader: Sendable {
    /// Odd while a pass is under way.
    private let passes = Atomic<UInt64>(0)

    package init() {}

    @inline(__always) package func begin() {
        passes.store(passes.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
    }

    @inline(__always) package func end() {
        passes.store(passes.load(ordering: .relaxed) &+ 1, ordering: .releasing)
    }

    /// Returns when the pass that is now under way, if one is, has ended.
    func waitForPass() {
        let now = passes.load(ordering: .acquiring)
        guard now & 1 == 1 else { return }
        while passes.load(ordering: .acquiring) == now { usleep(50) }
    }
}
