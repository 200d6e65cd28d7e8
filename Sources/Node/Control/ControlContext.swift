// The context of a request: its connection, and the author of what it changes.

import Events
import Hummingbird
import Logging
import NIOCore

/// The context of one request of the control API.
struct ControlContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection that the request came on; nil in tests of the router alone.
    let channel: (any Channel)?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

/// Names the author of what a request changes: the process at the other end of the socket.
struct RequestAuthors: RouterMiddleware {
    func handle(
        _ request: Request, context: ControlContext, next: (Request, ControlContext) async throws -> Response
    ) async throws -> Response {
        guard request.method != .get, request.method != .head, let channel = context.channel else {
            return try await next(request, context)
        }
        let author = await PeerProcess(channel)?.description
        return try await EventAuthor.$current.withValue(author) { try await next(request, context) }
    }
}
