// The messages of a call as text for people.

import SIPAgent

/// Draws the ladder of a call: the node on a line, its peers to the right, one arrow for each message.
enum MessageLadderText {
    private static let arrow = 12

    /// - Parameter whole: Whether the messages are written out, or their first lines only.
    static func text(_ entries: [SIPLadderEntry], whole: Bool, colour: Bool) -> String {
        guard !entries.isEmpty else { return "no messages\n" }
        let offsets = entries.map { offset($0.offset) }
        let width = offsets.map(\.count).max() ?? 0
        let peers = entries.map(\.peer.count).max() ?? 0
        var text = ""
        for (entry, offset) in zip(entries, offsets) {
            let line = String(repeating: "-", count: arrow - 1)
            let way = entry.direction == .received ? "<" + line : line + ">"
            let time = String(repeating: " ", count: width - offset.count) + offset
            let peer = entry.peer + String(repeating: " ", count: peers - entry.peer.count)
            let first = colour ? paint(entry.firstLine) : entry.firstLine
            text += "\(time)  node \(way) \(peer)  \(first)\n"
            if whole {
                let indent = String(repeating: " ", count: width + 2)
                // Bytes, since CR LF is one character of a string.
                for line in entry.message.utf8.split(separator: 0x0a, omittingEmptySubsequences: false) {
                    let content = String(decoding: line.last == 0x0d ? line.dropLast() : line, as: UTF8.self)
                    text += content.isEmpty ? "\n" : indent + printable(content) + "\n"
                }
            }
        }
        return text
    }

    private static func offset(_ seconds: Double) -> String {
        let milliseconds = Int((max(0, seconds) * 1000).rounded())
        let fraction = String(milliseconds % 1000)
        return "+\(milliseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction + " s"
    }

    /// A peer's text must not steer the terminal.
    private static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "?" : $0 }))
    }

    private static func paint(_ line: String) -> String {
        guard line.hasPrefix("SIP/2.0 "), let class_ = line.dropFirst(8).first else { return printable(line) }
        let colour: Colour? =
            switch class_ {
            case "2": .good
            case "4", "5", "6": .bad
            default: nil
            }
        return colour.map { $0.paint(printable(line)) } ?? printable(line)
    }
}
