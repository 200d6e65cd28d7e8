// Statistics as tables for people.

import FastPath
import Node

/// Writes flows, legs and ports as tables.
enum StatisticsText {
    /// All tables of one reading.
    static func text(of measured: MeasuredStatistics, colour: Bool) -> String {
        let snapshot = measured.snapshot
        let head = "node \(snapshot.node)  \(measured.time)  fast path \(snapshot.programVersion)\n"
        let flows = snapshot.flows.isEmpty ? "no flows\n" : flowTable(measured).text(colour: colour)
        let known = measured.sessions?.sessions ?? []
        let sessions = known.isEmpty ? "" : SessionText.table(known, snapshot).text(colour: colour) + "\n"
        let ports = snapshot.ports.isEmpty ? "no ports attached\n" : portTable(measured).text(colour: colour)
        let table = socketTable(snapshot)
        let sockets = table.map { "\n" + $0.text(colour: colour) } ?? ""
        return "\(head)\n\(flows)\n\(sessions)\(ports)\(sockets)"
    }

    /// One row per flow, and below it one per leg.
    static func flowTable(_ measured: MeasuredStatistics) -> Table {
        var table = Table([
            .left("ROUTE"), .left("STATE"), .left("ENGINE"), .left("ENDPOINT"), .right("RATE"), .right("PACKETS/S"),
            .right("PACKETS"),
            .right("LOST"), .right("REORDERED"), .right("DUPLICATES"), .right("JITTER"), .right("SSRC"), .right("AGE"),
        ])
        for (flow, rates) in zip(measured.snapshot.flows, measured.rates.flows) {
            table.add(row(flow, rates))
            for (leg, legRates) in zip(flow.legs, rates.legs) {
                table.add(row(leg, legRates, flowMoves: rates.packetsPerSecond > 0))
            }
        }
        return table
    }

    private static func row(_ flow: FlowStatistics, _ rates: StatisticsRates.Flow) -> [Table.Cell] {
        let rtp = flow.rtp
        return [
            Table.Cell(flow.route), Table.Cell(rates.state.label, colour(of: rates.state)), Table.Cell(flow.engine),
            Table.Cell(flow.from),
            Table.Cell(Quantity.bitRate(rates.bitsPerSecond)), Table.Cell(Quantity.packetRate(rates.packetsPerSecond)),
            Table.Cell("\(flow.packets)"), count(rtp.map(\.lostPackets)), count(rtp.map(\.reorderedPackets)),
            count(rtp.map(\.duplicatePackets)),
            Table.Cell(rtp?.jitterNanoseconds.map(Quantity.duration) ?? "-"),
            Table.Cell(rtp.map { hexadecimal($0.ssrc) } ?? "-"),
            Table.Cell(flow.lastPacketAgeNanoseconds.map(Quantity.duration) ?? "-"),
        ]
    }

    private static func row(_ leg: LegStatistics, _ rates: StatisticsRates.Leg, flowMoves: Bool) -> [Table.Cell] {
        let state: Table.Cell =
            if rates.refusedPacketsPerSecond > 0 {
                Table.Cell("refused", .bad)
            } else if flowMoves && rates.packetsPerSecond == 0 { Table.Cell("not sent", .bad) } else if flowMoves {
                Table.Cell("ok", .good)
            } else { Table.Cell("-", .faint) }
        return [
            Table.Cell("  leg \(leg.leg)"), state, "", Table.Cell("> \(leg.to)"),
            Table.Cell(Quantity.bitRate(rates.bitsPerSecond)), Table.Cell(Quantity.packetRate(rates.packetsPerSecond)),
            Table.Cell("\(leg.packets)"),
            leg.refusedPackets == 0 ? "" : Table.Cell("\(leg.refusedPackets)", .warning),
        ]
    }

    /// One row per port; below it what was dropped, handed to the host and not delivered, by reason.
    static func portTable(_ measured: MeasuredStatistics) -> Table {
        var table = Table([
            .left("PORT"), .right("RECEIVED/S"), .right("FORWARDED"), .right("SENT/S"), .right("RECEIVED"),
            .right("SENT"), .right("REFUSED"), .right("DROPPED"), .left("REASONS"),
        ])
        for (port, rates) in zip(measured.snapshot.ports, measured.rates.ports) {
            let dropped = port.dropped.values.reduce(0, &+)
            table.add([
                Table.Cell(port.name), Table.Cell(Quantity.packetRate(rates.receivedPacketsPerSecond)),
                Table.Cell(Quantity.bitRate(rates.forwardedBitsPerSecond)),
                Table.Cell(Quantity.packetRate(rates.transmittedCopiesPerSecond)),
                Table.Cell("\(port.receivedPackets)"), Table.Cell("\(port.transmittedCopies)"),
                Table.Cell("\(port.refusedCopies)", port.refusedCopies > 0 ? .warning : nil),
                Table.Cell("\(dropped)", rates.droppedPacketsPerSecond > 0 ? .bad : dropped > 0 ? .warning : nil),
                Table.Cell(reasons(port)),
            ])
        }
        return table
    }

    /// One row per AF_XDP socket; nil where there is none.
    static func socketTable(_ snapshot: StatisticsSnapshot) -> Table? {
        var table = Table([
            .left("AF_XDP PORT"), .right("QUEUE"), .right("WORKER"), .left("MODE"), .right("RECEIVED"), .right("SENT"),
            .left("EVENTS"),
        ])
        let sockets = snapshot.ports.flatMap { port in port.sockets.map { (port.name, $0) } }
        let shown: Set<String> = ["rx_packets", "tx_packets", "tx_wakeups", "rx_wakeups"]
        for (port, socket) in sockets {
            let events = socket.counters.filter { $0.value > 0 && !shown.contains($0.key) }.sorted { $0.key < $1.key }
            table.add([
                Table.Cell(port), Table.Cell("\(socket.queue)"), Table.Cell("\(socket.worker)"),
                Table.Cell(socket.mode + (socket.isMultiBuffer ? ", multi-buffer" : "")),
                Table.Cell("\(socket.counters["rx_packets"] ?? 0)"),
                Table.Cell("\(socket.counters["tx_packets"] ?? 0)"),
                Table.Cell(events.map { "\($0.key) \($0.value)" }.joined(separator: ", ")),
            ])
        }
        return sockets.isEmpty ? nil : table
    }

    /// Every reason that has counted anything, the largest first.
    private static func reasons(_ port: PortStatistics) -> String {
        (port.dropped.map { $0 } + port.undelivered.map { $0 }).filter { $0.value > 0 }
            .sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }

    private static func count(_ value: (some BinaryInteger)?) -> Table.Cell {
        value.map { Table.Cell("\($0)", $0 == 0 ? nil : .warning) } ?? "-"
    }

    private static func hexadecimal(_ number: UInt32) -> String {
        let digits = String(number, radix: 16)
        return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
    }

    private static func colour(of state: FlowState) -> Colour {
        switch state {
        case .ok: .good
        case .loss, .twoSenders: .bad
        case .noSignal: .warning
        }
    }
}
