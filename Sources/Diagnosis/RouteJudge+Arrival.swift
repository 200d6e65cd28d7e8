// The packets at the port: if those that arrive are the route's, and if not, which ones are nearest.

import FastPath
import Node
import RTPWire
import Routing

extension RouteJudge {
    mutating func judgeArrival(_ route: RouteReport) {
        let source = route.specification.source
        if facts.isMoving {
            judgeSenders(route)
            return
        }
        guard let scan = facts.scan else {
            note(.packets, "nobody could look at the port: \(facts.scanProblem ?? "the daemon does not scan")")
            absent(route)
            return
        }
        // Nearest first: what is for the route, then what differs from it in one thing.
        let ours = scan.flows.filter { $0.route == facts.name }
        if let flow = ours.first(where: { $0.obstacle != nil }) {
            obstacle(flow, route)
        } else if let flow = ours.first {
            unsound(flow, route)
        } else if let flow = scan.flows.first(where: { $0.isFor(source) && $0.vlans == source.port.vlans }) {
            // The route is not in force for them: another one has their sender, or the flow is not installed.
            note(.packets, "packets from \(flow.sender) for its destination are those of route \(flow.route ?? "none")")
            absent(route)
        } else if let flow = scan.flows.first(where: { $0.isFor(source) }) {
            wrongVLAN(flow, route)
        } else if let flow = scan.flows.first(where: {
            $0.destination == "\(source.address)" && $0.udpPort == nil && $0.isFragment
        }) {
            obstacle(flow, route, as: .fragment)
        } else if let flow = scan.flows.first(where: {
            $0.destination == "\(source.address)" && $0.udpPort != nil && $0.route == nil
        }) {
            wrongUDPPort(flow, route)
        } else if let (other, flow) = elsewhere(source) {
            otherPort(other, flow, route)
        } else if let flow = neighbour(of: route, in: scan) {
            fault(
                .packets, .wrongGroup,
                "nothing comes for \(source.address), but \(flow.sender) sends to \(flow.destination ?? "?"):\(flow.udpPort ?? 0), which no route takes",
                remedy:
                    "have the sender send to \(source.address), or 'crosspoint route take \(facts.name) --from \(source.with(destinationOf: flow))'"
            )
        } else {
            absent(route)
        }
    }

    /// What lacks altogether.
    private mutating func absent(_ route: RouteReport) {
        let source = route.specification.source
        // A sender that is seldom heard, or nobody could look: the fast path has kept its last packet.
        if let sighting = facts.flow?.new.sighting {
            sighted(sighting, route)
            return
        }
        let before =
            facts.flow?.new.lastPacketAgeNanoseconds.map { "; the last one came \($0 / 1_000_000_000) s ago" } ?? ""
        let nothing =
            "no packet for \(source.address.bracketed):\(source.udpPort) arrives at \(source.port.description)\(before)"
        let sender = source.source.map { "sender \($0)" } ?? "sender"
        guard source.address.isMulticast else {
            fault(
                .packets, .noPackets, nothing,
                remedy:
                    "check that the \(sender) sends to \(source.address.bracketed):\(source.udpPort), and the way from there"
            )
            return
        }
        if route.membership == "off", source.joins == false {
            fault(
                .packets, .notJoined, nothing + ", and the node does not ask for the group (join=off)",
                remedy: "leave out join=off, or have somebody else ask the switch for \(source.address)")
            return
        }
        if let scan = facts.scan, scan.seconds >= 126, !scan.flows.contains(where: { $0.kind == .membershipQuery }) {
            fault(
                .packets, .noQuerier,
                nothing
                    + ", and no querier asks in \(Rate.seconds(scan.seconds)): a switch that snoops forgets the group",
                remedy: "switch on an IGMP querier (for IPv6 MLD) on the switch or router, or switch off snooping")
            return
        }
        fault(
            .packets, .noPackets, nothing,
            remedy:
                "check that the \(sender) sends to \(source.address), and that the switch passes it on to \(source.port.interface)"
        )
    }

    /// The latest packet for the route's destination that came otherwise, as the fast path remembers it.
    private mutating func sighted(_ sighting: FlowSighting, _ route: RouteReport) {
        var flow = ScannedFlow(
            destination: "\(route.specification.source.address)", sender: sighting.source, vlans: sighting.vlans)
        flow.udpPort = sighting.udpPort
        switch sighting.kind {
        case .ttlExpired:
            (flow.lowestTTL, flow.highestTTL) = (1, 1)
            obstacle(flow, route, as: .ttl)
        case .fragments: obstacle(flow, route, as: .fragment)
        case .wrongVLAN: wrongVLAN(flow, route)
        case .wrongPort: otherPort(sighting.port, flow, route)
        case .wrongUDPPort: wrongUDPPort(flow, route)
        }
    }

