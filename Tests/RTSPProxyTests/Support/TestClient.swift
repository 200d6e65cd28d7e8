// A client on a raw TCP connection.

import AgentSupport
import RTPWire
import RTSPCore
import Testing

@testable import RTSPProxy

@AgentActor final class TestClient {
    let socket: LoopbackSocket
    let base: String
    private var decoder = RTSPDecoder()
    private var sequence = 0
    var session: String?

    init(_ node: TestNode, path: String = "/cam", from source: IPAddress? = nil, receiveBuffer: CInt? = nil) throws {
        socket = try LoopbackSocket(connectingTo: node.tcpPort, from: source, receiveBuffer: receiveBuffer)
        base = "rtsp://node.studio:\(node.tcpPort)\(path)"
    }

    /// The next message of the server; nil at the end of the connection.
    func next() async throws -> RTSPMessage? {
        while true {
            if let message = try decoder.next() { return message }
            guard let bytes = await socket.receive() else {
                Issue.record("the server does not answer")
                return nil
            }
            if bytes.isEmpty { return nil }
            decoder.append(bytes)
        }
    }

    /// The next response, whatever packets come before it.
    func response() async throws -> RTSPResponse {
        while let message = try await next() {
            if case .response(let response) = message { return response }
        }
        throw RTSPDecodingError(.badRequest, "the connection ended")
    }

    func send(
        _ method: RTSPMethod, _ suffix: String = "", _ headers: RTSPHeaders = [:], body: [UInt8] = [],
        uri: String? = nil
    ) throws {
        sequence += 1
        var headers = headers
        if let session, headers["Session"] == nil { headers["Session"] = session }
        headers["CSeq"] = "\(sequence)"
        try socket.send(RTSPRequest(method, uri ?? base + suffix, headers: headers, body: body).encoded)
    }

    /// A request and its response, whose session is kept.
    @discardableResult
    func request(
        _ method: RTSPMethod, _ suffix: String = "", _ headers: RTSPHeaders = [:], body: [UInt8] = [],
        uri: String? = nil
    ) async throws -> RTSPResponse {
        try send(method, suffix, headers, body: body, uri: uri)
        let response = try await response()
        #expect(response.sequence == UInt32(sequence), "answers do not cross")
        if let header = response.headers["Session"].flatMap({ SessionHeader($0) }) { session = header.id }
        return response
    }

    /// SETUP of both streams on UDP, and PLAY; returns the answer to PLAY.
    @discardableResult
    func play(udpPort: UInt16, streams: Int = 2) async throws -> RTSPResponse {
        for stream in 0..<streams {
            let setup = try await request(
                .setup, "/streamid=\(stream)",
                ["Transport": "RTP/AVP;unicast;client_port=\(udpPort + UInt16(stream) * 2)"])
            #expect(setup.status.code == 200)
        }
        return try await request(.play)
    }

    /// Whether the server has closed the connection.
    func isClosed() async throws -> Bool {
        while let message = try await next() { _ = message }
        return true
    }
}
