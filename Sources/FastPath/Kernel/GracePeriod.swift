// Waiting until no packet is under way that could still use what was taken out of a table.

import CrosspointShim
import Dispatch
import Synchronization

/// Waits for a grace period: every packet that saw the old state has left. Takes about 8 ms.
///
/// XDP programs and the transmission of what they redirected run with bottom halves off, which the kernel's one RCU
/// flavour waits for (synchronize_rcu, reached by membarrier(MEMBARRIER_CMD_GLOBAL)). Threads of this process that read the tables
/// say by a `TableReader` where they are.
public enum GracePeriod {
    private static let queue = DispatchQueue(label: "grace-period")
    private static let readers = Mutex<[TableReader]>([])

    /// Waits without holding a thread of the cooperative pool.
    public static func elapsed() async {
        await withCheckedContinuation { continuation in
            queue.async {
                wait()
                continuation.resume()
            }
        }
    }

    package static func wait() {
        let result = crosspoint_grace_period()
        // A kernel without membarrier cannot run the programs either, and no other error is documented.
        precondition(result == 0, "membarrier(MEMBARRIER_CMD_GLOBAL) is not available")
        for reader in readers.withLock({ $0 }) { reader.waitForPass() }
    }

    /// From now on every grace period waits for the reader too.
    package static func add(_ reader: TableReader) { readers.withLock { $0.append(reader) } }

    /// Takes away a reader whose thread has ended.
    package static func remove(_ reader: TableReader) { readers.withLock { $0.removeAll { $0 === reader } } }
}
