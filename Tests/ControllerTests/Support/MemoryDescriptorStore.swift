// A descriptor store that lives as long as the test, across controllers.

import Synchronization

@testable import Routing

/// Keeps descriptors in memory, as systemd or the holder would.
final class MemoryDescriptorStore: DescriptorStore {
    private let stored = Mutex<[String: OwnedDescriptor]>([:])

    func recover() throws(RoutingError) -> [String: OwnedDescriptor] { stored.withLock { $0 } }

    func store(_ name: String, _ descriptor: OwnedDescriptor) throws(RoutingError) {
        stored.withLock { $0[name] = descriptor }
    }

    func remove(_ name: String) throws(RoutingError) { stored.withLock { $0[name] = nil } }

    func finish() throws(RoutingError) {}

    var names: [String] { stored.withLock { $0.keys.sorted() } }
}
