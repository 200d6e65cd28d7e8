// A client of the control API: one HTTP/1.1 request per connection over the Unix domain socket.

import AgentSupport
import FoundationEssentials
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Node
import Routing

/// Talks to the daemon.
struct ControlClient: Sendable {
    private typealias Connection = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    /// The method of a request.
    enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    /// The path of the daemon's control socket.
    let socket: String

    init(socket: String) { self.socket = socket }

    /// Sends a request without an answer of interest.
    func send(_ method: Method, _ path: String) async throws { _ = try await bytes(method, path, body: nil) }

    /// Sends a request, and decodes the answer. `doing` is what a person reads while the daemon is at it.
    func send<Answer: Decodable>(
        _ method: Method, _ path: String, as type: Answer.Type = Answer.self, doing: String? = nil
    ) async throws -> Answer {
        try decode(type, try await bytes(method, path, body: nil, doing: doing))
    }

    /// Sends a request with a body, and decodes the answer.
    func send<Answer: Decodable>(
        _ method: Method, _ path: String, body: some Encodable, as type: Answer.Type = Answer.self
    ) async throws -> Answer {
        try decode(type, try await bytes(method, path, body: Array(try JSONText.encode(body))))
    }

    /// Sends a request, and returns the answer as text.
    func text(_ method: Method, _ path: String) async throws -> String {
        String(decoding: try await bytes(method, path, body: nil), as: UTF8.self)
    }

    private func decode<Answer: Decodable>(_ type: Answer.Type, _ bytes: [UInt8]) throws -> Answer {
        do { return try JSONText.decode(type, from: bytes) } catch {
            throw CommandError(
                "the daemon at \(socket) answers what this program does not understand (\(error.message)); "
                    + "use the program of the daemon's version")
        }
    }

    /// Sends a request and returns the body of the answer; throws the refusal if it is one.
    private func bytes(
        _ method: Method, _ path: String, body: [UInt8]?, doing: String? = nil
    ) async throws -> [UInt8] {
        try await Progress.during(doing ?? "waiting for the daemon at \(socket)") {
            let connection = try await connect()
            do {
                let (status, answer) = try await exchange(method, path, body: body, over: connection)
                guard (200..<300).contains(status.code) else { throw refusal(status, answer) }
                return answer
            } catch let error as CommandError {
                throw error
            } catch {
                throw CommandError(
                    "the daemon at \(socket) broke the connection off (\(ErrorText.of(error))); see its log",
                    exitStatus: ExitStatus.unreachable)
            }
        }
    }

    /// Follows a stream of server-sent events (WHATWG HTML, section 9.2): calls `body` with the name and the data of each, until the daemon
    /// ends the stream. Comments are left out.
    func follow(
        _ path: String, after last: UInt64?, _ body: @Sendable (_ name: String, _ data: String) async throws -> Void
    ) async throws {
        let connection = try await connect()
        var headers: HTTPHeaders = ["host": "crosspoint", "accept": "text/event-stream"]
        if let last { headers.add(name: "last-event-id", value: "\(last)") }
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: headers)
        try await connection.executeThenClose { inbound, outbound in
            try await outbound.write(contentsOf: [.head(head), .end(nil)])
            var status = HTTPResponseStatus.ok
            var refused: [UInt8] = []
            var lines = EventStreamLines()
            for try await part in inbound {
                switch part {
                case .head(let head): status = head.status
                case .body(let buffer) where status != .ok: refused += buffer.readableBytesView
                case .body(let buffer):
                    for event in lines.take(buffer.readableBytesView) { try await body(event.name, event.data) }
                case .end:
                    if status != .ok { throw refusal(status, refused) }
                    return
                }
            }
        }
    }

    private func connect() async throws -> Connection {
        do {
            return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.seconds(5))
                .connect(unixDomainSocketPath: socket) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        return try Connection(wrappingChannelSynchronously: channel)
                    }
                }
        } catch {
            throw unreachable(error)
        }
    }

    private func exchange(
        _ method: Method, _ path: String, body: [UInt8]?, over connection: Connection
    ) async throws -> (status: HTTPResponseStatus, body: [UInt8]) {
        var headers: HTTPHeaders = ["host": "crosspoint", "accept": "application/json"]
        if let body {
            headers.add(name: "content-type", value: "application/json")
            headers.add(name: "content-length", value: String(body.count))
        }
        let head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: method.rawValue), uri: path, headers: headers)
        return try await connection.executeThenClose { inbound, outbound in
            // All at once: a daemon that has seen a whole request may answer, and close, before a second write.
            var parts: [HTTPClientRequestPart] = [.head(head)]
            if let body { parts.append(.body(.byteBuffer(ByteBuffer(bytes: body)))) }
            try await outbound.write(contentsOf: parts + [.end(nil)])
            var status: HTTPResponseStatus?
            var answer: [UInt8] = []
            for try await part in inbound {
                switch part {
                case .head(let head): status = head.status
                case .body(let buffer): answer += buffer.readableBytesView
                case .end:
                    if let status { return (status, answer) }
                }
            }
            throw ChannelError.eof
        }
    }

    /// The refusal that an answer carries.
    private func refusal(_ status: HTTPResponseStatus, _ body: [UInt8]) -> CommandError {
        if let report = try? JSONText.decode(ErrorReport.self, from: body) { return CommandError(report.error.message) }
        return CommandError("the daemon at \(socket) answers \(status.code) \(status.reasonPhrase); see its log")
    }

    /// The reason for which no connection came about.
    private func unreachable(_ error: any Error) -> CommandError {
        switch (error as? IOError)?.errnoCode {
        case EACCES, EPERM:
            let remedy =
                switch FileGroup.name(of: socket) {
                // Not a group for operators.
                case "root": "run as root, or give the daemon a control.group and join it"
                case let group?: "join the group '\(group)' or run as root"
                case nil: "join the socket's group or run as root"
                }
            return CommandError("no permission to use \(socket); \(remedy)", exitStatus: ExitStatus.notPermitted)
        case nil, ENOENT, ECONNREFUSED, ENOTDIR:
            return CommandError(
                "no daemon answers at \(socket); start it with 'crosspoint run' or name its socket with --socket",
                exitStatus: ExitStatus.unreachable)
        case let code?:
            return CommandError(
                "no daemon answers at \(socket) (\(String(cString: strerror(code)))); name its socket with --socket",
                exitStatus: ExitStatus.unreachable)
        }
    }
}
