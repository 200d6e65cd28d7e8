// The report as a picture.

/// Draws a report as SVG: the trials, and how long packets took.
public enum QualificationPlot {
    /// The picture, a document of its own.
    public static func svg(_ report: QualificationReport) -> String {
        var picture = SVGPicture(width: 760, height: report.load == nil ? 330 : 620)
        picture.text(report.sentence, x: 20, y: 30, size: 17, isBold: true)
        picture.text(
            "\(report.format.frameBytes)-byte frames, engine \(report.engine), accounting \(report.accounting)"
                + (report.interfaces == nil ? "; generator, node and sinks on one core" : ""),
            x: 20, y: 52, size: 12, colour: .faint)
        trials(report, &picture, top: 80)
        if let load = report.load { latency(load, &picture, top: 370) }
        return picture.document
    }

    private static func trials(_ report: QualificationReport, _ picture: inout SVGPicture, top: Double) {
        picture.text("Trials", x: 20, y: top, size: 14, isBold: true)
        guard let most = report.trials.map(\.flows).max(), let least = report.trials.map(\.flows).min() else { return }
        let (left, width, height) = (60.0, 670.0, 150.0)
        let base = top + 30 + height
        let low = least == most ? 0 : max(0, least - (most - least) / 8)
        let worst = report.trials.map { lostPart($0) }.max() ?? 0
        let scale = max(worst, 0.001)
        picture.line(left, base, left + width, base)
        picture.line(left, base - height, left, base)
        picture.text("0", x: left - 8, y: base + 4, size: 11, colour: .faint, anchor: .end)
        picture.text(
            SVGPicture.percent(scale), x: left - 8, y: base - height + 8, size: 11, colour: .faint, anchor: .end)
        picture.text("packets lost or late", x: left + 8, y: base - height + 8, size: 11, colour: .faint)
        for trial in report.trials {
            let x = left + 20 + (width - 40) * Double(trial.flows - low) / Double(max(1, most - low))
            let y = base - height * lostPart(trial) / scale
            picture.circle(x, y, radius: 5, colour: trial.isWithoutLoss ? .good : .bad)
            picture.text("\(trial.flows)", x: x, y: base + 16, size: 11, anchor: .middle)
        }
        picture.text("flows", x: left + width, y: base + 34, size: 11, colour: .faint, anchor: .end)
    }

    private static func lostPart(_ trial: QualificationReport.Trial) -> Double {
        if trial.isWithoutLoss { return 0 }
        let late = Double(trial.planned - min(trial.sent, trial.planned))
        return min(1, (late + Double(abs(trial.lost))) / Double(max(1, trial.planned)))
    }

    private static func latency(_ load: QualificationReport.Load, _ picture: inout SVGPicture, top: Double) {
        picture.text(
            "How long packets took, \(load.flows) flow\(load.flows == 1 ? "" : "s")", x: 20, y: top, size: 14,
            isBold: true)
        let (left, width, height) = (60.0, 670.0, 140.0)
        let base = top + 50 + height
        let step = width / Double(load.parts.count)
        let most = (load.parts + (load.directParts ?? [])).max() ?? 1
        picture.rectangle(left + 8, top + 14, 10, 10, colour: .first)
        picture.text("through the node", x: left + 24, y: top + 23, size: 11)
        if load.directParts != nil {
            picture.rectangle(left + 148, top + 14, 10, 10, colour: .second)
            picture.text("generator to sink without a node", x: left + 164, y: top + 23, size: 11)
        }
        picture.line(left, base, left + width, base)
        for (index, part) in load.parts.enumerated() {
            let x = left + step * Double(index)
            let direct = load.directParts?[index] ?? 0
            picture.rectangle(x + 4, base - height * part / most, step * 0.4, height * part / most, colour: .first)
            picture.rectangle(
                x + 4 + step * 0.4, base - height * direct / most, step * 0.4, height * direct / most, colour: .second)
            let label = index < load.bounds.count ? "< \(SVGPicture.time(load.bounds[index]))" : "more"
            picture.text(label, x: x + step / 2, y: base + 15, size: 9, anchor: .middle)
        }
        let figures = [("p50", \QualificationReport.Latency.p50), ("p99", \.p99), ("p99.9", \.p999), ("max", \.max)]
        let text = figures.map { name, path in "\(name) \(SVGPicture.time(UInt64(max(0, load.latency[keyPath: path]))))"
        }
        picture.text(text.joined(separator: "   "), x: left, y: base + 36, size: 12)
    }
}
