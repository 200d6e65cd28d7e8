// A session description: the session's own lines and its media, each line kept as it came.

/// A session description (RFC 8866).
///
/// A description that is parsed is printed again byte for byte, known here or not, but for line ends, which become
/// CRLF; only the lines that a setter changes are rewritten. The typed views read leniently: an error of the sender
/// makes them nil, not the whole description.
public struct SessionDescription: Hashable, Sendable, SDPSection {
    /// The lines before the first medium.
    public var lines: [SDPLine]
    /// The media in their order.
    public var media: [MediaDescription]

    /// A new description of a session without bounds in time (`t=0 0`), and as yet without media.
    public init(origin: SDPOrigin, name: String = "-", connection: SDPConnection? = nil) {
        lines = [SDPLine("v", "0"), SDPLine("o", origin.text), SDPLine("s", name), SDPLine("t", "0 0")]
        media = []
        self.connection = connection
    }

    /// Reads a description. Lines end with CRLF, LF or CR; empty ones, and at the end those that are not SDP, are left out; a NUL ends
    /// the text.
    ///
    /// With `isLenient`, for cameras: a description without `v=0` gets it, lines that are not SDP are left out wherever they are, and a
    /// medium whose UDP port cannot be one has UDP port 0.
    ///
    /// Throws if it is larger than `limits`, does not begin with `v=0`, has something else than `x=…` between its lines, or a
    /// medium without UDP port and transport. A missing `o=`, `s=`, `t=` or `c=` is none of that: many cameras leave them out.
    public init(
        parsing bytes: [UInt8], limits: SDPLimits = SDPLimits(), isLenient: Bool = false
    ) throws(SDPError) {
        guard bytes.count <= limits.bytes else {
            throw SDPError("has \(bytes.count) bytes; at most \(limits.bytes) are accepted")
        }
        lines = []
        media = []
        var isFirst = true
        var count = 0
        var garbage: SDPError?
        for (number, text) in Self.split(bytes) {
            guard let line = SDPLine(parsing: text) else {
                garbage = garbage ?? SDPError(line: number, text: text, "is not a line of SDP, 'x=value'")
                if isFirst, !isLenient { break }
                continue
            }
            if let garbage, !isLenient { throw garbage }
            if isFirst, line.type != "v" || line.fields != ["0"] {
                guard !isLenient else {
                    lines.append(SDPLine("v", "0"))
                    isFirst = false
                    if line.type != "v" { try take(line, number, text, limits, isLenient: true) }
                    count += 2
                    continue
                }
                throw SDPError(line: number, text: text, "stands first; a description begins with 'v=0'")
            }
            isFirst = false
            count += 1
            guard count <= limits.lines else {
                throw SDPError(line: number, text: text, "is one too many; at most \(limits.lines) lines are accepted")
            }
            try take(line, number, text, limits, isLenient: isLenient)
        }
        if isFirst { throw garbage ?? SDPError("is empty; a description begins with 'v=0'") }
    }

    private mutating func take(
        _ line: SDPLine, _ number: Int, _ text: ArraySlice<UInt8>, _ limits: SDPLimits, isLenient: Bool
    ) throws(SDPError) {
        if line.type == "m" {
            guard media.count < limits.media else {
                throw SDPError(line: number, text: text, "is one too many; at most \(limits.media) media are accepted")
            }
            do { media.append(try MediaDescription(parsing: line, isLenient: isLenient)) } catch {
                throw SDPError(line: number, text: text, error.problem)
            }
        } else if media.isEmpty {
            lines.append(line)
        } else {
            media[media.count - 1].lines.append(line)
        }
    }

    /// The lines that are not empty, with their numbers from 1.
    private static func split(_ bytes: [UInt8]) -> [(number: Int, text: ArraySlice<UInt8>)] {
        var result: [(number: Int, text: ArraySlice<UInt8>)] = []
        let end = bytes.firstIndex(of: 0) ?? bytes.count
        var start = 0
        var number = 1
        while start < end {
            let stop = bytes[start..<end].firstIndex { $0 == 0x0a || $0 == 0x0d } ?? end
            if bytes[start..<stop].contains(where: { $0 != 0x20 && $0 != 0x09 }) {
                result.append((number, bytes[start..<stop]))
            }
            // CRLF is one end, and so is what some senders make of it: CR CR LF.
            var next = stop
            while next < end, bytes[next] == 0x0d { next += 1 }
            if next < end, bytes[next] == 0x0a { next += 1 }
            start = max(next, stop + 1)
            number += 1
        }
        return result
    }

    /// The description as it is sent: every line ended with CRLF.
    public var bytes: [UInt8] {
        (lines + media.flatMap { [$0.line] + $0.lines }).flatMap { $0.bytes + [0x0d, 0x0a] }
    }

    /// The same as text; bytes that are not UTF-8 are U+FFFD in it, so send `bytes`.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The origin, `o=` (section 5.2); nil if there is none. To set nil removes it.
    public var origin: SDPOrigin? {
        get { values(of: "o").first.flatMap(SDPOrigin.init) }
        set { set("o", to: newValue.map { SDPLine("o", $0.text) }) }
    }

    /// The session's name, `s=` (section 5.3); nil if there is none. To set nil removes it.
    public var name: String? {
        get { values(of: "s").first }
        set { set("s", to: newValue.map { SDPLine("s", $0) }) }
    }

    // MARK: what media inherit

    /// The connection of a medium: its own, else the session's (section 5.7).
    public func connection(of medium: MediaDescription) -> SDPConnection? { medium.connection ?? connection }

    /// All connections of a medium, one for each layer: its own, else the session's.
    public func connections(of medium: MediaDescription) -> [SDPConnection] {
        medium.connections.isEmpty ? connections : medium.connections
    }

    /// The direction of a medium: its own, else the session's, else both ways (section 6.7).
    public func direction(of medium: MediaDescription) -> MediaDirection {
        medium.direction ?? direction ?? .sendReceive
    }

    /// The source filters that hold for a medium: its own, else the session's (RFC 4570 section 3).
    public func sourceFilters(of medium: MediaDescription) -> [SourceFilter] {
        medium.sourceFilters.isEmpty ? sourceFilters : medium.sourceFilters
    }
}
