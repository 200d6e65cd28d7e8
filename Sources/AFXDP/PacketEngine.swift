// The AF_XDP engine of a node: its workers, sockets and memory.

import CLibXDP
import CrosspointShim
public import FastPath
import Glibc

/// Opens and closes AF_XDP sockets for the ports that it is given, and has workers serve them.
///
/// Packets reach a worker only while ingress finds its socket and a fresh heartbeat; at any other time the flows that
/// can continue in the kernel engine do so. So every change here is safe under load: a socket that goes is first made
/// invisible, then emptied, then closed.
///
/// Used by one thread, whose network namespace has the ports.
public final class PacketEngine {
    private struct Key: Hashable {
        var port: UInt16
        var queue: Int
    }

    public let settings: EngineSettings
    private let fastPath: FastPath
    private var workers: [Worker] = []
    private var sockets: [Key: OpenSocket] = [:]
    /// By worker: its memory for zero-copy sockets, if it has one, and for all others.
    private var areas: [[MemoryArea]] = []
    private var nextNumber: [UInt8] = []
    /// The ports as they were last asked for.
    public private(set) var ports: [EnginePort] = []

    public init(fastPath: FastPath, settings: EngineSettings = EngineSettings()) {
        self.fastPath = fastPath
        self.settings = settings
    }

    deinit { stop() }

    /// Makes the engine work at these ports and at no other. On an error it works as before, as far as that can be had again.
    public func set(_ wanted: [EnginePort]) throws(EngineError) {
        let wanted = wanted.sorted { $0.number < $1.number }
        guard wanted != ports else { return }
        guard !wanted.isEmpty else { return stop() }
        let before = ports
        do {
            try change(to: wanted)
        } catch {
            do { try change(to: before) } catch { stop() }
            throw error
        }
    }

    /// True if the engine works at these ports and at no other.
    public func isComplete(_ wanted: [EnginePort]) -> Bool { wanted.sorted { $0.number < $1.number } == ports }

    private func change(to wanted: [EnginePort]) throws(EngineError) {
        let count = workerCount(wanted)
        let gone = ports.filter { !wanted.contains($0) }
        let needsAnew =
            count != workers.count
            || sockets.values.contains { socket in
                // Other sockets of its memory are bound by way of it.
                socket.isAnchor && gone.contains(socket.port) && socket.area.sockets > 1
            }
        if needsAnew { stop() }
        close(sockets.filter { gone.contains($0.value.port) }.map { $0.key })
        if workers.isEmpty { try startWorkers(count) }
        ports = ports.filter(wanted.contains)
        var opened: [Key] = []
        for port in wanted where !ports.contains(port) {
            opened += try open(port)
            ports.append(port)
        }
        ports = wanted
        // Packets come only when there are frames to receive them into, and sockets for all of their copies.
        shareFillRings()
        for key in opened { try publish(key) }
    }

    /// A worker sends by a queue of its own at every port: there are no more workers than the least queues.
    private func workerCount(_ ports: [EnginePort]) -> Int {
        let processors = max(Int(sysconf(CInt(_SC_NPROCESSORS_ONLN))), 1)
        let most = min(settings.workers ?? processors, fastPath.workerLimit)
        return max(min(most, ports.map(\.queues).min() ?? 1), 1)
    }

    private func startWorkers(_ count: Int) throws(EngineError) {
        for index in 0..<count {
            workers.append(
                try Worker(index: index, tables: fastPath.tables(ofWorker: index), polling: settings.polling))
        }
        areas = Array(repeating: [], count: count)
        nextNumber = Array(repeating: 1, count: count)
    }

    /// Ends all work: flows continue in the kernel engine, or wait.
    public func stop() {
        close(Array(sockets.keys))
        for worker in workers { worker.stop() }
        workers = []
        areas = []
        ports = []
    }

    // MARK: Opening

    /// Opens a port's sockets; those that receive are not published yet.
    private func open(_ port: EnginePort) throws(EngineError) -> [Key] {
        let queues = port.receives ? min(port.queues, Int(CROSSPOINT_MAX_QUEUES)) : workers.count
        var opened: [Key] = []
        do {
            for queue in 0..<queues {
                let socket = try makeSocket(port, queue: queue)
                let key = Key(port: port.number, queue: queue)
                sockets[key] = socket
                opened.append(key)
                enter(socket)
            }
        } catch {
            close(opened)
            throw error
        }
        return port.receives ? opened : []
    }

