// HTTP as any other program would speak it, so that the API is not tested with its own client alone.

import Foundation
import NIOCore
import NIOPosix

enum RawHTTP {
    enum Target: Sendable {
        case socket(String)
        case tcp(Int)
    }

    struct Answer: Sendable {
        let status: Int
        let head: String
        let body: String
    }

    static func request(
        _ method: String, _ path: String, body: String? = nil, to target: Target
    ) async throws -> Answer {
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        let initialise: @Sendable (any Channel) -> EventLoopFuture<NIOAsyncChannel<ByteBuffer, ByteBuffer>> = {
            channel in
            channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel(wrappingChannelSynchronously: channel) }
        }
        let connection =
            switch target {
            case .socket(let path):
                try await bootstrap.connect(unixDomainSocketPath: path, channelInitializer: initialise)
            case .tcp(let port):
                try await bootstrap.connect(host: "127.0.0.1", port: port, channelInitializer: initialise)
            }
        let text = try await connection.executeThenClose { inbound, outbound in
            let length = body.map { "Content-Length: \($0.utf8.count)\r\n" } ?? ""
            try await outbound.write(
                ByteBuffer(
                    string: "\(method) \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(length)\r\n\(body ?? "")"))
            var text = ""
            for try await buffer in inbound { text += String(buffer: buffer) }
            return text
        }
        let parts = text.components(separatedBy: "\r\n\r\n")
        let status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return Answer(status: status, head: parts[0], body: parts.dropFirst().joined(separator: "\r\n\r\n"))
    }
}
