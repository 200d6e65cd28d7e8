// Reasons for which bytes are not a session description.

/// The error in a session description, and its place.
public struct SDPError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The line, from 1; nil for the description as a whole.
    public let line: Int?
    /// The line as it came, at most 80 characters of it.
    public let text: String
    /// The problem, and the expected text.
    public let problem: String

    init(line: Int? = nil, text: some Collection<UInt8> = [], _ problem: String) {
        self.line = line
        let shown = String(decoding: text, as: UTF8.self).prefix(80)
        self.text = String(String.UnicodeScalarView(shown.unicodeScalars.map { $0.value < 0x20 ? "." : $0 }))
        self.problem = problem
    }

    /// One line: `SDP line 3 'm=video': names no UDP port and transport; …`.
    public var description: String { line.map { "SDP line \($0) '\(text)': \(problem)" } ?? "SDP: \(problem)" }
}
