// What a server's connection does before anybody looks at what is asked for.

import RTSPCore
import Testing

@Suite struct ServerConnectionTests {
    static let supported: [RTSPMethod] = [.options, .describe, .setup, .play, .teardown, .getParameter]
    static let list = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"
    var connection = ServerConnection(name: "crosspoint", methods: Self.supported)

    /// A request line and fields to a request's bytes.
    static func bytes(_ line: String, _ fields: String...) -> [UInt8] {
        Array(([line] + fields).map { $0 + "\r\n" }.joined().utf8) + [0x0d, 0x0a]
    }

    /// The responses among what is to be sent.
    static func responses(_ actions: [ServerConnection.Action]) throws -> [RTSPResponse] {
        try actions.flatMap { action -> [RTSPResponse] in
            guard case .send(let bytes) = action else { return [] }
            return try decode(bytes).compactMap { if case .response(let response) = $0 { response } else { nil } }
        }
    }

    /// The methods of the requests that are to be served.
    static func served(_ actions: [ServerConnection.Action]) -> [RTSPMethod] {
        actions.compactMap { if case .serve(let request) = $0 { request.method } else { nil } }
    }

    /// The answer to a request that is refused before it is served.
    mutating func refusal(_ line: String, _ fields: String...) throws -> RTSPResponse? {
        let actions = connection.receive(
            Array(([line] + fields).map { $0 + "\r\n" }.joined().utf8) + [0x0d, 0x0a])
        #expect(Self.served(actions).isEmpty)
        return try Self.responses(actions).first
    }

