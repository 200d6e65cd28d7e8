// Start line and header fields, before anything is known of their meaning.

/// The lines of a message up to the empty one, unfolded (RFC 3261 section 7.3.1).
struct MessageHead {
    /// The first line, as it was written.
    let startLine: String
    let fields: [SIPHeaders.Field]
    /// Bytes up to and including the empty line.
    let length: Int
    /// The problem, as far as reading could continue.
    private(set) var problem: SIPParseError?

    /// Reads a head. Empty lines before the start line are skipped (section 7.5), and a line may end in LF alone.
    ///
    /// - Returns: nil where nothing but empty lines is there.
    init?(_ bytes: ArraySlice<UInt8>, limits: SIPLimits) {
        var lines: [(start: Int, end: Int)] = []
        var position = bytes.startIndex
        var end: Int?
        while position < bytes.endIndex {
            let lineFeed = bytes[position...].firstIndex(of: 0x0a) ?? bytes.endIndex
            let lineEnd = lineFeed > position && bytes[lineFeed - 1] == 0x0d ? lineFeed - 1 : lineFeed
            let next = min(lineFeed + 1, bytes.endIndex)
            if lineEnd == position {
                if !lines.isEmpty {
                    end = next
                    break
                }
            } else {
                lines.append((position, lineEnd))
            }
            position = next
        }
        guard let first = lines.first else { return nil }
        startLine = String(
            decoding: ControlCharacters.removed(from: Self.line(bytes[first.start..<first.end])), as: UTF8.self)
        length = (end ?? bytes.endIndex) - bytes.startIndex
        var problem = end == nil ? SIPParseError(.badRequest, "the header fields have no end") : nil
        let isUTF8 = String(validating: bytes[first.start..<(end ?? bytes.endIndex)], as: UTF8.self) != nil
        if !isUTF8, String(validating: bytes[first.start..<first.end], as: UTF8.self) == nil {
            problem = SIPParseError(.badRequest, "the start line is not UTF-8")
        }

        var unfolded: [[UInt8]] = []
        for line in lines.dropFirst() {
            if ASCII.isSpace(bytes[line.start]), !unfolded.isEmpty {
                unfolded[unfolded.count - 1].append(0x20)
                unfolded[unfolded.count - 1] += Self.line(bytes[line.start..<line.end].drop(while: ASCII.isSpace))
            } else if unfolded.count < limits.headerFields {
                unfolded.append(Self.line(bytes[line.start..<line.end]))
            } else {
                problem = SIPParseError(.messageTooLarge, "more than \(limits.headerFields) header fields")
                break
            }
        }
        var fields: [SIPHeaders.Field] = []
        for line in unfolded {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
                problem = problem ?? SIPParseError(.badRequest, "a header field has no colon")
                continue
            }
            let name = ValueList.trimmed(Array(line[..<colon]))
            guard !name.isEmpty, name.utf8.allSatisfy(ASCII.isToken) else {
                problem = problem ?? SIPParseError(.badRequest, "a header field has no name")
                continue
            }
            var value = Array(line[(colon + 1)...])
            if !isUTF8, String(validating: value, as: UTF8.self) == nil {
                if Self.identifying.contains(where: { SIPHeaderName.isSame(name, $0) }) {
                    problem = problem ?? SIPParseError(.badRequest, "\(name) is not UTF-8")
                }
                value = Self.fromLatin1(value)
            }
            fields.append(SIPHeaders.Field(name, Self.value(value, of: name)))
        }
        self.fields = fields
        self.problem = problem
    }

    /// The fields by which a message is found again: they must come back as they were.
    private static let identifying = ["Via", "Call-ID", "CSeq", "Content-Length"]

    /// The text of a field of an old device, whose names of people are in ISO 8859-1; its control characters (0x80 to 0x9f) say nothing.
    private static func fromLatin1(_ bytes: [UInt8]) -> [UInt8] {
        bytes.flatMap { byte -> [UInt8] in
            switch byte {
            case ..<0x80: [byte]
            case ..<0xa0: [UInt8(ascii: "?")]
            default: [0xc0 | byte >> 6, 0x80 | byte & 0x3f]
            }
        }
    }

    /// A line; a CR that does not end it is the space that it would be printed as.
    private static func line(_ bytes: ArraySlice<UInt8>) -> [UInt8] { bytes.map { $0 == 0x0d ? 0x20 : $0 } }

    /// A field's value without control characters. From and To stay as they are, since answers repeat them (RFC 3261 section 8.2.6.2), and
    /// their names may have any character after a backslash.
    private static func value(_ bytes: [UInt8], of name: String) -> String {
        let isRepeated = SIPHeaderName.isSame(name, "From") || SIPHeaderName.isSame(name, "To")
        return ValueList.trimmed(isRepeated ? bytes : ControlCharacters.removed(from: bytes))
    }

    /// The values of a field, as they were written.
    func all(_ name: String) -> [String] {
        fields.filter { SIPHeaderName.isSame($0.name, name) }.map(\.value)
    }

    /// The length of the body that is announced; nil where none is.
    var contentLength: Int? {
        get throws(SIPParseError) {
            let values = all("Content-Length")
            guard let value = values.first else { return nil }
            guard values.count == 1 else { throw SIPParseError(.badRequest, "Content-Length stands twice") }
            guard let length: Int = ASCII.number(value) else {
                throw SIPParseError(.badRequest, "Content-Length '\(value)' is no length")
            }
            return length
        }
    }
}
