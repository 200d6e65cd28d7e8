// The broadcast devmaps: one for each combination of interfaces and numbers of legs, shared by all groups that have it.

import CLibBPF
import CrosspointShim
import Glibc

/// The number of legs of a group that leave by each port.
struct Shape: Hashable {
    /// Port numbers and leg counts, by port.
    var legs: [Entry]

    struct Entry: Hashable {
        var port: UInt16
        var count: UInt16
    }

    /// The port of each entry of the devmap, in order.
    var ports: [UInt16] { legs.flatMap { Array(repeating: $0.port, count: Int($0.count)) } }
}

/// Makes, shares, pins and finds again the devmaps of shapes.
///
/// The content of a broadcast devmap depends only on the number of legs that go to each interface. A devmap is made
/// when its shape is first needed, and kept.
struct ShapeTable {
    private let pins: PinDirectory
    private let outer: Descriptor
    private var devmaps: [UInt16: Descriptor] = [:]
    private var shapes: [UInt16: Shape] = [:]
    private var numbers: [Shape: UInt16] = [:]
    private var uses: [UInt16: Int] = [:]

    /// Shapes without a group that are kept in case they are needed again.
    private static let keptUnused = 1024

    /// Finds the shapes that are pinned. `port` gives the number of the port with an interface.
    init(
        pins: PinDirectory, outer: Descriptor, port: (UInt32) -> UInt16?
    ) throws(FastPathError) {
        self.pins = pins
        self.outer = outer
        for name in pins.names(.shapes) {
            guard let number = UInt16(name), let descriptor = try pins.open(.shapes, name) else { continue }
            var info = crosspoint_map_info()
            descriptor.use { _ = crosspoint_bpf_map_info($0, &info) }
            var counts: [UInt16: UInt16] = [:]
            var isWhole = true
            for entry in 0..<info.max_entries {
                let interface = descriptor.use { crosspoint_bpf_devmap_interface($0, entry) }
                if interface != 0, let port = port(interface) {
                    counts[port, default: 0] += 1
                } else {
                    isWhole = false
                }
            }
            devmaps[number] = descriptor
            let shape = Shape(legs: counts.sorted { $0.key < $1.key }.map { .init(port: $0.key, count: $0.value) })
            // Entries vanish with their interface: such a devmap serves its users until their legs are set again.
            if isWhole, numbers[shape] == nil {
                shapes[number] = shape
                numbers[shape] = number
            }
        }
    }

    /// The number of the shape, made if need be, with one more user. `interface` gives a port's interface index.
    mutating func use(
        _ shape: Shape, egress: Descriptor, interface: (UInt16) -> UInt32?
    ) throws(FastPathError) -> UInt16 {
        if let number = numbers[shape] {
            uses[number, default: 0] += 1
            return number
        }
        let number = try freeNumber()
        let ports = shape.ports
        let map = crosspoint_bpf_create_devmap("cp_shape", UInt32(ports.count))
        guard map >= 0 else {
            throw FastPathError(.kernel, "devmap of \(ports.count) legs: cannot be made: \(errorText(errno))")
        }
        let descriptor = Descriptor(owning: map)
        for (key, port) in ports.enumerated() {
            try Self.set(descriptor, key: key, interface: interface(port), egress: egress)
        }
        // No group has the number, and a grace period has passed since the last one had it.
        let error = InnerMap(descriptor).enter(outer, at: UInt32(number))
        guard error == 0 else {
            throw FastPathError(
                .kernel, "devmap of \(ports.count) legs: cannot be installed: \(errorText(error))")
        }
        try pins.pin(descriptor, .shapes, String(number))
        devmaps[number] = descriptor
        shapes[number] = shape
        numbers[shape] = number
        uses[number] = 1
        return number
    }

    /// Counts a user that an earlier process left.
    mutating func adopt(_ number: UInt16) { uses[number, default: 0] += 1 }

    /// Takes one user away. The devmap stays.
    mutating func release(_ number: UInt16) { uses[number, default: 1] -= 1 }

    private static func set(
        _ devmap: Descriptor, key: Int, interface: UInt32?, egress: Descriptor
    ) throws(FastPathError) {
        // An interface that is gone has no entry: the kernel passes over it as over one that is down.
        guard let interface else { return }
        let result = devmap.use { map in
            egress.use { crosspoint_bpf_set_devmap_entry(map, UInt32(key), interface, $0) }
        }
        guard result == 0 || errno == ENODEV || errno == EINVAL else {
            throw FastPathError(
                .kernel, "interface \(interface): cannot be entered in a devmap: \(errorText(errno))")
        }
    }

    private mutating func freeNumber() throws(FastPathError) -> UInt16 {
        let all = UInt16(CROSSPOINT_SHAPE_FIRST)..<UInt16(CROSSPOINT_MAX_SHAPES)
        let unused = devmaps.keys.filter { uses[$0, default: 0] <= 0 }
        if unused.count <= Self.keptUnused, let number = all.first(where: { devmaps[$0] == nil }) { return number }
        guard let number = unused.min() else {
            throw FastPathError(
                .full, "shape table: all \(all.count) combinations of interfaces and legs are in use; remove legs")
        }
        if let shape = shapes.removeValue(forKey: number) { numbers[shape] = nil }
        devmaps[number] = nil
        uses[number] = nil
        pins.unpin(.shapes, String(number))
        return number
    }

    /// Enters interfaces and egress program again everywhere: after a program upgrade, or when an interface came back.
    func refresh(egress: Descriptor, interface: (UInt16) -> UInt32?) throws(FastPathError) {
        for (number, shape) in shapes {
            guard let devmap = devmaps[number] else { continue }
            for (key, port) in shape.ports.enumerated() {
                try Self.set(devmap, key: key, interface: interface(port), egress: egress)
            }
        }
    }
}
