// Attached interfaces, and their numbers.

import CLibBPF
import CrosspointShim
import Glibc
import RTPWire

/// Attaches the ingress program to interfaces and keeps both directions' tables of ports.
///
/// Ports that only send get the ingress program too: many drivers take redirected frames only on interfaces with a
/// program of their own (veth, ixgbe, i40e, ice, mlx5), and what comes in there is not ours and passes.
struct PortTable {
    private let pins: PinDirectory
    private let slots: MappedArray<crosspoint_port_slot>
    private let transmit: Descriptor
    let lanes: MappedArray<crosspoint_lane>
    private var links: [UInt16: Descriptor] = [:]
    private(set) var ports: [UInt16: Port] = [:]
    /// Ports that copies of groups leave by: everything redirected there runs the egress program.
    private var groupPorts: Set<UInt16> = []

    /// Finds the ports whose links are pinned.
    init(
        pins: PinDirectory, slots: MappedArray<crosspoint_port_slot>, transmit: Descriptor,
        lanes: MappedArray<crosspoint_lane>
    ) throws(FastPathError) {
        self.pins = pins
        self.lanes = lanes
        self.slots = slots
        self.transmit = transmit
        for name in pins.names(.links) {
            // port-3-eth1
            let parts = name.split(separator: "-", maxSplits: 2)
            guard parts.count == 3, parts[0] == "port", let number = UInt16(parts[1]),
                number < UInt16(CROSSPOINT_MAX_PORTS), let link = try pins.open(.links, name)
            else { continue }
            let interface = link.use(crosspoint_bpf_link_interface)
            links[number] = link
            ports[number] = Port(
                number: number, name: String(parts[2]), interfaceIndex: interface > 0 ? UInt32(interface) : nil,
                mac: .zero)
            let program = transmit.use { crosspoint_bpf_devmap_program($0, UInt32(number)) }
            if program != 0 { groupPorts.insert(number) }
        }
    }

    /// Makes sure that every frame redirected to these ports runs the egress program, single copies too.
    ///
    /// The kernel takes the program of a whole bulk from its first frame (bq_enqueue): a copy of a group behind a
    /// frame without one would leave with another's headers. Where no group leaves, single copies do without.
    ///
    /// - Returns: whether that is new. Then a grace period must pass before a group is used.
    mutating func prepareForGroups(_ numbers: [UInt16], egress: Descriptor) throws(FastPathError) -> Bool {
        let new = Set(numbers).subtracting(groupPorts)
        groupPorts.formUnion(new)
        for number in new {
            if let port = ports[number] { try enter(port, egress: egress) }
        }
        return !new.isEmpty
    }

    private static func pinName(_ port: Port) -> String { "port-\(port.number)-\(port.name)" }

    func number(ofInterface index: UInt32) -> UInt16? {
        ports.values.first { $0.interfaceIndex == index }?.number
    }

    func interface(ofNumber number: UInt16) -> UInt32? { ports[number]?.interfaceIndex }

    func port(named name: String) -> Port? { ports.values.first { $0.name == name } }

    /// Attaches `ingress` to an interface, or finds it attached. Under the name's old number if it had one.
    mutating func attach(
        name: String, interfaceIndex: UInt32, mac: MACAddress, ingress: Descriptor, egress: Descriptor
    ) throws(FastPathError) -> Port {
        if var port = port(named: name), port.interfaceIndex == interfaceIndex, links[port.number] != nil {
            port.mac = mac
            ports[port.number] = port
            try enter(port, egress: egress)
            return port
        }
        let number: UInt16
        if let known = port(named: name) {
            number = known.number
            // The interface went and came back: the old link holds nothing any more.
            forgetInterface(known)
        } else if let free = freeNumber(for: interfaceIndex) {
            number = free
        } else {
            throw FastPathError(
                .full, "port \(name): \(CROSSPOINT_MAX_PORTS - 1) ports are attached already, which is the limit")
        }
        let port = Port(number: number, name: name, interfaceIndex: interfaceIndex, mac: mac)
        let nativeMode: UInt32 = 1 << 2
        let link = ingress.use { crosspoint_bpf_attach_xdp($0, interfaceIndex, nativeMode) }
        guard link >= 0 else { throw Self.attachError(name, -link) }
        let descriptor = Descriptor(owning: link)
        try enter(port, egress: egress)
        try pins.pin(descriptor, .links, Self.pinName(port))
        links[number] = descriptor
        ports[number] = port
        return port
    }

    /// The number that the egress program guesses from the interface's index, or any.
    private func freeNumber(for interfaceIndex: UInt32) -> UInt16? {
        // The last one takes what belongs to no port (bpf/counters.h).
        let all = 0..<UInt16(CROSSPOINT_MAX_PORTS) - 1
        let wanted = UInt16(interfaceIndex & UInt32(CROSSPOINT_MAX_PORTS - 1))
        return all.contains(wanted) && ports[wanted] == nil ? wanted : all.first { ports[$0] == nil }
    }