    private mutating func wrongUDPPort(_ flow: ScannedFlow, _ route: RouteReport) {
        let source = route.specification.source
        fault(
            .packets, .wrongUDPPort,
            "packets for \(source.address) come to UDP port \(flow.udpPort ?? 0) from \(flow.sender), the route takes \(source.udpPort)",
            remedy:
                "have the sender send to \(source.udpPort), or 'crosspoint route take \(facts.name) --from \(source.with(udpPort: flow.udpPort ?? 0))'"
        )
    }

    private mutating func otherPort(_ other: String, _ flow: ScannedFlow, _ route: RouteReport) {
        let source = route.specification.source
        fault(
            .packets, .otherPort,
            "its packets arrive at port \(other), from \(flow.sender), and the route takes them at \(source.port.interface)",
            remedy:
                "plug the sender in at \(source.port.interface), or 'crosspoint route take \(facts.name) --from \(source.with(port: other, vlans: flow.vlans))'"
        )
    }

    private mutating func wrongVLAN(_ flow: ScannedFlow, _ route: RouteReport) {
        let source = route.specification.source
        let has = flow.vlans.isEmpty ? "no VLAN tag" : "VLAN \(flow.vlans.text)"
        let wants = source.port.vlans.isEmpty ? "frames without a tag" : "VLAN \(source.port.vlans.text)"
        let take =
            "'crosspoint route take \(facts.name) --from \(source.with(port: source.port.interface, vlans: flow.vlans))'"
        if flow.vlans.isEmpty, facts.interface(source.port.interface)?.vlanOffload == true {
            fault(
                .packets, .strippedVLAN,
                "its packets arrive without a VLAN tag, and port \(source.port.interface) takes tags away before they are seen, the route takes \(wants)",
                remedy: "'ethtool -K \(source.port.interface) rxvlan off'")
            return
        }
        fault(
            .packets, .wrongVLAN, "its packets arrive with \(has) from \(flow.sender), the route takes \(wants)",
            remedy: "set the VLAN at the switch or sender, or \(take)")
    }

    private mutating func obstacle(
        _ flow: ScannedFlow, _ route: RouteReport, as known: ScannedFlow.Obstacle? = nil
    ) {
        let source = route.specification.source
        switch known ?? flow.obstacle {
        case .ttl:
            fault(
                .packets, .expired,
                "its packets arrive from \(flow.sender) with TTL \(flow.highestTTL ?? 0), and no router sends them on",
                remedy: "raise the TTL at the sender, to 16 for example (udpsink: ttl-mc=16)")
        case .fragment:
            fault(
                .packets, .fragments,
                "its packets arrive from \(flow.sender) as IP fragments, which are not forwarded",
                remedy: "have the sender send smaller packets, 1400 bytes of payload for example")
        case .options:
            fault(
                .packets, .options, "its packets from \(flow.sender) have IP options, which are not forwarded",
                remedy: "have the sender, or a device on the way, leave out IP options")
        case .source:
            let wanted = [source.source.map { "\($0)" }, source.sourceUDPPort.map { "UDP port \($0)" }]
                .compactMap { $0 }.joined(separator: " ")
            fault(
                .source, .wrongSource,
                "its packets come from \(flow.sender), and the route takes only those from \(wanted)",
                remedy: "correct source= or source-port= with 'crosspoint route take', or stop that sender")
        case .payload:
            let kind = flow.kind == .mpegTS ? "MPEG-TS without RTP" : "not RTP"
            fault(
                .payload, .notRTP,
                "its packets from \(flow.sender) are \(kind), and the route takes \(route.specification.payload.rawValue)",
                remedy: again("--payload raw", "payload: raw") + "; or have the sender send RTP")
        case nil: unsound(flow, route)
        }
    }

