// Events that the fast path reports without being asked.

import CLibBPF
import CrosspointShim
import Glibc
public import RTPWire

/// A report of the fast path about one packet.
public struct FastPathEvent: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// The flow's first packet.
        case firstPacket
        /// The first packet of a source that the flow does not know.
        case unknownSource
    }

    public var kind: Kind
    /// The flow.
    public var flow: FlowHandle
    /// CLOCK_MONOTONIC, nanoseconds.
    public var time: UInt64
    public var source: IPAddress
    public var sourceUDPPort: UInt16
}

extension FastPath {
    /// Reports of the fast path, from a thread of their own. The stream ends when its consumer goes; call it once.
    public func events() throws(FastPathError) -> AsyncStream<FastPathEvent> {
        guard let map = try tables.open(.maps, "events") else {
            throw FastPathError(
                .pinned, "\(tables.path): maps/events is missing; run 'crosspoint unload' and start anew")
        }
        let (stream, continuation) = AsyncStream.makeStream(
            of: FastPathEvent.self, bufferingPolicy: .bufferingNewest(1024))
        let reader = EventReader(map: map, continuation: continuation)
        try reader.start()
        continuation.onTermination = { _ in reader.stop() }
        return stream
    }
}

/// Polls the ring buffer on a thread of its own: waiting would occupy one of the few threads of the cooperative pool.
private final class EventReader: @unchecked Sendable {
    private let map: Descriptor
    private let continuation: AsyncStream<FastPathEvent>.Continuation
    /// Written once by any thread, read by the polling one.
    private let wakeup = crosspoint_eventfd()

    init(map: Descriptor, continuation: AsyncStream<FastPathEvent>.Continuation) {
        self.map = map
        self.continuation = continuation
    }

    deinit { close(wakeup) }

    func stop() {
        var one: UInt64 = 1
        write(wakeup, &one, 8)
    }

    func start() throws(FastPathError) {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<EventReader>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard result == 0 else {
            context.release()
            throw FastPathError(.kernel, "thread for events: cannot be started: \(errorText(result))")
        }
        pthread_detach(thread)
    }

    private func run() {
        let callback: ring_buffer_sample_fn = { context, data, size in
            guard let context, let data, size >= MemoryLayout<crosspoint_event>.size else { return 0 }
            let reader = Unmanaged<EventReader>.fromOpaque(context).takeUnretainedValue()
            reader.take(data.loadUnaligned(as: crosspoint_event.self))
            return 0
        }
        guard
            let ring = map.use({ ring_buffer__new($0, callback, Unmanaged.passUnretained(self).toOpaque(), nil) })
        else { return continuation.finish() }
        defer { ring_buffer__free(ring) }
        var waits = [
            pollfd(fd: ring_buffer__epoll_fd(ring), events: Int16(POLLIN), revents: 0),
            pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            poll(&waits, 2, -1)
            if waits[1].revents != 0 { return }
            ring_buffer__consume(ring)
        }
    }

    private func take(_ event: crosspoint_event) {
        let kind: FastPathEvent.Kind
        switch event.kind {
        case CROSSPOINT_EVENT_FIRST_PACKET.rawValue: kind = .firstPacket
        case CROSSPOINT_EVENT_UNKNOWN_SOURCE.rawValue: kind = .unknownSource
        default: return
        }
        continuation.yield(
            FastPathEvent(
                kind: kind, flow: FlowHandle(slot: Int(event.flow), generation: event.generation), time: event.time,
                source: IPAddress(words: event.source), sourceUDPPort: UInt16(bigEndian: event.source_port)))
    }
}