    private func enter(_ socket: OpenSocket) {
        let channel = socket.channel
        let sends = socket.queue == socket.worker
        workers[socket.worker].perform { $0.pointee.add(channel, sends: sends) }
    }

    /// Lets ingress give packets to a socket.
    private func publish(_ key: Key) throws(EngineError) {
        guard let socket = sockets[key] else { return }
        let error = fastPath.enterSocket(socket.descriptor, port: key.port, queue: key.queue)
        guard error == 0 else {
            throw EngineError(
                .kernel,
                "port \(socket.port.name): its AF_XDP socket cannot be entered: \(String(cString: strerror(error)))")
        }
    }

    private func makeSocket(_ port: EnginePort, queue: Int) throws(EngineError) -> OpenSocket {
        let worker = queue % workers.count
        var failure: PacketSocket.BindFailure?
        // Memory that other sockets have already, if the kernel lets this one share it.
        for area in areas[worker] where area.binding.isZeroCopy == wantsZeroCopy(port) && area.suits(port) {
            do throws(PacketSocket.BindFailure) {
                return makeOpen(port, queue, worker, area, try socket(port, queue, area))
            } catch {
                failure = error
            }
        }
        for binding in bindings(port) {
            for attempt in 1...PacketSocket.attempts {
                let area = try MemoryArea(frames: settings.frames, binding: binding)
                do throws(PacketSocket.BindFailure) {
                    let made = makeOpen(port, queue, worker, area, try socket(port, queue, area))
                    areas[worker].append(area)
                    return made
                } catch {
                    failure = error
                    guard error.code == EBUSY, attempt < PacketSocket.attempts else { break }
                    usleep(PacketSocket.pause)
                }
            }
            if failure?.code == EBUSY { break }
        }
        // Zero-copy was tried and refused by the driver: the memory of the others.
        if settings.mode == .automatic {
            for area in areas[worker] where !area.binding.isZeroCopy {
                do throws(PacketSocket.BindFailure) {
                    return makeOpen(port, queue, worker, area, try socket(port, queue, area))
                } catch {
                    failure = error
                }
            }
        }
        throw (failure ?? PacketSocket.BindFailure(code: EOPNOTSUPP)).error(port, queue: queue, mode: settings.mode)
    }

    private func wantsZeroCopy(_ port: EnginePort) -> Bool {
        switch settings.mode {
        case .copy: false
        case .zeroCopy: true
        case .automatic: port.hasZeroCopy != false
        }
    }

    /// The ways to bind a socket on memory of its own, best first.
    private func bindings(_ port: EnginePort) -> [PacketSocket.Binding] {
        var list: [PacketSocket.Binding] = []
        if wantsZeroCopy(port) {
            list.append(.init(isZeroCopy: true, isMultiBuffer: true))
            // Without, the driver would not show frames of several buffers to anybody, ingress included.
            if port.fitsOneBuffer { list.append(.init(isZeroCopy: true, isMultiBuffer: false)) }
        }
        if settings.mode != .zeroCopy {
            list += [.init(isZeroCopy: false, isMultiBuffer: true), .init(isZeroCopy: false, isMultiBuffer: false)]
        }
        return list
    }

    private func socket(
        _ port: EnginePort, _ queue: Int, _ area: MemoryArea
    ) throws(PacketSocket.BindFailure) -> PacketSocket {
        try PacketSocket(
            interface: port.name, queue: queue, memory: area.memory, binding: area.binding, isFirst: area.sockets == 0)
    }

