// What becomes of the packets that arrive: payload, engine, key, legs, links.

import FastPath
import Node
import RTPWire
import Routing

extension RouteJudge {
    // MARK: Payload and rate

    mutating func judgePayload(_ route: RouteReport) {
        guard let (old, new) = facts.flow else { return }
        let specification = route.specification
        let packets = Double(new.packets - old.packets)
        if new.invalidPackets > old.invalidPackets {
            note(
                .payload,
                "\(new.invalidPackets - old.invalidPackets) packets were not \(new.payload.uppercased()), and dropped")
        }
        if specification.payload == .rtp,
            new.rtcpPackets - min(old.rtcpPackets, new.rtcpPackets) < new.packets - old.packets,
            let type = new.rtp?.payloadType
        {
            judgePayloadType(type, specification)
        }
        guard let declared = specification.wireRate, facts.seconds > 0 else { return }
        // Preamble, frame check sequence and the gap between frames: 24 bytes.
        let bits = (Double(new.bytes - old.bytes) + packets * 24) * 8 / facts.seconds
        if bits > Double(declared) * 1.25 || bits < Double(declared) / 4 {
            fault(
                .rate, .rateDiffers,
                "it carries \(Rate.bits(bits)), and \(Rate.bits(Double(declared))) are declared for it: admission of routes counts with a wrong rate",
                remedy: again(
                    "--rate \(Int((bits / 1e5).rounded(.up)) * 100)kb/s",
                    "rate: \(Int((bits / 1e5).rounded(.up)) * 100)kb/s") + "; or correct the sender")
        } else {
            right(.rate, "\(Rate.bits(bits)) of \(Rate.bits(Double(declared))) that are declared")
        }
    }

    private mutating func judgePayloadType(_ type: UInt8, _ specification: RouteSpecification) {
        if let declared = specification.clockRate, let static_ = Self.staticClocks[type], static_ != declared {
            fault(
                .payload, .payloadType,
                "its packets have payload type \(type), whose clock is \(static_) Hz (RFC 3551), and the route has clock \(declared)",
                remedy: again("--clock \(static_)", "clock: \(static_)")
                    + "; or have the sender send the payload type that was agreed on")
            return
        }
        let seen = facts.scan?.flows.first { $0.route == facts.name && $0.kind == .rtp }?.payloadTypes ?? []
        if seen.count > 1 {
            note(.payload, "RTP of payload types \(seen.map(String.init).joined(separator: ", "))")
        } else {
            right(.payload, "RTP of payload type \(type)")
        }
    }

    /// The clock rates of static payload types (RFC 3551 section 6), Hz.
    private static let staticClocks: [UInt8: UInt32] = [
        0: 8000, 3: 8000, 4: 8000, 5: 8000, 6: 16_000, 7: 8000, 8: 8000, 9: 8000, 10: 44_100, 11: 44_100, 12: 8000,
        13: 8000, 14: 90_000, 15: 8000, 16: 11_025, 17: 22_050, 18: 8000, 25: 90_000, 26: 90_000, 28: 90_000,
        31: 90_000, 32: 90_000, 33: 90_000, 34: 90_000,
    ]

    // MARK: Engine, key, loss

    mutating func judgeEngine(_ route: RouteReport) {
        guard let (_, new) = facts.flow else { return }
        guard new.engine != "none" else {
            fault(
                .engine, .noWorker, "it needs an AF_XDP worker, and none takes its packets: \(new.engineReason)",
                remedy:
                    "see 'crosspoint check' and the daemon's log for the worker of port \(route.specification.source.port.interface)"
            )
            return
        }
        if new.engine == "partly" {
            note(.engine, "the kernel engine carries its plain legs: \(new.engineReason)")
        } else {
            right(.engine, "the \(new.engine) engine carries it")
        }
        guard route.specification.usesSRTP else { return }
        let ports = Set([route.specification.source.port.interface] + route.specification.legs.map(\.port.interface))
        func counted(_ reason: String) -> UInt64 { ports.reduce(0) { $0 + facts.counted(reason, at: $1) } }
        let key = route.specification.source.srtp.map { " \($0)" } ?? ""
        let (forged, unknown, replayed) = (
            counted("copy_srtp_authentication"), counted("copy_srtp_unknown_key"), counted("copy_srtp_replay")
        )
        if forged + unknown > 0 {
            fault(
                .key, .wrongKey, "\(forged + unknown) packets do not fit the key\(key), and are dropped",
                remedy: "give both ends the same key: 'crosspoint key list' names this node's")
        } else if counted("copy_srtp_no_key") + counted("copy_srtp_key_limit") > 0 {
            fault(
                .key, .wrongKey, "the key is missing or used up, and packets are dropped",
                remedy: "give the route a new key with 'crosspoint key new'")
        } else if counted("copy_srtp_malformed") > 0 {
            fault(
                .key, .wrongKey, "its packets are not SRTP of the key's profile",
                remedy: "have the sender encrypt, with the profile of the key")
        } else {
            if replayed > 0 { note(.key, "\(replayed) packets came twice, and were dropped") }
            right(.key, "packets fit the key")
        }
    }

