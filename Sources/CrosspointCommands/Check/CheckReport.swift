// Findings of `check`.

import Node
import RTPWire
import Routing
import Timing

/// The configuration against the host.
struct CheckReport: Encodable {
    /// The node's name.
    var node: String
    /// The configuration file, nil if there is none.
    var configurationFile: String?
    /// The number of routes and of legs that it asks for.
    var routes: Int
    var legs: Int
    /// The kernel's release.
    var kernel: String
    /// The support of the kernel: if Crosspoint is tested on such a kernel.
    var kernelSupport: KernelSupport
    /// The interfaces of the host.
    var ports: [PortReport]
    /// The findings for the section `rtsp`; nil without it.
    var rtsp: RTSPCheck?
    /// The findings for the section `sip`; nil without it.
    var sip: SIPCheck?
    /// The obstacles that keep the configuration from working here, each with its remedy.
    var problems: [String]

    /// `isRunning` says that the daemon of this configuration runs.
    init(
        configuration: NodeConfiguration, file: String?, kernel: String, ports: [PortReport], isRunning: Bool = false
    ) {
        node = configuration.node
        configurationFile = file
        routes = configuration.routes.count
        legs = configuration.routes.map(\.legs.count).reduce(0, +)
        self.kernel = kernel
        kernelSupport = KernelSupport(release: kernel)
        self.ports = ports
        problems = kernelSupport == .tooOld ? ["kernel \(kernel): \(kernelSupport.text); boot a newer one"] : []
        if let section = configuration.rtsp {
            var check = RTSPCheck(
                section, interfaces: ports.map(\.name), isRunning: isRunning,
                now: Int(SystemClock.unixNanoseconds / 1_000_000_000))
            check.problems += Self.secrecy(of: configuration, file)
            problems += check.problems
            rtsp = check
        }
        if let section = configuration.sip {
            let check = SIPCheck(
                section, flows: configuration.limits.flows, isRunning: isRunning,
                now: Int(SystemClock.unixNanoseconds / 1_000_000_000))
            problems += check.problems
            sip = check
        }
        let known = Dictionary(ports.map { ($0.name, $0) }) { first, _ in first }
        let tagged = Self.interfacesWithVLANs(of: configuration)
        for (name, user) in Self.interfaces(of: configuration) {
            guard let port = known[name] else {
                let remedy = Suggestion.nearest(to: name, in: known.keys).map { "did you mean '\($0)'?" }
                problems.append(
                    "\(user): there is no interface '\(name)' on this host; "
                        + (remedy ?? "this host has \(known.keys.sorted().joined(separator: ", "))"))
                continue
            }
            problems += port.problems.map { "\(user): port \(name): \($0)" }
            if port.vlanOffload == true, tagged.contains(name) {
                problems.append(
                    "\(user): port \(name) takes VLAN tags out of frames before XDP sees them; "
                        + "turn that off with 'ethtool -K \(name) rxvlan off'")
            }
            if !port.isUp { problems.append("\(user): port \(name) is down; set it up with 'ip link set \(name) up'") }
        }
    }

    /// The remarks on passwords in the file, which everybody may read that its mode lets.
    private static func secrecy(of configuration: NodeConfiguration, _ file: String?) -> [String] {
        guard let file, configuration.hasSecrets, FileAccess.isReadableByOthers(file) else { return [] }
        return ["rtsp.routes: passwords stand in \(file), which everybody on this host can read; chmod o= \(file)"]
    }

    /// The interfaces that a configuration uses, in its order, each with the key that first names it.
    private static func interfaces(of configuration: NodeConfiguration) -> [(name: String, user: String)] {
        var seen: Set<String> = []
        var list: [(name: String, user: String)] = []
        func add(_ name: String, _ user: String) {
            if seen.insert(name).inserted { list.append((name, user)) }
        }
        for name in configuration.ports { add(name, "ports") }
        for route in configuration.routes {
            add(route.source.port.interface, "routes.\(route.name).from")
            for leg in route.legs { add(leg.port.interface, "routes.\(route.name).to") }
        }
        return list
    }

    /// The interfaces that a configuration receives tagged frames at.
    private static func interfacesWithVLANs(of configuration: NodeConfiguration) -> Set<String> {
        Set(configuration.routes.map(\.source.port).filter { !$0.vlans.isEmpty }.map(\.interface))
    }

    /// The report for people.
    func text(colour: Bool) -> String {
        var table = Table([
            .left("PORT"), .left("STATE"), .left("DRIVER"), .right("MTU"), .right("QUEUES"), .right("SPEED"),
            .left("XDP"), .left("REDIRECT"), .left("ZERO-COPY"), .left("VLAN OFFLOAD"),
        ])
        for port in ports {
            table.add([
                Table.Cell(port.name), Table.Cell(port.isUp ? "up" : "down", port.isUp ? .good : .warning),
                Table.Cell(port.driver ?? "-"), Table.Cell("\(port.mtu)"), Table.Cell("\(port.queues)"),
                Table.Cell(port.speed.map { Quantity.bitRate(Double($0)) } ?? "-"), Table.Cell(port.xdpMode ?? "-"),
                Table.Cell(port.redirect ?? "-", port.redirect == "no" ? .bad : nil),
                Table.Cell(port.xdpFeatures.isEmpty ? "-" : port.xdpFeatures.contains("xsk-zerocopy") ? "yes" : "no"),
                Table.Cell(port.vlanOffload.map { $0 ? "on" : "off" } ?? "-"),
            ])
        }
        let file =
            configurationFile.map { "\($0): \(Count.text(routes, "route")), \(Count.text(legs, "leg"))" } ?? "none"
        let notes = ports.flatMap(Self.notes)
        let head =
            [("node", node), ("kernel", "\(kernel) (\(kernelSupport.text))"), ("configuration", file)]
            + (rtsp?.lines ?? []) + (sip?.lines ?? [])
            + ((rtsp?.problems ?? []) + (sip?.problems ?? [])).map { ("problem", $0) }
        return KeyedLines.text(head) + "\n" + table.text(colour: colour)
            + (notes.isEmpty ? "" : "\n" + notes.joined(separator: "\n") + "\n")
    }

    /// The remarks on the work to be done on a port, if it is to be used.
    private static func notes(_ port: PortReport) -> [String] {
        var notes = port.problems
        if port.redirect == "unknown", let reason = port.redirectReason { notes.append("redirect unknown: \(reason)") }
        if port.vlanOffload == true {
            notes.append("takes out VLAN tags; for routes with VLANs, 'ethtool -K \(port.name) rxvlan off'")
        }
        return notes.map { "\(port.name): \($0)" }
    }
}