    private func makeOpen(
        _ port: EnginePort, _ queue: Int, _ worker: Int, _ area: MemoryArea, _ socket: consuming PacketSocket
    ) -> OpenSocket {
        let record = fastPath.socketRecord(port: port.number, queue: queue)
        UnsafeMutableRawPointer(record).initializeMemory(
            as: UInt8.self, repeating: 0, count: MemoryLayout<crosspoint_socket>.stride)
        var isZeroCopy = false
        _ = crosspoint_xdp_is_zero_copy(socket.descriptor, &isZeroCopy)
        if settings.polling == .busy, port.receives, port.sendsWhenPolled || !isZeroCopy {
            _ = crosspoint_set_busy_poll(socket.descriptor, 20, 64)
        }
        let isMultiBuffer = area.binding.isMultiBuffer
        record.pointee.worker = UInt32(worker)
        record.pointee.flags =
            CROSSPOINT_SOCKET_OPEN.rawValue | (isZeroCopy ? CROSSPOINT_SOCKET_ZERO_COPY.rawValue : 0)
            | (isMultiBuffer ? CROSSPOINT_SOCKET_MULTI_BUFFER.rawValue : 0)
        let shares =
            switch settings.payloadSharing {
            case .never: false
            case .always: isMultiBuffer
            case .automatic: isMultiBuffer && isZeroCopy
            }
        let number = nextNumber[worker]
        nextNumber[worker] = number == 250 ? 1 : number + 1
        return OpenSocket(port: port, queue: queue, worker: worker, area: area, socket: socket) { socket in
            Channel(
                receiveRing: socket.receiveRing, transmitRing: socket.transmitRing, fillRing: socket.fillRing,
                completionRing: socket.completionRing, memory: area.memory.frames, record: record,
                descriptor: socket.descriptor, port: UInt8(port.number), number: number, isReceiving: port.receives,
                isZeroCopy: isZeroCopy, isMultiBuffer: isMultiBuffer, sharesPayload: shares,
                longestFrame: port.longestFrame, fillLimit: 0)
        }
    }

    /// Divides half of each memory's frames among the sockets that receive into it; the other half is for what is being sent.
    private func shareFillRings() {
        for socket in sockets.values where socket.port.receives {
            let sharers = sockets.values.count { $0.area === socket.area && $0.port.receives }
            let limit = min(Int(UserMemory.ringSize), settings.frames / 2 / sharers)
            let channel = socket.channel
            workers[socket.worker].perform { _ in
                channel.pointee.fillLimit = limit
                ForwardingLoop.refill(channel)
            }
        }
    }

    /// Keeps a worker from its packets while `body` runs: for tests of what happens then.
    func occupyWorker(_ index: Int, _ body: @escaping () -> Void) { workers[index].perform { _ in body() } }

    // MARK: Closing

    /// The time that a socket may take to send what it has, in microseconds: frames that take longer are not sent at all.
    private static let patience: UInt32 = 200_000

    private func close(_ keys: [Key]) {
        let closing = keys.compactMap { key in sockets.removeValue(forKey: key) }
        guard !closing.isEmpty else { return }
        // No packet is given to them from now on; those that were are on their way until the grace period ends.
        for socket in closing where socket.port.receives {
            fastPath.removeSocket(port: socket.port.number, queue: socket.queue)
        }
        GracePeriod.wait()
        let deadline = crosspoint_monotonic() + UInt64(Self.patience) * 1000
        while crosspoint_monotonic() < deadline, closing.contains(where: { !isDone($0) }) { usleep(500) }
        for socket in closing {
            let record = fastPath.socketRecord(port: socket.port.number, queue: socket.queue)
            let (worker, area, channel) = (socket.worker, socket.area, socket.channel)
            let (number, unsent) = workers[worker].perform { loop in
                loop.pointee.remove(channel)
                return (channel.pointee.number, channel.pointee.outstanding)
            }
            record.pointee.heartbeat = 0
            record.pointee.flags = 0
            // From then on the kernel writes to none of its frames.
            socket.close()
            let frames = area.memory.frames
            let isReleased = area.sockets == 0 || !area.binding.isZeroCopy || driverHasReleased(socket)
            if isReleased { _ = workers[worker].perform { _ in frames.pointee.takeBack(filler: number) } }
            // Frames that never came back stay lost to the memory: sockets to come get another.
            if area.sockets == 0 || unsent > 0 || !isReleased { areas[worker].removeAll { $0 === area } }
        }
    }

    /// Waits until a driver with zero-copy has given up a closed socket's frames: it learns of the close some time after close() (a
    /// work queue of the kernel's, xp_release_deferred()), and receives into them until then. Only then is the queue to be had.
    private func driverHasReleased(_ socket: OpenSocket) -> Bool {
        let binding = PacketSocket.Binding(isZeroCopy: false, isMultiBuffer: false)
        for _ in 0..<PacketSocket.attempts {
            guard let probe = try? MemoryArea(frames: 1, binding: binding) else { return false }
            do throws(PacketSocket.BindFailure) {
                _ = try self.socket(socket.port, socket.queue, probe)
                return true
            } catch {
                // An interface that is gone has no driver any more.
                guard error.code == EBUSY else { return error.code == ENODEV }
                usleep(PacketSocket.pause)
            }
        }
        return false
    }

    private func isDone(_ socket: OpenSocket) -> Bool {
        let channel = socket.channel
        return workers[socket.worker].perform { $0.pointee.isDone(channel) }
    }
}
