// Descriptions for tests.

import SDP
import Testing

extension SessionDescription {
    /// The description whose lines these are, ended with `end`.
    static func of(_ lines: [String], end: String = "\r\n") throws -> SessionDescription {
        try SessionDescription(parsing: Array(lines.map { $0 + end }.joined().utf8))
    }

    /// The lines as they would be sent.
    var printedLines: [String] { text.split(separator: "\r\n").map(String.init) }
}