    private static func attachError(_ name: String, _ number: CInt) -> FastPathError {
        switch number {
        case EPERM, EACCES:
            FastPathError(.privileges, "port \(name): attaching is not permitted; run as root or as the service's user")
        case EBUSY, EEXIST:
            FastPathError(
                .port,
                "port \(name): another XDP program is attached; see it with 'ip link show dev \(name)' and remove it "
                    + "(ip link set dev \(name) xdp off), or use another interface")
        case EOPNOTSUPP, EINVAL, ERANGE:
            FastPathError(
                .port,
                "port \(name): the driver refuses native XDP (\(errorText(number))); see 'crosspoint check', lower the "
                    + "MTU or use an interface whose driver has it")
        case ENODEV: FastPathError(.port, "port \(name): no such interface")
        default: FastPathError(.port, "port \(name): XDP cannot be attached: \(errorText(number))")
        }
    }

    /// Makes the port known to both programs.
    private func enter(_ port: Port, egress: Descriptor) throws(FastPathError) {
        guard let interface = port.interfaceIndex else { return }
        let mask = Int(CROSSPOINT_PORT_SLOTS) - 1
        var free: Int?
        var known: Int?
        for probe in 0..<Int(CROSSPOINT_PORT_PROBES) {
            let index = (Int(interface) + probe) & mask
            let slot = slots[index].pointee
            if slot.interface_index == interface { known = known ?? index }
            if slot.interface_index == 0 || slot.interface_index == .max { free = free ?? index }
        }
        guard let index = known ?? free else {
            throw FastPathError(
                .full, "port \(port.name): no slot for interface index \(interface); detach other ports")
        }
        slots[index].pointee.port = UInt32(port.number)
        crosspoint_publish32(&slots[index].pointee.interface_index, interface)
        setGuess(port.number, interface)
        let hasGroups = groupPorts.contains(port.number)
        let result = transmit.use { map in
            egress.use { crosspoint_bpf_set_devmap_entry(map, UInt32(port.number), interface, hasGroups ? $0 : -1) }
        }
        guard result == 0 else {
            throw FastPathError(.port, "port \(port.name): cannot be sent to: \(errorText(errno))")
        }
    }

    /// Tells each CPU's lane the interface of a port number.
    private func setGuess(_ number: UInt16, _ interface: UInt32) {
        for processor in 0..<lanes.count {
            withUnsafeMutableBytes(of: &lanes[processor].pointee.interfaces) { bytes in
                bytes.storeBytes(of: interface, toByteOffset: 4 * Int(number), as: UInt32.self)
            }
        }
    }

    private mutating func forgetInterface(_ port: Port) {
        if let interface = port.interfaceIndex {
            setGuess(port.number, 0)
            let mask = Int(CROSSPOINT_PORT_SLOTS) - 1
            for probe in 0..<Int(CROSSPOINT_PORT_PROBES) {
                let index = (Int(interface) + probe) & mask
                // An index that no interface has keeps later slots of the chain in reach.
                if slots[index].pointee.interface_index == interface { slots[index].pointee.interface_index = .max }
            }
            var key = UInt32(port.number)
            _ = transmit.use { bpf_map_delete_elem($0, &key) }
        }
        // Dropping the last reference detaches later, on a worker of the kernel; the caller wants the interface now.
        if let link = links.removeValue(forKey: port.number) { _ = link.use(bpf_link_detach) }
        pins.unpin(.links, Self.pinName(port))
    }

    /// Takes note that the port's interface no longer exists. Its number stays.
    mutating func interfaceGone(_ number: UInt16) {
        guard var port = ports[number] else { return }
        forgetInterface(port)
        port.interfaceIndex = nil
        ports[number] = port
    }

    /// Detaches the port and frees its number.
    mutating func detach(_ number: UInt16) {
        guard let port = ports.removeValue(forKey: number) else { return }
        groupPorts.remove(number)
        forgetInterface(port)
    }

    /// Enters the egress program again for every port.
    func refresh(egress: Descriptor) throws(FastPathError) {
        for port in ports.values { try enter(port, egress: egress) }
    }

    /// Replaces the program of every link, without a packet passing by.
    func replaceProgram(by ingress: Descriptor) throws(FastPathError) {
        for (number, link) in links where ports[number]?.interfaceIndex != nil {
            let result = link.use { link in ingress.use { bpf_link_update(link, $0, nil) } }
            guard result == 0 else {
                throw FastPathError(
                    .kernel, "port \(ports[number]?.name ?? "?"): the program cannot be replaced: \(errorText(errno))")
            }
        }
    }
}
