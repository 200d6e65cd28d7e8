// Settings of the AF_XDP engine on this node.

/// The engine's settings, as the configuration has them (`afxdp`).
public struct EngineSettings: Hashable, Sendable {
    /// The mode in which sockets are bound.
    public enum Mode: String, Hashable, Sendable, CaseIterable {
        /// Zero-copy where the driver has it, copy mode elsewhere.
        case automatic = "auto"
        case copy
        /// Zero-copy, or refused.
        case zeroCopy = "zero-copy"
    }

    /// The behaviour of a worker when nothing came.
    public enum Polling: String, Hashable, Sendable, CaseIterable {
        /// It sleeps until something comes.
        case sleep
        /// It looks again at once: the shortest delay, for a whole CPU.
        case spin
        /// Like spin, and the driver's queues are polled by the worker instead of by interrupts.
        case busy
    }

    /// When copies of a flow share one payload in memory instead of having each their own.
    public enum PayloadSharing: String, Hashable, Sendable, CaseIterable {
        /// Sharing where the socket is zero-copy and multi-buffer: elsewhere a copy is cheaper.
        case automatic = "auto"
        /// Wherever the socket is multi-buffer.
        case always
        case never
    }

    /// Worker threads (`workers`), or nil for as many as the node has CPUs and the ports have queues.
    public var workers: Int?
    /// Frames of 4,096 bytes in each UMEM (`frames`): a power of two. This memory is locked.
    public var frames: Int
    public var mode: Mode
    public var polling: Polling
    public var payloadSharing: PayloadSharing

    public init(
        workers: Int? = nil, frames: Int = 8192, mode: Mode = .automatic, polling: Polling = .sleep,
        payloadSharing: PayloadSharing = .automatic
    ) {
        self.workers = workers
        self.frames = frames
        self.mode = mode
        self.polling = polling
        self.payloadSharing = payloadSharing
    }

    public static let frameRange = 1024...1_048_576
    public static let workerRange = 1...8
}