    mutating func judgeLoss() {
        guard let state = facts.state, state.state == .loss else { return }
        fault(
            .loss, .loss, "packets are missing when they arrive: \(state.reason ?? "loss")",
            remedy: "look at the sender, and at the switches between it and this port: they were lost before this node")
    }

    // MARK: Legs

    mutating func judgeLegs(_ route: RouteReport) {
        if route.legs.isEmpty {
            if route.specification.delivery == .host {
                right(.leg, "packets go to this host")
            } else {
                fault(
                    .leg, .noLegs, "it has no legs: packets are counted, and sent nowhere",
                    remedy: "'crosspoint leg add \(facts.name) ADDRESS:UDPPORT@PORT'")
            }
        }
        for leg in route.legs { judge(leg, route) }
        for port in Set(route.legs.map(\.specification.port.interface)).sorted() { judgeCapacity(of: port) }
    }

    private mutating func judge(_ leg: LegReport, _ route: RouteReport) {
        let name = "leg \(leg.number) to \(leg.specification.address.bracketed):\(leg.specification.udpPort)"
        let interface = leg.specification.port.interface
        let reason = leg.reason ?? "no reason is known"
        switch leg.state {
        case .unresolved:
            fault(
                .leg, .legUnresolved, "\(name) is not sent: \(reason)",
                remedy:
                    "check that the receiver or gateway is on, and on \(leg.specification.port), or give the leg mac=")
        case .linkDown where missing(interface):
            fault(
                .leg, .interfaceMissing, "\(name) is not sent: interface \(interface) does not exist",
                remedy: "plug in or create \(interface), which brings the leg up, or give the leg another port")
        case .linkDown:
            fault(
                .leg, .legLinkDown, "\(name) is not sent: \(reason)",
                remedy:
                    "check the cable and the switch at \(interface), and bring it up with 'ip link set \(interface) up'"
            )
        case .unroutable:
            fault(.leg, .legUnroutable, "\(name) is not sent: \(reason)", remedy: "mend what the reason names")
        case .shut:
            if route.owner == .session {
                note(.leg, "\(name) waits for its session")
            } else {
                fault(.leg, .legShut, "\(name) is shut", remedy: "remove the leg and add it again")
            }
        case .noWorker:
            fault(
                .leg, .noWorker, "\(name) is not sent: \(reason)",
                remedy: "see 'crosspoint check' and the daemon's log for the AF_XDP worker of \(interface)")
        case .active: judgeActive(leg, name, route)
        }
    }

