// A socket in use: who serves it, and what it shares.

/// A socket that a worker serves.
final class OpenSocket {
    let port: EnginePort
    let queue: Int
    let worker: Int
    let area: MemoryArea
    /// True if the area's other sockets were bound by way of this one.
    let isAnchor: Bool
    let channel: UnsafeMutablePointer<Channel>
    private var socket: PacketSocket?
    let descriptor: CInt

    init(
        port: EnginePort, queue: Int, worker: Int, area: MemoryArea, socket: consuming PacketSocket,
        makeChannel: (borrowing PacketSocket) -> Channel
    ) {
        self.port = port
        self.queue = queue
        self.worker = worker
        self.area = area
        isAnchor = area.sockets == 0
        area.sockets += 1
        channel = .allocate(capacity: 1)
        channel.initialize(to: makeChannel(socket))
        descriptor = socket.descriptor
        self.socket = consume socket
    }

    deinit { channel.deallocate() }

    /// Closes the socket, which no worker uses any more.
    func close() {
        socket = nil
        area.sockets -= 1
    }
}
