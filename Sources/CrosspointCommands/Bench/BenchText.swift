// The report for a person.

import Qualification

/// Writes what a qualification found.
enum BenchText {
    /// Table, plot and the answer in one sentence.
    static func text(of report: QualificationReport, colour: Bool) -> String {
        var text = trials(report, colour: colour)
        if report.flows > 0 { text += "\n" + KeyedLines.text(figures(report)) }
        if let load = report.load { text += "\n" + latency(load, colour: colour) + "\n" + plot(load) }
        return text + "\n" + report.sentence + "\n"
    }

    private static func trials(_ report: QualificationReport, colour: Bool) -> String {
        var table = Table([.right("FLOWS"), .right("PACKETS/S"), .right("SENT"), .left("RESULT")])
        for trial in report.trials {
            table.add([
                "\(trial.flows)", .init(Quantity.packetRate(trial.packetsPerSecond)), "\(trial.sent)",
                .init(trial.verdict, trial.isWithoutLoss ? .good : .warning),
            ])
        }
        return table.text(colour: colour)
    }

    private static func figures(_ report: QualificationReport) -> [(key: String, value: String)] {
        let isWorker = report.engine == Engine.afxdp.rawValue
        let core =
            switch (report.interfaces, isWorker) {
            case (nil, false): " on one core, of generator, node and sink together"
            case (nil, true): " by one worker on a core of its own, generator and sink on another"
            case (_, true): " by one worker"
            case (_, false): ""
            }
        var lines = [
            (
                "flow",
                "\(report.format.name): \(report.format.frameBytes)-byte frames, "
                    + "\(Quantity.packetRate(report.format.packetsPerSecond)), "
                    + "\(Quantity.bitRate(report.format.bitsPerSecond)) on the wire"
            ),
            ("engine", "\(report.engine), accounting \(report.accounting)"),
            (
                "carried",
                "\(Quantity.packetRate(report.packetsPerSecond)) in, \(Quantity.packetRate(report.copiesPerSecond)) and "
                    + "\(Quantity.bitRate(report.bitsPerSecond)) out\(core)"
            ),
        ]
        if let cost = report.cost, let direct = cost.directNanoseconds, let node = cost.nodeNanoseconds {
            lines.append(
                (
                    "cost",
                    "\(time(cost.nanoseconds)) of processor time a packet, of which generator and sink take \(time(direct)) "
                        + "without the node: \(time(node)) are the node's"
                ))
        }
        if let load = report.load, let part = load.processorPerFlow {
            lines.append(
                (
                    "processor",
                    "\(percent(part)) of \(isWorker ? "a" : "the") core for one flow, at \(Count.text(load.flows, "flow"))"
                ))
        } else if let load = report.load {
            lines.append(
                (
                    "processor",
                    "softirq \(percent(load.softirq)) of one core, of node and sink, at \(Count.text(load.flows, "flow"))"
                ))
        }
        return lines.map { (key: $0.0, value: $0.1) }
    }

    private static func latency(_ load: QualificationReport.Load, colour: Bool) -> String {
        var table = Table([
            .left("AT \(Count.text(load.flows, "FLOW").uppercased())"), .right("P50"), .right("P99"), .right("P99.9"),
            .right("MAX"), .right("JITTER"),
        ])
        func add(_ title: Table.Cell, _ latency: QualificationReport.Latency, _ text: (Double) -> String = { time($0) })
        {
            let figures = [latency.p50, latency.p99, latency.p999, latency.max, latency.jitter]
            table.add([title] + figures.map { Table.Cell(text($0)) })
        }
        add("latency", load.latency)
        if let direct = load.directLatency { add("without the node", direct) }
        // A rare delay may have met the measurement without the node instead.
        if let added = load.addedLatency { add("added", added) { $0 > 0 ? time($0) : "none" } }
        return table.text(colour: colour)
    }

    /// Bars for the classes of latency that packets were in.
    private static func plot(_ load: QualificationReport.Load) -> String {
        let used = load.parts.indices.filter { load.parts[$0] > 0 }
        guard let first = used.first, let last = used.last else { return "" }
        var table = Table([.right("LATENCY"), .right("PACKETS"), .left("")])
        for index in first...last {
            let title = index < load.bounds.count ? "< \(time(Double(load.bounds[index])))" : "more"
            let part = load.parts[index]
            let bar = String(repeating: "█", count: Int((part * 50).rounded()))
            table.add([.init(title), .init(percent(part)), .init(bar.isEmpty && part > 0 ? "▏" : bar)])
        }
        return table.text(colour: false)
    }

    /// `-120 ns`: a difference of two measurements may be below zero.
    private static func time(_ nanoseconds: Double) -> String {
        Quantity.duration(nanoseconds: UInt64(max(nanoseconds, 0).rounded()))
    }

    /// Three significant digits, down to a thousandth of a percent.
    private static func percent(_ part: Double) -> String {
        if part > 0, part < 0.000_01 { return "< 0.001 %" }
        if part > 0, part < 0.001 {
            let thousandths = Int((part * 100_000).rounded())
            let digits = String(thousandths)
            return "0.\(String(repeating: "0", count: 3 - digits.count))\(digits) %"
        }
        return "\(Quantity.significant(part * 100)) %"
    }
}