    /// Packets that are the route's by all that a scan shows, and are not taken.
    private mutating func unsound(_ flow: ScannedFlow, _ route: RouteReport) {
        let port = route.specification.source.port.interface
        let known: [(reason: String, cause: Cause, text: String, remedy: String)] = [
            (
                "drop_wrong_mac", .wrongHardwareAddress, "are addressed to another Ethernet address than this port's",
                "correct the sender's ARP entry or its route to this node"
            ),
            (
                "drop_martian_source", .martianSource, "have a source address that no sender can have",
                "correct the sender's address"
            ),
            (
                "drop_own_packet", .ownPackets, "come from this node itself: they have gone round in a loop",
                "find the loop in the network behind the port"
            ),
            (
                "drop_bad_header_checksum", .damaged, "have a wrong IP header checksum",
                "check the sender, its checksum offload and the cable"
            ),
            (
                "drop_bad_checksum", .damaged, "have a wrong UDP checksum",
                "check the sender, its checksum offload and the cable"
            ),
            (
                "drop_bad_length", .damaged, "are cut short, or say another length than they have",
                "check the sender and the MTU on the way"
            ),
            (
                "drop_not_rtp", .notRTP, "are not well-formed RTP",
                "have the sender send RTP (RFC 3550), or give the route payload raw"
            ),
        ]
        for (reason, cause, text, remedy) in known where facts.counted(reason, at: port) > 0 {
            fault(.packets, cause, "its packets from \(flow.sender) \(text)", remedy: remedy)
            return
        }
        // They came between the readings and the scan, or stopped meanwhile.
        fault(
            .packets, .noPackets, "its packets came for a moment only, from \(flow.sender)",
            remedy: "ask again; if it stays so, look at the sender")
    }

    /// The same destination at another port.
    private func elsewhere(_ source: SourceSpecification) -> (String, ScannedFlow)? {
        for scan in facts.otherScans {
            if let flow = scan.flows.first(where: { $0.isFor(source) && $0.route == nil }) { return (scan.port, flow) }
        }
        return nil
    }

    /// What the route's sender sends elsewhere, or, of unknown sender, what comes to the same UDP port of another group.
    private func neighbour(of route: RouteReport, in scan: ScanReport) -> ScannedFlow? {
        let source = route.specification.source
        let free = scan.flows.filter { $0.route == nil && $0.udpPort != nil && ($0.kind == .rtp || $0.kind == .mpegTS) }
        if let sender = source.source { return free.first { $0.source == "\(sender)" } }
        return free.first { $0.udpPort == source.udpPort && $0.isMulticast == source.address.isMulticast }
    }

    private mutating func judgeSenders(_ route: RouteReport) {
        guard let (old, new) = facts.flow else { return }
        let rate = Double(new.packets - old.packets) / max(facts.seconds, 0.001)
        let taken = facts.scan?.flows.filter { $0.route == facts.name && $0.obstacle == nil } ?? []
        let from = taken.first.map { " from \($0.sender)" } ?? ""
        right(.packets, "\(Rate.packets(rate)) arrive\(from)")
        let media = taken.filter { $0.kind != .rtcp }
        if let first = media.first, let second = media.first(where: { $0.sender != first.sender }) {
            fault(
                .source, .twoSenders, "two senders send to it: \(first.sender) and \(second.sender)",
                remedy:
                    "stop one of them, or give the route source=\(first.source ?? "") with 'crosspoint route take'")
            return
        }
        let restless = (new.rtp?.ssrcChanges ?? 0) > (old.rtp?.ssrcChanges ?? 0) + 1
        if media.first.map({ $0.ssrcs.count > 1 }) == true, restless {
            fault(
                .source, .twoSenders,
                "two streams (SSRC) take turns in it, from \(media.first?.sender ?? "one sender")",
                remedy: "stop one of them at the sender")
            return
        }
        if let intruder = facts.scan?.flows.first(where: { $0.route == facts.name && $0.obstacle == .source }) {
            note(.source, "packets of another sender, \(intruder.sender), are dropped")
        } else if route.specification.source.source != nil {
            right(.source, "they are from the sender that the route takes")
        }
    }
}

extension ScannedFlow {
    var sender: String {
        guard let source else { return "an unknown sender" }
        guard let sourceUDPPort else { return source }
        return source.contains(":") ? "[\(source)]:\(sourceUDPPort)" : "\(source):\(sourceUDPPort)"
    }

    var isMulticast: Bool { destination.flatMap { IPAddress($0) }?.isMulticast == true }

    /// True if the packets have the destination of `source`, in whatever VLAN.
    func isFor(_ source: SourceSpecification) -> Bool {
        destination == "\(source.address)" && udpPort == source.udpPort
    }
}

extension [UInt16] {
    fileprivate var text: String { map(String.init).joined(separator: ".") }
}

extension SourceSpecification {
    fileprivate func with(udpPort: UInt16) -> SourceSpecification {
        var copy = self
        copy.udpPort = udpPort
        return copy
    }

    fileprivate func with(port: String, vlans: [UInt16]) -> SourceSpecification {
        var copy = self
        copy.port = PortReference(interface: port, vlans: vlans)
        return copy
    }

    fileprivate func with(destinationOf flow: ScannedFlow) -> SourceSpecification {
        var copy = self
        copy.address = flow.destination.flatMap { IPAddress($0) } ?? copy.address
        copy.udpPort = flow.udpPort ?? copy.udpPort
        copy.port.vlans = flow.vlans
        return copy
    }
}
