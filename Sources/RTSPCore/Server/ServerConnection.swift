// The server's side of one connection: bytes to requests in their order, responses to bytes.

/// The work of an RTSP server on a connection before it looks at the subject of a request (RFC 2326 sections 9.1,
/// 10.12, 12.17, 12.32).
///
/// Requests are handed out one at a time, in the order in which they came; what is wrong with the message itself is answered
/// here, in its turn. Interleaved packets and responses to requests of the server pass at once. However much a peer has sent, only so
/// many messages are taken in one turn; the owner calls `resume` for the next one, after the others' turns.
public struct ServerConnection: Sendable {
    /// An action that the owner of the socket has to carry out, in order.
    public enum Action: Hashable, Sendable {
        /// Serve a request, and call `respond`. No other is handed out until then.
        case serve(RTSPRequest)
        /// A packet came on an interleaved channel.
        case interleaved(channel: UInt8, payload: [UInt8])
        /// The peer answered a request that `request` made.
        case answered(RTSPRequest, RTSPResponse)
        /// Send these bytes.
        case send([UInt8])
        /// Close when everything is sent. For the log.
        case close(reason: String)
    }

    /// The number of messages that are taken in one turn.
    public struct Turn: Hashable, Sendable {
        /// Requests, responses, and what cannot be read.
        public var messages: Int
        /// Interleaved packets.
        public var packets: Int

        public init(messages: Int = 4, packets: Int = 256) {
            self.messages = messages
            self.packets = packets
        }
    }

    /// An entry of the queue.
    private enum Entry: Sendable {
        case request(RTSPRequest)
        /// Answered when it is its turn.
        case refused(RTSPRequest, RTSPResponse)
        case broken(RTSPDecodingError)
    }

    /// Requests that are read ahead while one is served. Beyond these, nothing is read.
    static let maximumQueue = 2
    /// Own requests that wait for an answer; the oldest is given up for one more.
    static let maximumPending = 16

    /// The value of the Server header.
    private let name: String
    /// The methods that are served anywhere.
    private let methods: [RTSPMethod]
    /// The option tags of Require that are understood.
    private let features: Set<String>
    private var decoder: RTSPDecoder
    private var queue: [Entry] = []
    private var current: RTSPRequest?
    private var pending: [(sequence: UInt32, request: RTSPRequest)] = []
    private var nextSequence: UInt32 = 1
    /// Nothing is read any more: the peer's bytes made no sense, or it asked for the end.
    private var isEnding = false
    private var isClosed = false
    private let turn: Turn
    /// The rest of the present turn.
    private var rest: Turn
    /// True if the turn is over although there is more to read: `resume` continues.
    public private(set) var isSuspended = false
    /// Messages that were taken since `takeCount`.
    private var taken = 0

    /// - Parameters:
    ///   - name: The value of the Server header.
    ///   - methods: What Public lists, and all that is served.
    ///   - features: The option tags of Require that the server understands.
    ///   - turn: How much is taken by one `receive` or `resume`, and the responses up to the next one.
    public init(
        name: String, methods: [RTSPMethod], features: Set<String> = [], limits: RTSPLimits = .server,
        turn: Turn = Turn()
    ) {
        self.turn = turn
        rest = turn
        self.name = name
        self.methods = methods
        self.features = features
        decoder = RTSPDecoder(limits: limits)
    }

    /// True if the peer has sent more than is read ahead: nothing should be read from the socket while this is so.
    public var isFull: Bool { isSuspended || isQueueFull }

    private var isQueueFull: Bool { queue.count >= Self.maximumQueue }

    /// True if a request was handed out and not answered yet.
    public var isServing: Bool { current != nil }

    /// Bytes of the peer that are kept: of messages that are not complete, or wait.
    public var storedBytes: Int {
        queue.reduce(decoder.bufferedBytes + (current?.storedBytes ?? 0)) { sum, entry in
            switch entry {
            case .request(let request), .refused(let request, _): sum + request.storedBytes
            case .broken: sum
            }
        }
    }

    /// The number of requests and responses that were taken since the last call.
    public mutating func takeCount() -> Int {
        defer { taken = 0 }
        return taken
    }

    /// Takes what the socket received: a turn, unless the last one left something.
    public mutating func receive(_ bytes: some Collection<UInt8>) -> [Action] {
        guard !isEnding else { return [] }
        decoder.append(bytes)
        guard !isSuspended else { return [] }
        rest = turn
        return advance()
    }

    /// Ends the turn: nothing more is taken before `resume`.
    public mutating func suspend() {
        isSuspended = true
        rest = Turn(messages: 0, packets: 0)
    }

    /// The next turn, after `isSuspended`.
    public mutating func resume() -> [Action] {
        isSuspended = false
        rest = turn
        return advance()
    }

