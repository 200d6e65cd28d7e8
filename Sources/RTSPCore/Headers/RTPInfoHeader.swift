// Beginning of a PLAY in RTP's numbers.

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
            guard Self.beginsWithURL(HeaderText.trim(value[position...])) else { continue }
            entries.append(HeaderText.trim(value[start..<comma]))
            start = position
        }
        entries.append(HeaderText.trim(value[start...]))
        return entries
    }

    fileprivate static func beginsWithURL(_ text: Substring) -> Bool {
        HeaderText.lowercased(Substring(text.utf8.prefix(4))) == "url="
    }

    public var description: String { streams.map(\.description).joined(separator: ",") }
}

extension RTPInfoHeader.Stream: CustomStringConvertible {
    fileprivate init?(_ entry: Substring) {
        self.init(url: "")
        var rest = entry
        // A few servers write the parameters in front.
        while !RTPInfoHeader.beginsWithURL(rest),
            let semicolon = rest.utf8.firstIndex(of: UInt8(ascii: ";")), take(rest[..<semicolon])
        {
            rest = HeaderText.trim(rest[rest.utf8.index(after: semicolon)...])
        }
        rest = takingParameters(rest)
        if RTPInfoHeader.beginsWithURL(rest) { rest = Substring(rest.utf8.dropFirst(4)) }
        rest = HeaderText.trim(rest)
        // Parameters, and more quotation marks, may also stand within the quotation marks.
        while HeaderText.unquote(rest).utf8.count < rest.utf8.count {
            rest = HeaderText.trim(takingParameters(HeaderText.unquote(rest)))
        }
        url = String(rest)
        if url.isEmpty { return nil }
    }

    /// Takes the parameters at the end of `text`, and returns what is before them.
    private mutating func takingParameters(_ text: Substring) -> Substring {
        var rest = text
        while let semicolon = rest.utf8.lastIndex(of: UInt8(ascii: ";")) {
            let last = rest[rest.utf8.index(after: semicolon)...]
            guard take(last) || HeaderText.trim(last).isEmpty else { break }
            rest = rest[..<semicolon]
        }
        return rest
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
