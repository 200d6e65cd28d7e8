// A scan as text.

import Node

/// Writes a scan for a person.
enum ScanText {
    static func text(_ report: ScanReport, colour: Bool) -> String {
        var table = Table([
            .left("DESTINATION"), .left("VLAN"), .left("SENDER"), .right("TTL"), .right("PKT/S"), .right("RATE"),
            .left("KIND"), .left("PT"), .left("SSRC"), .left("ROUTE"),
        ])
        for flow in report.flows {
            table.add([
                .init(destination(flow)), .init(vlans(flow)), .init(sender(flow)), .init(timeToLive(flow)),
                .init(Quantity.significant(rate: flow.packetRate)), .init(Quantity.bitRate(flow.bitRate)),
                .init(kind(flow)), .init(flow.payloadTypes.map(String.init).joined(separator: ",")),
                .init(
                    flow.ssrcs.prefix(2).map(hexadecimal).joined(separator: ",") + (flow.ssrcs.count > 2 ? ",…" : "")),
                route(flow),
            ])
        }
        return table.text(colour: colour) + summary(report)
    }

    private static func summary(_ report: ScanReport) -> String {
        var text =
            "\(report.port): \(Quantity.packetRate(report.packetRate)), \(Quantity.bitRate(report.bitRate)) "
            + "in \(Quantity.significant(report.seconds)) s"
        if report.samples == 0 { text += "; nothing arrives" }
        if report.smallestSeenRate > 0 {
            text += "; flows under \(Quantity.packetRate(report.smallestSeenRate)) may be missing"
        }
        if report.flowsNotHeld > 0 {
            text +=
                "; no room for up to \(report.flowsNotHeld) flows of \(Quantity.packetRate(report.packetRateNotHeld)) in all"
        }
        return text + "\n"
    }

    private static func destination(_ flow: ScannedFlow) -> String {
        guard let destination = flow.destination else { return "-" }
        return endpoint(destination, flow.udpPort)
    }

    private static func sender(_ flow: ScannedFlow) -> String {
        guard let source = flow.source else { return "-" }
        return endpoint(source, flow.sourceUDPPort)
    }

    private static func endpoint(_ address: String, _ udpPort: UInt16?) -> String {
        guard let udpPort else { return address }
        return address.contains(":") ? "[\(address)]:\(udpPort)" : "\(address):\(udpPort)"
    }

    private static func vlans(_ flow: ScannedFlow) -> String {
        flow.vlans.isEmpty ? "-" : flow.vlans.map(String.init).joined(separator: ".")
    }

    private static func timeToLive(_ flow: ScannedFlow) -> String {
        guard let low = flow.lowestTTL, let high = flow.highestTTL else { return "" }
        return low == high ? "\(low)" : "\(low)-\(high)"
    }

    private static func kind(_ flow: ScannedFlow) -> String {
        guard flow.kind == .notUDP, let number = flow.protocolNumber else { return flow.kind.rawValue }
        if flow.destination == nil {
            return number == 0x0806 ? "arp" : "ethertype 0x" + padded(String(number, radix: 16), 4)
        }
        let names: [UInt16: String] = [1: "icmp", 2: "igmp", 6: "tcp", 58: "icmpv6", 103: "pim"]
        return names[number] ?? "ip protocol \(number)"
    }

    private static func hexadecimal(_ ssrc: UInt32) -> String { padded(String(ssrc, radix: 16), 8) }

    private static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: "0", count: max(0, width - text.count)) + text
    }

    private static func route(_ flow: ScannedFlow) -> Table.Cell {
        guard let route = flow.route else { return "-" }
        guard let obstacle = flow.obstacle else { return .init(route, .good) }
        return .init("\(route) (\(obstacle.rawValue))", .bad)
    }
}
