// Where in RTP's numbers a PLAY begins.

/// The RTP-Info header (RFC 2326 section 12.33).
public struct RTPInfoHeader: Hashable, Sendable, CustomStringConvertible {
    /// Streams beyond this number are not read.
    public static let maximumStreams = 64

    public struct Stream: Hashable, Sendable {
        /// The stream's URL as it was written, relative ones included.
        public var url: String
        /// The sequence number of the first packet; nil where it is not known.
        public var sequence: UInt16?
        /// The RTP time that the start of the Range corresponds to; nil where it is not known.
        public var timestamp: UInt32?

        public init(url: String, sequence: UInt16? = nil, timestamp: UInt32? = nil) {
            self.url = url
            self.sequence = sequence
            self.timestamp = timestamp
        }
    }

    public var streams: [Stream]

    public init(_ streams: [Stream]) { self.streams = streams }

    /// Reads a header value. URLs may contain `;`, `,` and spaces: a stream begins with `url=`, and only `seq=`, `rtptime=` and
    /// `ssrc=` at its end are parameters. Numbers that cannot be read count as not known.
    public init(_ value: String) {
        streams = Self.entries(value).prefix(Self.maximumStreams).compactMap { Stream($0) }
    }

    /// Splits before each `url=` that follows a comma.
    private static func entries(_ value: String) -> [Substring] {
        var entries: [Substring] = []
        var start = value.startIndex
        var position = value.startIndex
        while let comma = value.utf8[position...].firstIndex(of: UInt8(ascii: ",")) {
            position = value.utf8.index(after: comma)
            let following = HeaderText.trim(value[position...]).prefix(4)
            guard HeaderText.lowercased(following) == "url=" else { continue }
            entries.append(HeaderText.trim(value[start..<comma]))
            start = position
        }
        entries.append(HeaderText.trim(value[start...]))
        return entries
    }

    public var description: String { streams.map(\.description).joined(separator: ",") }
}

extension RTPInfoHeader.Stream: CustomStringConvertible {
    fileprivate init?(_ entry: Substring) {
        self.init(url: "")
        var rest = entry
        // A few servers write the parameters in front.
        while HeaderText.lowercased(rest.prefix(4)) != "url=",
            let semicolon = rest.utf8.firstIndex(of: UInt8(ascii: ";")), take(rest[..<semicolon])
        {
            rest = HeaderText.trim(rest[rest.utf8.index(after: semicolon)...])
        }
        while let semicolon = rest.utf8.lastIndex(of: UInt8(ascii: ";")) {
            let last = rest[rest.utf8.index(after: semicolon)...]
            guard take(last) || HeaderText.trim(last).isEmpty else { break }
            rest = rest[..<semicolon]
        }
        if HeaderText.lowercased(rest.prefix(4)) == "url=" { rest = rest.dropFirst(4) }
        url = String(HeaderText.unquote(HeaderText.trim(rest)))
        if url.isEmpty { return nil }
    }

    /// Takes a parameter of the three that may stand behind a URL; false for anything else.
    private mutating func take(_ text: Substring) -> Bool {
        let (name, value) = HeaderText.parameter(text)
        switch name {
        case "seq": sequence = value.flatMap { HeaderText.number($0) }
        case "rtptime": timestamp = value.flatMap { HeaderText.number($0) }
        case "ssrc": break
        default: return false
        }
        return true
    }

    public var description: String {
        "url=\(url)" + (sequence.map { ";seq=\($0)" } ?? "") + (timestamp.map { ";rtptime=\($0)" } ?? "")
    }
}
