// Events over HTTP: a list, or a stream of server-sent events.

import Events
import Hummingbird
import NIOCore
import Routing
import Timing

extension ControlRouter {
    /// The pause after which a stream without events shows that it lives.
    private static let heartbeat = Duration.seconds(15)
    /// The items that a slow reader may be behind.
    private static let backlog = 1024

    func addEvents(to router: Router<ControlContext>) {
        router.get("v1/events") { request, _ in
            let parameters = request.uri.queryParameters
            var selection = try EventSelection(
                since: parameters["since"].map(String.init), severity: parameters["severity"].map(String.init),
                kind: parameters["kind"].map(String.init), now: SystemClock.unixNanoseconds)
            let isStream = request.headers[.accept]?.contains("text/event-stream") == true
            guard isStream else { return try json(events.events(after: selection.after).filter(selection.contains)) }
            // A reader that comes back has seen everything up to there.
            if let last = Self.lastEvent(of: request) { selection.after = last }
            return stream(selection)
        }
    }

    /// The number of the last event that a reader has (WHATWG HTML, section 9.2).
    private static func lastEvent(of request: Request) -> UInt64? {
        request.headers.first { $0.name.canonicalName == "last-event-id" }.flatMap { UInt64($0.value) }
    }

    private enum Item: Sendable {
        case event(NodeEvent)
        case heartbeat
    }

    /// A stream of the selected events, those that are kept first (WHATWG HTML, section 9.2). It ends when the node stops.
    private func stream(_ selection: EventSelection) -> Response {
        let (past, following) = events.follow(after: selection.after)
        let body = ResponseBody { writer in
            let (items, continuation) = AsyncStream.makeStream(
                of: Item.self, bufferingPolicy: .bufferingNewest(Self.backlog))
            let feed = Task {
                for await event in following { continuation.yield(.event(event)) }
                continuation.finish()
            }
            let pulse = Task {
                while !Task.isCancelled {
                    try await Task.sleep(for: Self.heartbeat)
                    continuation.yield(.heartbeat)
                }
            }
            defer {
                feed.cancel()
                pulse.cancel()
            }
            var last = past.last?.id
            // Headers and this line go out at once: a reader knows that it is connected.
            try await writer.write(ByteBuffer(string: ": events of this node\n\n"))
            for event in past where selection.contains(event) { try await writer.write(Self.text(of: event)) }
            for await item in items {
                switch item {
                case .heartbeat: try await writer.write(ByteBuffer(string: ":\n\n"))
                case .event(let event):
                    // Numbers have no gaps: what is missing was dropped, since the reader is too slow.
                    if let last, event.id > last.addingSaturating(1) {
                        let missing = event.id.subtractingSaturating(last).subtractingSaturating(1)
                        try await writer.write(ByteBuffer(string: "event: gap\ndata: {\"missing\": \(missing)}\n\n"))
                    }
                    last = event.id
                    if selection.contains(event) { try await writer.write(Self.text(of: event)) }
                }
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store"], body: body)
    }

    private static func text(of event: NodeEvent) throws -> ByteBuffer {
        var buffer = ByteBuffer(string: "id: \(event.id)\nevent: \(event.kind.rawValue)\ndata: ")
        buffer.writeBytes(try JSONText.encode(event))
        buffer.writeString("\n\n")
        return buffer
    }
}