    @Test("R-01: the response repeats CSeq; a request without one, or with no number, gets 400")
    mutating func sequence() throws {
        #expect(Self.served(connection.receive(Self.bytes("OPTIONS * RTSP/1.0", "CSeq: 0312"))) == [.options])
        let response = try Self.responses(connection.respond(RTSPResponse(.ok, headers: ["Public": "X"]))).first
        #expect(
            response?.headers.fields == [
                RTSPHeaders.Field("CSeq", "0312"), RTSPHeaders.Field("Server", "crosspoint"),
                RTSPHeaders.Field("Public", "X"),
            ])
        let missing = try refusal("OPTIONS * RTSP/1.0")
        #expect(missing?.status == .badRequest && missing?.headers["CSeq"] == nil)
        #expect(try refusal("OPTIONS * RTSP/1.0", "CSeq: x")?.status == .badRequest)
    }

    @Test("R-04: pipelined requests are served and answered in their order, one at a time")
    mutating func pipelining() throws {
        let all =
            Self.bytes("OPTIONS * RTSP/1.0", "CSeq: 1") + Self.bytes("FLY * RTSP/1.0", "CSeq: 2")
            + Self.bytes("DESCRIBE rtsp://h/ RTSP/1.0", "CSeq: 3") + Self.bytes("SETUP rtsp://h/ RTSP/1.0", "CSeq: 4")
        let first = connection.receive(all)
        #expect(Self.served(first) == [.options])
        #expect(try Self.responses(first).isEmpty)
        let second = connection.respond(RTSPResponse(.ok))
        #expect(try Self.responses(second).map(\.sequence) == [1, 2])
        #expect(try Self.responses(second).map(\.status.code) == [200, 501])
        #expect(Self.served(second) == [.describe])
        let third = connection.respond(RTSPResponse(.notFound))
        #expect(try Self.responses(third).map(\.sequence) == [3])
        #expect(Self.served(third) == [.setup])
        #expect(try Self.responses(connection.respond(RTSPResponse(.ok))).map(\.sequence) == [4])
    }

    @Test("R-04: a flood of pipelined requests is read no further than the queue, and none is lost")
    mutating func flood() throws {
        var actions = connection.receive((1...100).flatMap { Self.bytes("OPTIONS * RTSP/1.0", "CSeq: \($0)") })
        #expect(connection.isFull)
        var sequences: [UInt32?] = []
        var turns = 1
        while Self.served(actions) == [.options] || connection.isSuspended {
            if Self.served(actions) == [.options] {
                actions = connection.respond(RTSPResponse(.ok))
            } else {
                turns += 1
                actions = connection.resume()
            }
            sequences += try Self.responses(actions).map(\.sequence)
        }
        #expect(turns == 25, "four in each turn")
        let counts = [connection.takeCount(), connection.takeCount()]
        #expect(counts == [100, 0])
        #expect(sequences == (1...100).map { UInt32($0) })
        #expect(!connection.isFull)
    }

    @Test("What is refused at once counts in a turn like what is served, and so do interleaved packets")
    mutating func turns() throws {
        var actions = connection.receive((1...10).flatMap { Self.bytes("FLY * RTSP/1.0", "CSeq: \($0)") })
        #expect(try Self.responses(actions).map(\.sequence) == [1, 2, 3, 4] && connection.isFull)
        #expect(connection.receive(Self.bytes("FLY * RTSP/1.0", "CSeq: 11")).isEmpty, "the turn is over")
        actions = connection.resume()
        #expect(try Self.responses(actions).map(\.sequence) == [5, 6, 7, 8])
        #expect(try Self.responses(connection.resume()).map(\.sequence) == [9, 10, 11])
        #expect(!connection.isSuspended)
        let frame = RTSPMessage.interleaved(channel: 0, payload: []).encoded
        actions = connection.receive((0..<300).flatMap { _ in frame })
        #expect(actions.count == 256 && connection.isSuspended)
        actions = connection.resume()
        #expect(actions.count == 44 && !connection.isSuspended)
        connection.suspend()
        #expect(connection.receive(frame).isEmpty)
        #expect(connection.resume().count == 1)
    }

    @Test("What is kept of a peer's bytes is known, and nothing is kept of what is done")
    mutating func storedBytes() throws {
        #expect(connection.storedBytes == 0 && !connection.isServing)
        let begun = Self.bytes("ANNOUNCE rtsp://h/ RTSP/1.0", "CSeq: 1", "Content-Length: 3000")
        _ = connection.receive(begun + [UInt8](repeating: 0x61, count: 2999))
        #expect(connection.storedBytes >= 2999)
        _ = connection.receive([0x61])
        _ = connection.receive(Self.bytes("OPTIONS * RTSP/1.0", "CSeq: 2"))
        #expect(connection.isServing && connection.storedBytes >= 10)
        _ = connection.respond(RTSPResponse(.ok))
        #expect(connection.storedBytes == 0 && !connection.isServing)
    }

    @Test("R-05: an unknown method gets 501 with Public, a known one that is not served 405 with Allow")
    mutating func methods() throws {
        let unknown = try refusal("FLY rtsp://h/ RTSP/1.0", "CSeq: 1")
        #expect(unknown?.status.code == 501 && unknown?.headers["Public"] == Self.list && unknown?.sequence == 1)
        let small = try refusal("options * RTSP/1.0", "CSeq: 1")
        #expect(small?.status.code == 501)
        let known = try refusal("REDIRECT rtsp://h/ RTSP/1.0", "CSeq: 2")
        #expect(known?.status.code == 405 && known?.headers["Allow"] == Self.list)
    }

    @Test("R-06: other versions get 505 and the connection goes on; HTTP gets a 400 in HTTP and the end")
    mutating func versions() throws {
        for version in ["RTSP/2.0", "RTSP/3.7", "RTSP/0.9", "RTSP/1.1"] {
            let response = try refusal("OPTIONS * \(version)", "CSeq: 8")
            #expect(response?.status.code == 505 && response?.sequence == 8)
        }
        #expect(Self.served(connection.receive(Self.bytes("OPTIONS * RTSP/1.0", "CSeq: 9"))) == [.options])
        _ = connection.respond(RTSPResponse(.ok))
        let actions = connection.receive(Self.bytes("GET /cam HTTP/1.1", "Host: node"))
        guard case .send(let bytes)? = actions.first, case .close? = actions.last, actions.count == 2 else {
            Issue.record("\(actions)")
            return
        }
        #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(connection.receive(Self.bytes("OPTIONS * RTSP/1.0", "CSeq: 9")).isEmpty)
    }

    @Test("R-07: unknown tags of Require and Proxy-Require get 551, which lists these only")
    mutating func require() throws {
        connection = ServerConnection(name: "crosspoint", methods: Self.supported, features: ["known"])
        let response = try refusal(
            "SETUP rtsp://h/ RTSP/1.0", "CSeq: 1", "Require: funky-feature, known", "require: other",
            "Proxy-Require: third")
        #expect(response?.status.code == 551)
        #expect(response?.headers["Unsupported"] == "funky-feature, other, third")
        let actions = connection.receive(Self.bytes("SETUP rtsp://h/ RTSP/1.0", "CSeq: 1", "Require: known,"))
        #expect(Self.served(actions) == [.setup])
    }

    @Test("R-08: unknown headers and Host do not matter")
    mutating func unknownHeaders() {
        let actions = connection.receive(
            Self.bytes("DESCRIBE rtsp://h/ RTSP/1.0", "CSeq: 1", "Host: other", "x-Thing: 1", "Blocksize: 1400"))
        #expect(Self.served(actions) == [.describe])
    }

    @Test("R-10: Timestamp is repeated exactly, also in refusals")
    mutating func timestamp() throws {
        _ = connection.receive(Self.bytes("OPTIONS * RTSP/1.0", "CSeq: 1", "timestamp: 17.042 "))
        #expect(try Self.responses(connection.respond(RTSPResponse(.ok))).first?.headers["Timestamp"] == "17.042")
        #expect(try refusal("FLY * RTSP/1.0", "CSeq: 2", "Timestamp: 3")?.headers["Timestamp"] == "3")
    }

    @Test("R-11: the peer's answers to requests of the server are told, also while it waits for one itself")
    mutating func ownRequests() throws {
        _ = connection.receive(Self.bytes("DESCRIBE rtsp://h/ RTSP/1.0", "CSeq: 1"))
        let actions = connection.request(RTSPRequest(.options, "*"))
        guard case .send(let bytes)? = actions.first, case .request(let request)? = try decode(bytes).first else {
            Issue.record("nothing was sent")
            return
        }
        let response = RTSPResponse(.ok, headers: ["CSeq": request.headers["CSeq"] ?? ""])
        #expect(connection.receive(response.encoded) == [.answered(request, response)])
        #expect(connection.receive(response.encoded).isEmpty, "a second answer is to nothing")
        #expect(connection.receive(RTSPResponse(.ok, headers: ["CSeq": "99"]).encoded).isEmpty)
        #expect(try Self.responses(connection.respond(RTSPResponse(.ok))).map(\.sequence) == [1])
    }

    @Test("R-13: what is no RTSP is answered once, after the requests before it, and the connection ends")
    mutating func garbage() throws {
        let served = connection.receive(Self.bytes("OPTIONS * RTSP/1.0", "CSeq: 1") + Self.bytes("\u{1}\u{2}"))
        #expect(Self.served(served) == [.options])
        let actions = connection.respond(RTSPResponse(.ok))
        #expect(try Self.responses(actions).map(\.status.code) == [200, 400])
        guard case .close? = actions.last else {
            Issue.record("not closed: \(actions)")
            return
        }
        #expect(connection.receive(Self.bytes("OPTIONS * RTSP/1.0", "CSeq: 2")).isEmpty)
    }

    @Test("R-13: a body that is too long gets 413 with its CSeq")
    mutating func tooLong() throws {
        let actions = connection.receive(
            Self.bytes("SET_PARAMETER rtsp://h/ RTSP/1.0", "CSeq: 5", "Content-Length: 999999"))
        #expect(try Self.responses(actions).map(\.status.code) == [413])
        #expect(try Self.responses(actions).map(\.sequence) == [5])
    }

    @Test("R-45, R-46: frames pass at once, before, between and behind requests that wait")
    mutating func frames() {
        let frame = RTSPMessage.interleaved(channel: 1, payload: [1, 2, 3]).encoded
        let request = Self.bytes("OPTIONS * RTSP/1.0", "CSeq: 1")
        let actions = connection.receive([frame, request, frame, request, frame].flatMap { $0 })
        let channels = actions.filter { $0 == .interleaved(channel: 1, payload: [1, 2, 3]) }
        #expect(channels.count == 3 && Self.served(actions) == [.options])
    }

    @Test("Connection: close is honoured after the response")
    mutating func close() throws {
        _ = connection.receive(Self.bytes("OPTIONS * RTSP/1.0", "CSeq: 1", "Connection: Close"))
        let actions = connection.respond(RTSPResponse(.ok))
        #expect(try Self.responses(actions).first?.headers["Connection"] == "close")
        guard case .close? = actions.last else {
            Issue.record("not closed: \(actions)")
            return
        }
    }
}