    private mutating func judgeActive(_ leg: LegReport, _ name: String, _ route: RouteReport) {
        let interface = leg.specification.port.interface
        if let reason = leg.reason {
            // An active leg with a reason has copies that its way does not take.
            fault(
                .leg, .legTooLong, "\(name) is not sent: \(reason)",
                remedy:
                    "raise the MTU of \(interface) and of what lies behind it, or have the sender send smaller packets")
            return
        }
        guard let (old, new) = facts.flow, facts.isMoving,
            let before = old.legs.first(where: { $0.leg == leg.number }),
            let after = new.legs.first(where: { $0.leg == leg.number })
        else {
            right(.leg, "\(name) is ready\(leg.nextHop.map { ", next hop \($0)" } ?? "")")
            return
        }
        let sent = after.packets - min(before.packets, after.packets)
        let refused = after.refusedPackets - min(before.refusedPackets, after.refusedPackets)
        let arrived = Double(new.packets - old.packets)
        let ports = [interface, route.specification.source.port.interface]
        func counted(_ reason: String) -> Bool { ports.contains { facts.counted(reason, at: $0) > 0 } }
        let length = Double(new.bytes - old.bytes) / max(arrived, 1) - 14
        if let mtu = facts.interface(interface)?.mtu, length > Double(mtu) || (refused > 0 && counted("copy_too_long"))
        {
            fault(
                .leg, .legTooLong,
                "\(name) is refused: its packets of \(Int(length)) bytes are longer than the MTU of \(interface), \(mtu)",
                remedy:
                    "'ip link set \(interface) mtu \(max(Int(length), mtu + 1))' or more, or have the sender send smaller packets"
            )
            return
        }
        if refused > 0 || sent == 0 {
            let isQuiet = leg.specification.packets == .rtcp || (route.owner == .session && refused == 0)
            if isQuiet, refused == 0 {
                note(.leg, "\(name) sent nothing meanwhile")
            } else if counted("copy_interface_down") {
                fault(
                    .leg, .legLinkDown, "\(name) is not sent: interface \(interface) has no link",
                    remedy: "check the cable and the switch at \(interface)")
            } else if refused > 0 {
                fault(
                    .leg, .legRefused, "\(name): \(refused) copies were refused by the driver of \(interface)",
                    remedy:
                        "see 'crosspoint check' for REDIRECT of \(interface); its queues are full, or its driver has no room for redirected frames"
                )
            } else if !route.specification.usesSRTP
                || !findings.contains(where: { $0.link == .key && $0.verdict == .fault })
            {
                fault(
                    .leg, .legSilent, "\(name) is in place, and no copy of \(Int(arrived)) packets left",
                    remedy: "see 'crosspoint stats \(facts.name)' for the reasons of port \(interface)")
            }
            return
        }
        judgeTimeToLive(leg, name, route)
        right(
            .leg,
            "\(name): \(Rate.packets(Double(sent) / max(facts.seconds, 0.001)))\(leg.nextHop.map { " by \($0)" } ?? "")"
        )
    }

    private func missing(_ interface: String) -> Bool {
        interface != PortReference.host.interface && !facts.interfaces.isEmpty && facts.interface(interface) == nil
    }

    /// A TTL that ends at the first router, although there is one.
    private mutating func judgeTimeToLive(_ leg: LegReport, _ name: String, _ route: RouteReport) {
        let arriving = facts.scan?.flows.first { $0.route == facts.name && $0.obstacle == nil }?.lowestTTL
        let leaving: UInt8
        switch leg.specification.timeToLive {
        case .set(let value): leaving = value
        case .keep: leaving = arriving ?? 255
        case .decrement: leaving = (arriving ?? 255) - 1
        }
        guard leaving <= 1, !leg.specification.port.isHostPort else { return }
        let address = "\(leg.specification.address)"
        let hasGateway = leg.nextHop.map { !$0.hasPrefix(address) } ?? false
        if !leg.specification.address.isMulticast, hasGateway {
            fault(
                .leg, .legTTL, "\(name) leaves with TTL \(leaving), and the gateway \(leg.nextHop ?? "") drops it",
                remedy: "'crosspoint leg set \(facts.name) \(leg.number) …,ttl=16', or raise the TTL at the sender")
        } else if leg.specification.address.isMulticast {
            note(.leg, "\(name) leaves with TTL \(leaving): receivers behind a router do not get it")
        }
    }

    /// The load of an egress link.
    private mutating func judgeCapacity(of port: String) {
        guard let speed = facts.interface(port)?.speed, speed > 0, facts.seconds > 0, let before = facts.before,
            let after = facts.after
        else { return }
        var bits = 0.0
        for flow in after.flows {
            guard let old = before.flows.first(where: { $0.route == flow.route && $0.from == flow.from }) else {
                continue
            }
            for leg in flow.legs
            where leg.to.hasSuffix("@\(port)") || leg.to.contains("@\(port),") || leg.to.contains("@\(port).") {
                guard let oldLeg = old.legs.first(where: { $0.leg == leg.leg }), leg.packets >= oldLeg.packets else {
                    continue
                }
                bits +=
                    (Double(leg.bytes - min(oldLeg.bytes, leg.bytes)) + Double(leg.packets - oldLeg.packets) * 24) * 8
            }
        }
        let rate = bits / facts.seconds
        guard rate > Double(speed) * 0.98 else { return }
        fault(
            .leg, .linkFull, "port \(port) is full: its legs ask for \(Rate.bits(rate)) of \(Rate.bits(Double(speed)))",
            remedy:
                "move legs to another port, or give the routes their --rate, so that admission refuses what does not fit"
        )
    }

    mutating func judgeReceivers(_ route: RouteReport) {
        guard !route.legs.isEmpty else { return }
        note(
            .receivers,
            "what lies behind the next hop is not seen from here: check the receiver's group, UDP port and firewall")
    }
}

extension PortReference {
    var isHostPort: Bool { interface == Self.host.interface }
}
