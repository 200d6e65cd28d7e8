// Counters of one AF_XDP socket.

import CrosspointShim

/// One AF_XDP socket of a port. Counters are those of the socket's life; a socket that is opened again begins at 0.
public struct SocketStatistics: Hashable, Sendable, Codable {
    /// The receive queue.
    public var queue: Int
    /// The worker that serves it.
    public var worker: Int
    /// `zero-copy` or `copy`, as the kernel says.
    public var mode: String
    /// True if frames of several buffers are received and sent.
    public var isMultiBuffer: Bool
    /// Packets, wakeups and errors, by name (`bpf/socket_counters.h`).
    public var counters: [String: UInt64]

    /// The names of all counters.
    public static let counterNames = (0..<crosspoint_socket_counter_count()).map {
        String(cString: crosspoint_socket_counter_name($0))
    }

    public init(queue: Int, worker: Int, mode: String, isMultiBuffer: Bool, counters: [String: UInt64]) {
        self.queue = queue
        self.worker = worker
        self.mode = mode
        self.isMultiBuffer = isMultiBuffer
        self.counters = counters
    }
}
