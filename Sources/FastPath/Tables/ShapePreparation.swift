// Devmaps that are made and wait for their place in the outer map.

import CLibBPF
import CrosspointShim
import Dispatch
import Glibc

/// What sets of legs need before they can be set without a wait: the outer map is updated at once, but the kernel returns after
/// an RCU grace period of 8 ms only, one for all of them.
public struct ShapePreparation: Sendable {
    let outer: Descriptor
    /// By the number in the outer map.
    var devmaps: [UInt16: Descriptor]

    private static let queue = DispatchQueue(label: "shapes")

    /// Enters the devmaps, without holding the caller's thread; returns whether the kernel took them.
    public func installed() async -> Bool {
        await withCheckedContinuation { continuation in
            Self.queue.async { continuation.resume(returning: install() == 0) }
        }
    }

    /// The same while the caller waits; returns 0 or the error's number.
    func install() -> CInt {
        var keys = devmaps.keys.sorted().map(UInt32.init)
        var count = UInt32(keys.count)
        return withExtendedLifetime(devmaps) {
            var values = keys.map { key in devmaps[UInt16(key)]?.use { $0 } ?? -1 }
            return outer.use { bpf_map_update_batch($0, &keys, &values, &count, nil) } == 0 ? 0 : errno
        }
    }
}
