// Bytes to messages. Bytes may come in any pieces; each is looked at once.

/// Reads a connection's bytes: requests, responses and the packets between them (RFC 2326 sections 4 to 9 and 10.12).
///
/// Append what arrives, then call `next` until it returns nil. What is stored is at most one message within the limits, and
/// what was appended since `next` last returned nil.
public struct RTSPDecoder: Sendable {
    /// The part that is being read.
    private enum State: Sendable {
        /// The first byte of a message or frame, or a start line.
        case start
        case fields(Head)
        case body(Head, length: Int)
        case failed(RTSPDecodingError)
    }

    private let limits: RTSPLimits
    private let isLenient: Bool
    /// Bytes that were skipped since the last message.
    private var skipped = 0
    private var state = State.start
    private var buffer: [UInt8] = []
    /// The first byte of `buffer` that was not consumed, and the first that was not searched for the end of its line.
    private var position = 0
    private var searched = 0
    /// Bytes of the message's start line and header fields that were consumed.
    private var headerLength = 0
    /// Memory that is kept for the next message, in bytes.
    private static let keptCapacity = 4 << 10

    /// - Parameter isLenient: true where a peer's wrong Content-Length is mended as far as that can be: what follows a description and is
    ///   no message belongs to it, and other text between messages is skipped.
    public init(limits: RTSPLimits = RTSPLimits(), isLenient: Bool = false) {
        self.limits = limits
        self.isLenient = isLenient
    }

    /// True while a response has come but for the end of its body.
    public var isWaitingForBody: Bool {
        if case .body(let head, _) = state { head.isResponse && position < buffer.count } else { false }
    }

    /// The response whose body has not come whole, with what there is of it: nothing more is expected. Nil where there is none.
    public mutating func finishBody() -> RTSPMessage? {
        guard isWaitingForBody, case .body(let head, _) = state else { return nil }
        let body = Array(buffer[position...])
        (buffer, position, searched, state) = ([], 0, 0, .start)
        return head.message(body: body)
    }

    /// Bytes that were appended and not consumed yet.
    public var bufferedBytes: Int { buffer.count - position }

    /// Adds what the connection received.
    public mutating func append(_ bytes: some Collection<UInt8>) { buffer.append(contentsOf: bytes) }

    /// The next message, or nil when it is not complete yet. Throws what is wrong, and the same again from then on.
    public mutating func next() throws(RTSPDecodingError) -> RTSPMessage? {
        do throws(RTSPDecodingError) {
            if let message = try decode() { return message }
        } catch {
            state = .failed(error)
            buffer = []
            position = 0
            searched = 0
            throw error
        }
        if position == buffer.count, buffer.capacity > Self.keptCapacity {
            // A long message leaves no memory behind.
            buffer = []
        } else {
            buffer.removeFirst(position)
        }
        searched -= position
        position = 0
        return nil
    }

    private mutating func decode() throws(RTSPDecodingError) -> RTSPMessage? {
        while true {
            switch state {
            case .failed(let error): throw error
            case .start:
                guard position < buffer.count else { return nil }
                if buffer[position] == UInt8(ascii: "$"), headerLength == 0 { return frame() }
                guard let line = try line() else { return nil }
                // Empty lines between messages are tolerated, as RFC 2616 section 4.1 asks.
                if line.isEmpty {
                    headerLength = 0
                    continue
                }
                do throws(RTSPDecodingError) {
                    state = .fields(try Head(startLine: buffer[line]))
                } catch {
                    guard isLenient, !error.isHTTP, skip(line) else { throw error }
                }
            case .fields(var head):
                // Taken out, so that adding a field does not copy those that are there.
                state = .start
                while true {
                    guard let line = try line() else {
                        state = .fields(head)
                        return nil
                    }
                    if line.isEmpty { break }
                    try head.add(line: buffer[line], limit: limits.fields)
                }
                headerLength = 0
                state = .body(head, length: try head.bodyLength(limits: limits))
            case .body(let head, let length):
                guard buffer.count - position >= length else { return nil }
                var body = Array(buffer[position..<position + length])
                consume(length)
                state = .start
                skipped = 0
                if isLenient, head.isDescription { takeRest(of: &body) }
                return head.message(body: body)
            }
        }
    }

    /// Skips a line that begins no message, up to a message or frame within it; false where too much was skipped already.
    private mutating func skip(_ line: Range<Int>) -> Bool {
        let next = buffer[line].indices.dropFirst().first { index in
            buffer[index...].starts(with: "RTSP/".utf8)
                // The channels of a session are few, and are no characters.
                || buffer[index] == UInt8(ascii: "$") && index + 1 < buffer.count && buffer[index + 1] < 0x20
        }
        headerLength = 0
        skipped += (next ?? position) - line.lowerBound
        if let next { (position, searched) = (next, next) }
        return skipped <= limits.body
    }

    /// Takes the lines that follow a description, and are of no message, into it: its length was given too short.
    private mutating func takeRest(of body: inout [UInt8]) {
        while position < buffer.count, buffer[position] != UInt8(ascii: "$"),
            let end = buffer[position...].firstIndex(of: UInt8(ascii: "\n"))
        {
            let line = buffer[position..<end]
            let text = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            guard body.count + line.count < limits.body, (try? Head(startLine: text)) == nil else {
                return
            }
            body += buffer[position...end]
            consume(end + 1 - position)
        }
    }

    /// The frame at the position (section 10.12): `$`, the channel, and the length as two bytes, big-endian.
    private mutating func frame() -> RTSPMessage? {
        guard buffer.count - position >= 4 else { return nil }
        let length = Int(buffer[position + 2]) << 8 | Int(buffer[position + 3])
        guard buffer.count - position >= 4 + length else { return nil }
        let channel = buffer[position + 1]
        let payload = Array(buffer[position + 4..<position + 4 + length])
        consume(4 + length)
        return .interleaved(channel: channel, payload: payload)
    }

    /// Consumes a line, ended by CR LF or by LF alone, and returns where it is without its end; nil: it is not complete.
    private mutating func line() throws(RTSPDecodingError) -> Range<Int>? {
        guard let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) else {
            searched = buffer.count
            try checkHeader(length: headerLength + buffer.count - position)
            return nil
        }
        headerLength += end + 1 - position
        try checkHeader(length: headerLength)
        let isEndedByCR = end > position && buffer[end - 1] == UInt8(ascii: "\r")
        let line = position..<(isEndedByCR ? end - 1 : end)
        guard !buffer[line].contains(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7f }) else {
            throw RTSPDecodingError(.badRequest, "a header line has a control character in it")
        }
        consume(end + 1 - position)
        return line
    }

    private mutating func consume(_ count: Int) {
        position += count
        searched = position
    }

    private func checkHeader(length: Int) throws(RTSPDecodingError) {
        guard length <= limits.header else {
            throw RTSPDecodingError(.entityTooLarge, "the header is longer than \(limits.header) bytes")
        }
    }
}
