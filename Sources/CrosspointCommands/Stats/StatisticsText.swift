// Statistics as tables for people.

import FastPath
import Node
import Timing

/// Flows, legs, sessions and ports as tables.
struct StatisticsText {
    private let measured: MeasuredStatistics
    /// True for all columns, false for those that fit 80 of a terminal.
    private let isWide: Bool
    /// The time at which the daemon was last alive, nanoseconds since 1970.
    private let heartbeat: UInt64?
    private let colour: Bool
    private let states: [[String]: FlowReport]

    init(_ measured: MeasuredStatistics, isWide: Bool = true, heartbeat: UInt64? = nil, colour: Bool) {
        self.measured = measured
        self.isWide = isWide
        self.heartbeat = heartbeat
        self.colour = colour
        states = Dictionary((measured.states ?? []).map { ([$0.route, $0.from], $0) }) { first, _ in first }
    }

    /// All tables of the reading.
    var text: String {
        let snapshot = measured.snapshot
        let head = "node \(snapshot.node)  \(measured.time)  fast path \(snapshot.programVersion)\n"
        let flows = snapshot.flows.isEmpty ? "no flows\n" : flowTable.text(colour: colour)
        let known = measured.sessions?.sessions ?? []
        let sessions = known.isEmpty ? "" : SessionText.table(known, snapshot).text(colour: colour) + "\n"
        let ports = snapshot.ports.isEmpty ? "no ports attached\n" : Self.portTable(measured).text(colour: colour)
        let table = Self.socketTable(snapshot)
        let sockets = table.map { "\n" + $0.text(colour: colour) } ?? ""
        return "\(head)\(daemonLine)\n\(flows)\n\(sessions)\(ports)\(sockets)"
    }

    /// A line that says that the daemon is away; empty where it is not, or where it is not known whose fast path this is.
    private var daemonLine: String {
        guard measured.states == nil, let heartbeat else { return "" }
        let seconds = measured.snapshot.unixNanoseconds.subtractingSaturating(heartbeat) / 1_000_000_000
        let text =
            "the daemon does not answer; it was last alive at \(RFC3339.text(unixNanoseconds: heartbeat)), \(seconds) s ago"
        return (colour ? Colour.bad.paint(text) : text) + "\n"
    }

    // MARK: Flows

    /// One row per flow, and below it one per leg.
    private var flowTable: Table {
        var table = Table(
            isWide
                ? [
                    .left("ROUTE"), .left("STATE"), .left("ENGINE"), .left("ENDPOINT"), .right("RATE"),
                    .right("PACKETS/S"), .right("PACKETS"), .right("LOST"), .right("LAST LOSS"), .right("REORDERED"),
                    .right("DUPLICATES"), .right("JITTER"), .right("SSRC"), .right("AGE"), .left("REASON"),
                ]
                : [
                    .left("ROUTE"), .left("STATE"), .right("RATE"), .right("LOST"), .right("LAST LOSS"),
                    .right("JITTER"), .left("TO"),
                ])
        for (flow, rates) in zip(measured.snapshot.flows, measured.rates.flows) {
            table.add(isWide ? wideRow(flow, rates) : narrowRow(flow, rates))
            for (leg, legRates) in zip(flow.legs, rates.legs) { table.add(row(leg, legRates, of: rates)) }
        }
        return table
    }

    private func report(of flow: FlowStatistics) -> FlowReport? { states[[flow.route, flow.from]] }

    private func state(of flow: FlowStatistics, _ rates: StatisticsRates.Flow) -> Table.Cell {
        let state = report(of: flow)?.state ?? rates.state
        return Table.Cell(state.label, Self.colour(of: state))
    }

    private func lastLoss(of flow: FlowStatistics) -> Table.Cell {
        guard let report = report(of: flow), report.loss != nil else { return "-" }
        return report.lastLossSeconds.map {
            Table.Cell(Quantity.duration(nanoseconds: $0.multipliedSaturating(by: 1_000_000_000)) + " ago", .warning)
        } ?? "-"
    }

    private func wideRow(_ flow: FlowStatistics, _ rates: StatisticsRates.Flow) -> [Table.Cell] {
        let rtp = flow.rtp
        return [
            Table.Cell(flow.route), state(of: flow, rates), Table.Cell(flow.engine), Table.Cell(flow.from),
            Table.Cell(Quantity.bitRate(rates.bitsPerSecond)), Table.Cell(Quantity.packetRate(rates.packetsPerSecond)),
            Table.Cell("\(flow.packets)"), Self.count(rtp.map(\.lostPackets)), lastLoss(of: flow),
            Self.count(rtp.map(\.reorderedPackets)), Self.count(rtp.map(\.duplicatePackets)),
            Table.Cell(rtp?.jitterNanoseconds.map(Quantity.duration) ?? "-"),
            Table.Cell(rtp.map { Self.hexadecimal($0.ssrc) } ?? "-"),
            Table.Cell(flow.lastPacketAgeNanoseconds.map(Quantity.duration) ?? "-"),
            Table.Cell(report(of: flow)?.reason ?? ""),
        ]
    }

    private func narrowRow(_ flow: FlowStatistics, _ rates: StatisticsRates.Flow) -> [Table.Cell] {
        [
            Table.Cell(flow.route), state(of: flow, rates), Table.Cell(Quantity.bitRate(rates.bitsPerSecond)),
            Self.count(flow.rtp.map(\.lostPackets)), lastLoss(of: flow),
            Table.Cell(flow.rtp?.jitterNanoseconds.map(Quantity.duration) ?? "-"), Table.Cell(flow.from),
        ]
    }

    private func row(
        _ leg: LegStatistics, _ rates: StatisticsRates.Leg, of flow: StatisticsRates.Flow
    ) -> [Table.Cell] {
        let isMoving = flow.packetsPerSecond > 0
        let state: Table.Cell =
            if rates.isWithoutLink {
                Table.Cell("link down", .bad)
            } else if rates.refusedPacketsPerSecond > 0 {
                Table.Cell("refused", .bad)
            } else if isMoving && rates.packetsPerSecond == 0 {
                Table.Cell("not sent", .bad)
            } else if isMoving {
                Table.Cell("ok", .good)
            } else {
                Table.Cell("-", .faint)
            }
        let refused: Table.Cell = leg.refusedPackets == 0 ? "" : Table.Cell("\(leg.refusedPackets)", .warning)
        guard isWide else {
            return [
                Table.Cell("  leg \(leg.leg)"), state, Table.Cell(Quantity.bitRate(rates.bitsPerSecond)), refused, "",
                "",
                Table.Cell("> \(leg.to)"),
            ]
        }
        return [
            Table.Cell("  leg \(leg.leg)"), state, "", Table.Cell("> \(leg.to)"),
            Table.Cell(Quantity.bitRate(rates.bitsPerSecond)), Table.Cell(Quantity.packetRate(rates.packetsPerSecond)),
            Table.Cell("\(leg.packets)"), refused,
        ]
    }

    // MARK: Ports

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
        case .intruder: .warning
        case .loss, .twoSenders, .notRTP, .noWorker, .noSignal, .ttlExpired, .fragments, .wrongVLAN, .wrongPort,
            .wrongUDPPort:
            .bad
        }
    }
}
