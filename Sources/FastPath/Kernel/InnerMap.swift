// Entering a map in a map of maps without waiting for the programs that might use its predecessor.

import CLibBPF
import CrosspointShim
import Glibc
import Synchronization

/// A map that takes a place in an outer map which no program uses.
///
/// The kernel stores the new map at once, but returns from the update only after an RCU grace period (8 ms and more), when no
/// program can be using the map that was there before. Where there is none in use, nobody needs that wait: it is left to a
/// thread, and the new map is in place as soon as a look-up finds it.
struct InnerMap {
    private let map: Descriptor

    init(_ map: Descriptor) { self.map = map }

    /// An update that is under way.
    private final class Update: Sendable {
        static let underWay: CInt = -1
        /// Threads at most that wait for the kernel; whoever comes then waits too.
        private static let most = 32
        private static let count = Atomic(0)

        private let map: Descriptor
        private let outer: Descriptor
        private let key: UInt32
        /// 0 when the kernel is done, or the error's number.
        let result = Atomic(Update.underWay)

        init(_ map: Descriptor, _ outer: Descriptor, _ key: UInt32) {
            (self.map, self.outer, self.key) = (map, outer, key)
        }

        func run() {
            var key = key
            let error = map.use { map in
                var value = map
                return outer.use { bpf_map_update_elem($0, &key, &value, UInt64(BPF_ANY)) } == 0 ? 0 : errno
            }
            result.store(error, ordering: .releasing)
        }

        /// Runs on a thread of its own, or here where that cannot be.
        func start() {
            guard Self.count.add(1, ordering: .relaxed).newValue <= Self.most else {
                Self.count.subtract(1, ordering: .relaxed)
                return run()
            }
            var thread = pthread_t()
            let context = Unmanaged.passRetained(self)
            let error = pthread_create(
                &thread, nil,
                { argument in
                    // Signals are for the threads that ask for them.
                    var all = sigset_t()
                    sigfillset(&all)
                    pthread_sigmask(SIG_BLOCK, &all, nil)
                    if let argument { Unmanaged<Update>.fromOpaque(argument).takeRetainedValue().run() }
                    Update.count.subtract(1, ordering: .relaxed)
                    return nil
                }, context.toOpaque())
            guard error != 0 else {
                pthread_detach(thread)
                return
            }
            context.release()
            Self.count.subtract(1, ordering: .relaxed)
            run()
        }
    }

    /// Enters the map; returns 0 when programs find it there, or the error's number.
    func enter(_ outer: Descriptor, at key: UInt32) -> CInt {
        var info = crosspoint_map_info()
        map.use { _ = crosspoint_bpf_map_info($0, &info) }
        let update = Update(map, outer, key)
        update.start()
        var key = key
        while true {
            let result = update.result.load(ordering: .acquiring)
            if result != Update.underWay { return result }
            // To user space, a map of maps gives its maps' ids.
            var id: UInt32 = 0
            if outer.use({ bpf_map_lookup_elem($0, &key, &id) }) == 0, id != 0, id == info.id { return 0 }
            usleep(20)
        }
    }
}
