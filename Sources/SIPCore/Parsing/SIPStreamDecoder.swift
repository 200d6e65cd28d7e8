// Messages on a connection.

/// Cuts the bytes of a TCP or TLS connection into messages (RFC 3261 section 18.3, RFC 5626 section 3.5.1).
///
/// The data that it holds is bounded by the limits: head and body of one message, and the bytes that were appended behind it.
public struct SIPStreamDecoder: Sendable {
    /// An element of the stream.
    public enum Element: Hashable, Sendable {
        case message(SIPMessage)
        /// Two line ends between messages, which the peer wants answered by one (RFC 5626 section 3.5.1).
        case ping
        /// One line end between messages: the answer to a ping, or nothing.
        case pong
        /// A message that cannot be used, although its end is known; the connection continues.
        case malformed(SIPParseError)
    }

    private let limits: SIPLimits
    private var buffer: [UInt8] = []
    /// The position in the buffer at which the next message begins.
    private var start = 0
    /// Up to where no end of a head was found.
    private var searched = 0
    /// The head that waits for its body, and the length of that body.
    private var pending: (head: MessageHead, bodyLength: Int)?

    public init(limits: SIPLimits = SIPLimits()) { self.limits = limits }

    /// Adds bytes that were received; then call `next` until it returns nil.
    public mutating func append(_ bytes: some Sequence<UInt8>) {
        if start > 0 {
            buffer.removeFirst(start)
            searched -= start
            start = 0
        }
        buffer += bytes
    }

    /// The next message; nil where more bytes are needed.
    ///
    /// - Throws: what cannot be recovered from, since nobody knows where the next message begins: answer it where it
    ///   has a reply, and close the connection.
    public mutating func next() throws(SIPParseError) -> Element? {
        if pending == nil {
            if let keepAlive = takeLineEnds() { return keepAlive }
            guard start < buffer.count else { return nil }
            guard let end = endOfHead() else {
                guard buffer.count - start <= limits.headerBytes else { throw headTooLarge }
                return nil
            }
            guard end - start <= limits.headerBytes else { throw headTooLarge }
            guard let head = MessageHead(buffer[start..<end], limits: limits) else { return nil }
            pending = (head, try bodyLength(head))
        }
        guard let (head, bodyLength) = pending, buffer.count - start - head.length >= bodyLength else { return nil }
        let bodyStart = start + head.length
        let body = Array(buffer[bodyStart..<(bodyStart + bodyLength)])
        start = bodyStart + bodyLength
        searched = start
        pending = nil
        do throws(SIPParseError) {
            return .message(try SIPParser.message(head, limits: limits) { () throws(SIPParseError) in body })
        } catch {
            return .malformed(error)
        }
    }

    /// A head beyond the limit, whose end is not waited for: answered with the lines within the limit, so that the answer
    /// does not depend on how much has come.
    private var headTooLarge: SIPParseError {
        let error = SIPParseError(.messageTooLarge, "header fields of more than \(limits.headerBytes) bytes")
        let known = buffer[start..<(start + limits.headerBytes)]
        guard let end = known.lastIndex(of: 0x0a) else { return error }
        return MessageHead(known[..<end], limits: limits).map { SIPParser.answerable(error, $0) } ?? error
    }

    /// On a stream Content-Length must be there, since nothing else says where the message ends.
    private func bodyLength(_ head: MessageHead) throws(SIPParseError) -> Int {
        do throws(SIPParseError) {
            guard let length = try head.contentLength else {
                throw SIPParseError(.badRequest, "Content-Length is missing on a connection")
            }
            guard length <= limits.bodyBytes else {
                throw SIPParseError(.messageTooLarge, "a body of \(length) bytes")
            }
            return length
        } catch {
            throw SIPParser.answerable(error, head)
        }
    }

    /// The position at which the head ends, behind its empty line.
    private mutating func endOfHead() -> Int? {
        var position = max(searched, start)
        while let lineFeed = buffer[position...].firstIndex(of: 0x0a) {
            let next = lineFeed + 1
            if next < buffer.count, buffer[next] == 0x0a { return next + 1 }
            if next + 1 < buffer.count, buffer[next] == 0x0d, buffer[next + 1] == 0x0a { return next + 2 }
            // Fewer than two bytes follow: look again from here when more have come.
            if next + 1 >= buffer.count {
                searched = lineFeed
                return nil
            }
            position = next
        }
        searched = buffer.count
        return nil
    }

    /// Takes line ends that stand before a message: CRLF CRLF is a ping, a single one a pong.
    private mutating func takeLineEnds() -> Element? {
        func lineEnd(at position: Int) -> Int? {
            if position < buffer.count, buffer[position] == 0x0a { return 1 }
            guard position + 1 < buffer.count, buffer[position] == 0x0d, buffer[position + 1] == 0x0a else {
                return nil
            }
            return 2
        }
        guard let first = lineEnd(at: start) else { return nil }
        // A single line end that ends the buffer may be half of a ping.
        if let second = lineEnd(at: start + first) {
            start += first + second
            searched = start
            return .ping
        }
        let isUndecided =
            start + first >= buffer.count || (start + first + 1 == buffer.count && buffer[start + first] == 0x0d)
        if isUndecided, !awaitsPong { return nil }
        start += first
        searched = start
        awaitsPong = false
        return .pong
    }

    /// Set after a ping was sent on the connection, so that a single line end is reported at once.
    public var awaitsPong = false
}
