// Results of the peers, as JSON, as a Markdown table and as a picture.

import Foundation
import Qualification

/// A figure that must be reached: Crosspoint's as a multiple of a peer's.
struct PeersTarget: Codable {
    var name: String
    var reached: Double
    var required: Double
    var isMet: Bool
}

/// Everything that was measured in one run.
struct PeersReport: Codable {
    /// A peer with so many destinations.
    struct Entry: Codable {
        var peer: String
        var title: String
        var destinations: Int
        var rewrites: Bool
        var isSocketRelay: Bool
        /// Of each round, then their medians; none if it could not run.
        var rounds: [PeerFigures] = []
        var figures: PeerFigures?
        /// The reason for which figures are missing.
        var reason: String?
    }

    var frameBytes = 1442
    var kernel = ""
    var processor = ""
    var entries: [Entry] = []
    var targets: [PeersTarget] = []

    func entry(_ peer: String, _ destinations: Int) -> Entry? {
        entries.first { $0.peer == peer && $0.destinations == destinations }
    }

    private func rate(_ peer: String, _ destinations: Int) -> Double? {
        entry(peer, destinations)?.figures?.packetsPerSecond
    }

    /// Compares Crosspoint with its peers; only what was measured counts.
    mutating func addTargets() {
        func best(_ destinations: Int, _ isWanted: (Entry) -> Bool) -> Double? {
            entries.filter { $0.destinations == destinations && $0.peer != Peer.crosspointName && isWanted($0) }
                .compactMap { $0.figures?.packetsPerSecond }.max()
        }
        func add(_ name: String, _ destinations: Int, _ peer: Double?, _ required: Double) {
            guard let own = rate(Peer.crosspointName, destinations), let peer, peer > 0 else { return }
            let reached = own / peer
            targets.append(PeersTarget(name: name, reached: reached, required: required, isMet: reached >= required))
        }
        add("1:1 / nftables DNAT", 1, rate("nftables_dnat", 1), 3.5)
        add("1:1 / best socket relay", 1, best(1, \.isSocketRelay), 8)
        add("8 destinations / tc mirred", 8, rate("tc_mirred", 8), 3)
        add("8 destinations / best that rewrites", 8, best(8, \.rewrites), 7)
        for destinations in Set(entries.map(\.destinations)).sorted() {
            guard let own = entry(Peer.crosspointName, destinations)?.figures else { continue }
            let others = entries.filter { $0.destinations == destinations && $0.peer != Peer.crosspointName }
            // Only peers that carry the same load.
            let least = others.compactMap(\.figures).filter { $0.load >= own.load * 0.99 }.map(\.addedP99).min()
            guard let least else { continue }
            let reached = least / max(1, own.addedP99)
            targets.append(
                PeersTarget(
                    name:
                        "added p99, least of the peers / ours, \(destinations) destination\(destinations == 1 ? "" : "s")",
                    reached: reached, required: 1, isMet: reached > 1))
        }
    }

    // MARK: Markdown

    /// A table for each number of destinations, then what could not run, then the targets.
    var markdown: String {
        var text = ""
        for destinations in Set(entries.map(\.destinations)).sorted() {
            let mine = entries.filter { $0.destinations == destinations }
            text += destinations == 1 ? "One destination\n\n" : "\(destinations) destinations\n\n"
            text += "| | packets/s without loss | copies out | processor for 1 Gb/s | added latency p50 | p99 | at |\n"
            text += "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
            for entry in mine {
                guard let figures = entry.figures else { continue }
                let title = entry.title + (entry.rewrites || destinations == 1 && entry.peer != "tc_mirred" ? "" : " ¹")
                text +=
                    "| \(title) | \(Self.rate(figures.packetsPerSecond)) | "
                    + "\(Self.rate(figures.packetsPerSecond * Double(destinations))) | "
                    + "\(Self.number(figures.processorPerGigabit * 100)) % | \(Self.time(figures.addedP50)) | "
                    + "\(Self.time(figures.addedP99)) | \(Self.rate(figures.load)) |\n"
            }
            text += "\n"
        }
        if entries.contains(where: { !$0.rewrites && $0.figures != nil }) {
            text += "¹ sends copies as they came: it cannot give each a destination of its own.\n\n"
        }
        let missing = entries.filter { $0.figures == nil }
        if !missing.isEmpty {
            text += "Not measured:\n\n"
            for entry in missing {
                text += "* \(entry.title), \(entry.destinations): \(entry.reason ?? "no reason known")\n"
            }
            text += "\n"
        }
        for target in targets {
            text +=
                "* \(target.name): \(Self.number(target.reached)), required \(Self.number(target.required)): "
                + "\(target.isMet ? "met" : "MISSED")\n"
        }
        return text
    }

    // MARK: Picture

    /// Bars: copies per second without loss, of every peer, for each number of destinations.
    var picture: String {
        let groups = Set(entries.map(\.destinations)).sorted().map { destinations in
            (destinations, entries.filter { $0.destinations == destinations && $0.figures != nil })
        }
        let height = groups.reduce(70.0) { $0 + 44 + 22 * Double($1.1.count) }
        var picture = SVGPicture(width: 860, height: height)
        picture.text("Copies per second without loss, 1442-byte frames", x: 20, y: 28, size: 17, isBold: true)
        picture.text(
            "on one core with generator and sinks; programs that forward have a core of their own beside it", x: 20,
            y: 48,
            size: 12, colour: .faint)
        var top = 70.0
        for (destinations, entries) in groups {
            picture.text(
                destinations == 1 ? "one destination" : "\(destinations) destinations", x: 20, y: top + 16, size: 13,
                isBold: true)
            top += 26
            let most = entries.compactMap { $0.figures?.packetsPerSecond }.max() ?? 1
            for entry in entries {
                let rate = entry.figures?.packetsPerSecond ?? 0
                let width = 440 * rate / most
                picture.text(entry.title, x: 270, y: top + 13, size: 12, anchor: .end)
                picture.rectangle(
                    280, top + 2, max(width, 1), 14, colour: entry.peer == Peer.crosspointName ? .first : .second)
                picture.text(
                    Self.rate(rate * Double(destinations)), x: 288 + width, y: top + 13, size: 12, colour: .faint)
                top += 22
            }
            top += 18
        }
        return picture.document
    }

    static func rate(_ packetsPerSecond: Double) -> String {
        packetsPerSecond >= 1e6 ? "\(number(packetsPerSecond / 1e6)) M" : "\(number(packetsPerSecond / 1e3)) k"
    }

    static func time(_ nanoseconds: Double) -> String {
        abs(nanoseconds) < 1000
            ? "\(Int(nanoseconds.rounded())) ns"
            : abs(nanoseconds) < 1e6 ? "\(number(nanoseconds / 1e3)) µs" : "\(number(nanoseconds / 1e6)) ms"
    }

    /// Three digits or so.
    static func number(_ value: Double) -> String {
        String(format: abs(value) < 10 ? "%.2f" : abs(value) < 100 ? "%.1f" : "%.0f", value)
    }
}
