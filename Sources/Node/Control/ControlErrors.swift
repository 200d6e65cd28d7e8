// Every refusal of the control API as JSON, with the HTTP status that goes with it.

import AgentSupport
import Hummingbird
import Logging
import Routing

/// Turns what handlers throw into answers.
struct ControlErrors: RouterMiddleware {
    /// True if this listener changes nothing.
    let readOnly: Bool

    func handle(
        _ request: Request, context: ControlContext,
        next: (Request, ControlContext) async throws -> Response
    ) async throws -> Response {
        if readOnly, request.method != .get, request.method != .head {
            return try answer(
                RoutingError(
                    .invalid,
                    "\(request.method) \(request.uri.path): this listener is read-only; use the Unix domain socket"),
                status: .methodNotAllowed)
        }
        do {
            return try await next(request, context)
        } catch let error as RoutingError {
            return try answer(error, status: Self.status(of: error.code))
        } catch let error as HTTPError {
            let code: RoutingError.Code = error.status == .notFound ? .notFound : .invalid
            let message =
                error.body ?? "\(request.method) \(request.uri.path): \(error.status.reasonPhrase.lowercased())"
            return try answer(RoutingError(code, message), status: error.status)
        } catch {
            context.logger.error("\(request.method) \(request.uri.path): \(ErrorText.of(error))")
            return try answer(RoutingError(.failed, ErrorText.of(error)), status: .internalServerError)
        }
    }

    private func answer(_ error: RoutingError, status: HTTPResponse.Status) throws -> Response {
        var buffer = ByteBuffer(bytes: try JSONText.encode(ErrorReport(error)))
        buffer.writeString("\n")
        return Response(
            status: status, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: buffer))
    }

    /// The HTTP status of a refusal.
    static func status(of code: RoutingError.Code) -> HTTPResponse.Status {
        switch code {
        case .invalid: .badRequest
        case .notFound: .notFound
        case .conflict: .conflict
        case .capacity: HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
        case .unavailable: .serviceUnavailable
        case .failed: .internalServerError
        }
    }
}