    /// Answers the request that was handed out. CSeq, Timestamp and Server are added.
    public mutating func respond(_ response: RTSPResponse) -> [Action] {
        guard let request = current else { preconditionFailure("a response without a request") }
        current = nil
        return answer(request, response) + advance()
    }

    /// A request of the server's own (RFC 2326 section 10.9 and others), to be sent; its answer comes as `.answered`.
    public mutating func request(_ request: RTSPRequest) -> [Action] {
        guard !isClosed else { return [] }
        var request = request
        request.headers = RTSPHeaders(
            [RTSPHeaders.Field("CSeq", "\(nextSequence)")] + request.headers.fields)
        pending.append((nextSequence, request))
        if pending.count > Self.maximumPending { pending.removeFirst() }
        nextSequence &+= 1
        return [.send(request.encoded)]
    }

    private mutating func advance() -> [Action] {
        var actions = takeTurns()
        while !isQueueFull, !isEnding {
            guard rest.messages > 0, rest.packets > 0 else {
                isSuspended = isSuspended || decoder.bufferedBytes > 0
                break
            }
            do throws(RTSPDecodingError) {
                guard let message = try decoder.next() else { break }
                if case .interleaved = message {
                    rest.packets -= 1
                } else {
                    rest.messages -= 1
                    taken += 1
                }
                switch message {
                case .interleaved(let channel, let payload):
                    actions.append(.interleaved(channel: channel, payload: payload))
                case .response(let response):
                    // One that answers nothing is late or unasked for, and means nothing.
                    guard let index = pending.firstIndex(where: { $0.sequence == response.sequence }) else { break }
                    actions.append(.answered(pending.remove(at: index).request, response))
                case .request(let request):
                    queue.append(refusal(of: request).map { .refused(request, $0) } ?? .request(request))
                }
            } catch {
                queue.append(.broken(error))
                isEnding = true
            }
            actions += takeTurns()
        }
        return actions
    }

    /// Hands out or answers what is at the head of the queue, as long as nothing is being served.
    private mutating func takeTurns() -> [Action] {
        var actions: [Action] = []
        while current == nil, !isClosed, !queue.isEmpty {
            switch queue.removeFirst() {
            case .request(let request):
                current = request
                actions.append(.serve(request))
            case .refused(let request, let response): actions += answer(request, response)
            case .broken(let error):
                actions.append(.send(Self.bytes(of: error)))
                actions.append(.close(reason: error.description))
                isClosed = true
            }
        }
        return actions
    }

    private mutating func answer(_ request: RTSPRequest, _ response: RTSPResponse) -> [Action] {
        var fields: [RTSPHeaders.Field] = []
        for name in ["CSeq", "Timestamp"] {
            if let value = request.headers[name] { fields.append(RTSPHeaders.Field(name, value)) }
        }
        fields.append(RTSPHeaders.Field("Server", name))
        var response = response
        let isLast = RTSPHeaders.isSame(request.headers["Connection"] ?? "", "close")
        if isLast { response.headers["Connection"] = "close" }
        response.headers = RTSPHeaders(fields + response.headers.fields)
        guard isLast else { return [.send(response.encoded)] }
        isEnding = true
        isClosed = true
        return [.send(response.encoded), .close(reason: "the peer asked for it")]
    }

    /// The refusal of a request for an error that does not depend on its subject, or nil.
    private func refusal(of request: RTSPRequest) -> RTSPResponse? {
        let list = MethodList(methods).description
        if request.version != .v1 { return RTSPResponse(.versionNotSupported) }
        if request.sequence == nil { return RTSPResponse(.badRequest) }
        if case .other = request.method { return RTSPResponse(.notImplemented, headers: ["Public": list]) }
        if !methods.contains(request.method) { return RTSPResponse(.methodNotAllowed, headers: ["Allow": list]) }
        let unsupported = ["Require", "Proxy-Require"]
            .flatMap { request.headers.all($0) }
            .flatMap { HeaderText.split($0[...], at: UInt8(ascii: ",")) }
            .filter { !$0.isEmpty && !features.contains(String($0)) }
        guard !unsupported.isEmpty else { return nil }
        return RTSPResponse(.optionNotSupported, headers: ["Unsupported": unsupported.joined(separator: ", ")])
    }

    /// The last answer of a connection; to HTTP in HTTP, so that a browser shows something.
    private static func bytes(of error: RTSPDecodingError) -> [UInt8] {
        if error.isHTTP {
            return Array(
                "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8)
        }
        var headers: RTSPHeaders = ["Connection": "close"]
        if let sequence = error.sequence { headers["CSeq"] = "\(sequence)" }
        return RTSPResponse(error.status, headers: headers).encoded
    }
}
