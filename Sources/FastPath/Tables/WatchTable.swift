// The destinations of flows, for packets that are theirs and come otherwise than expected (bpf/sightings.h).

import CLibBPF
import CrosspointShim
import Glibc
import RTPWire

/// The entries that the fast path looks packets up in that no flow takes: for each flow its destination with its UDP port, and with 0.
///
/// They only explain: an entry that cannot be made leaves a silent flow unexplained, and nothing else.
struct WatchTable {
    private struct Destination: Hashable {
        var address: IPAddress
        var udpPort: UInt16

        var key: crosspoint_watch_key {
            crosspoint_watch_key(destination: address.words, udp_port: udpPort.bigEndian, reserved: 0)
        }
    }

    let map: Descriptor
    /// The number of flows of each destination.
    private var uses: [Destination: Int] = [:]

    init(map: Descriptor) { self.map = map }

    /// Enters a flow's destination.
    mutating func add(_ address: IPAddress, udpPort: UInt16) {
        for destination in [Destination(address: address, udpPort: udpPort), Destination(address: address, udpPort: 0)]
        {
            let count = uses[destination, default: 0]
            uses[destination] = count + 1
            guard count == 0 else { continue }
            var key = destination.key
            var empty = crosspoint_watch()
            // What is there already, after a restart of the daemon, stays.
            _ = map.use { bpf_map_update_elem($0, &key, &empty, UInt64(BPF_NOEXIST)) }
        }
    }

    /// Takes a flow's destination out, with what was seen, unless another flow has it.
    mutating func remove(_ address: IPAddress, udpPort: UInt16) {
        for destination in [Destination(address: address, udpPort: udpPort), Destination(address: address, udpPort: 0)]
        {
            guard let count = uses[destination] else { continue }
            uses[destination] = count > 1 ? count - 1 : nil
            guard count == 1 else { continue }
            var key = destination.key
            _ = map.use { bpf_map_delete_elem($0, &key) }
        }
    }

    /// The latest packets that were for a destination and came otherwise, of all kinds; those with a time of 0 never came.
    static func sightings(_ address: IPAddress, udpPort: UInt16, in map: Descriptor) -> [crosspoint_sighting] {
        [udpPort, 0].flatMap { udpPort -> [crosspoint_sighting] in
            var key = Destination(address: address, udpPort: udpPort).key
            var watch = crosspoint_watch()
            guard map.use({ bpf_map_lookup_elem($0, &key, &watch) }) == 0 else { return [] }
            return [watch.sightings.0, watch.sightings.1]
        }
    }
}
