// Packet loop of a worker: receives, copies, rewrites, sends. No allocation, reference counting or lock in here.

import CLibXDP
import CrosspointShim
package import FastPath

/// One worker's sockets and tables, and one pass over them.
///
/// Made once on the heap and used by one thread. Everything that it points to is owned by the worker, which takes a socket out of
/// here before it closes it.
package struct ForwardingLoop {
    /// Packets taken at once from a socket.
    static let batch: UInt32 = 64
    /// Copies that one batch may make before other sockets are looked at: a flow may have 512 legs.
    static let copiesPerBatch = 2048

    let tables: WorkerTables
    /// The sockets, in no order, and how many.
    let channels: UnsafeMutablePointer<UnsafeMutablePointer<Channel>>
    var channelCount = 0
    /// By port number: the socket that sends there.
    let byPort: UnsafeMutablePointer<UnsafeMutablePointer<Channel>?>
    /// CLOCK_MONOTONIC of this pass, ns.
    var now: UInt64 = 0
    var copiesOfBatch = 0
    /// The memory in which a packet of several buffers lies in one piece while it is encrypted or decrypted, behind a
    /// frame's headroom.
    let scratch: UnsafeMutableRawPointer
    /// Copies of this batch that are to be encrypted, and how many.
    let protectedCopies: UnsafeMutablePointer<ProtectedCopy>
    var protectedCount = 0

    static let maximumChannels = 250

    package init(tables: WorkerTables) {
        self.tables = tables
        scratch = .allocate(byteCount: FrameMemory.headroom + Self.longestPacket + Self.longestOverhead, alignment: 64)
        protectedCopies = .allocate(capacity: Self.protectedLimit)
        channels = .allocate(capacity: Self.maximumChannels)
        byPort = .allocate(capacity: Int(CROSSPOINT_MAX_PORTS))
        byPort.initialize(repeating: nil, count: Int(CROSSPOINT_MAX_PORTS))
    }

    package func deallocate() {
        channels.deallocate()
        byPort.deallocate()
        scratch.deallocate()
        protectedCopies.deallocate()
    }

    // MARK: One pass

    /// Looks once at every socket. Returns how many packets came.
    package mutating func pass(now: UInt64) -> Int {
        self.now = now
        var received = 0
        for index in 0..<channelCount {
            let channel = channels[index]
            if channel.pointee.outstanding > 0 { Self.reap(channel) }
            if channel.pointee.isReceiving {
                Self.refill(channel)
                received &+= receive(channel)
            }
        }
        for index in 0..<channelCount where isToBeFlushed(channels[index]) { flush(channels[index]) }
        return received
    }

    /// True if there are new descriptors, or such that the kernel could not take yet and will not without being called:
    /// a driver with zero-copy says that of itself.
    @inline(__always) private func isToBeFlushed(_ channel: UnsafeMutablePointer<Channel>) -> Bool {
        if channel.pointee.pending > 0 || channel.pointee.isDown { return true }
        guard channel.pointee.outstanding > 0, channel.pointee.descriptor >= 0 else { return false }
        let ring = channel.pointee.transmitRing
        return crosspoint_read32(ring.pointee.consumer) != ring.pointee.producer.pointee
            && (!channel.pointee.isZeroCopy || xsk_ring_prod__needs_wakeup(ring) != 0)
    }

    // MARK: What arrives

    private mutating func receive(_ channel: UnsafeMutablePointer<Channel>) -> Int {
        let ring = channel.pointee.receiveRing
        var first: UInt32 = 0
        let available = xsk_ring_cons__peek(ring, Self.batch, &first)
        guard available > 0 else { return 0 }
        copiesOfBatch = 0
        var used: UInt32 = 0
        var packets = 0
        while used < available, copiesOfBatch < Self.copiesPerBatch {
            var count: UInt32 = 1
            while Self.goesOn(ring, first &+ used &+ count &- 1), used &+ count < available { count &+= 1 }
            if Self.goesOn(ring, first &+ used &+ count &- 1) {
                // The rest comes with the next look; a chain as long as a batch is not a frame of any driver.
                if used > 0 || available < Self.batch { break }
                channel.pointee.count(CROSSPOINT_SOCKET_RX_TRUNCATED)
                releaseAll(channel, first &+ used, count)
            } else {
                process(channel, first &+ used, count)
                packets &+= 1
            }
            used &+= count
        }
        encryptCollected()
        if used < available { xsk_ring_cons__cancel(ring, available &- used) }
        xsk_ring_cons__release(ring, used)
        channel.pointee.count(CROSSPOINT_SOCKET_RX_PACKETS, packets)
        return packets
    }

    @inline(__always)
    private static func goesOn(_ ring: UnsafeMutablePointer<xsk_ring_cons>, _ index: UInt32) -> Bool {
        xsk_ring_cons__rx_desc(ring, index).unsafelyUnwrapped.pointee.options & UInt32(CROSSPOINT_XDP_PKT_CONTD) != 0
    }

    /// Gives back the frames of a received packet that nothing refers to any more.
    @inline(__always)
    func releaseAll(_ channel: UnsafeMutablePointer<Channel>, _ first: UInt32, _ count: UInt32) {
        for offset in 0..<count {
            let address =
                xsk_ring_cons__rx_desc(channel.pointee.receiveRing, first &+ offset).unsafelyUnwrapped.pointee.addr
            channel.pointee.memory.pointee.release(FrameMemory.index(address))
        }
    }

    // MARK: A packet

    @inline(__always)
    private mutating func process(_ channel: UnsafeMutablePointer<Channel>, _ first: UInt32, _ count: UInt32) {
        let ring = channel.pointee.receiveRing
        let memory = channel.pointee.memory
        var length = 0
        for offset in 0..<count {
            let descriptor = xsk_ring_cons__rx_desc(ring, first &+ offset).unsafelyUnwrapped.pointee
            length &+= Int(descriptor.len)
            memory.pointee.setFiller(0, of: FrameMemory.index(descriptor.addr))
        }
        channel.pointee.filled &-= Int(count)
        let head = xsk_ring_cons__rx_desc(ring, first).unsafelyUnwrapped.pointee
        let start = memory.pointee.base + Int(truncatingIfNeeded: head.addr)
        // Ingress wrote it in front of the frame, and nobody else redirects to these sockets.
        let note = (start - MemoryLayout<crosspoint_metadata>.size).loadUnaligned(as: crosspoint_metadata.self)
        guard let target = target(of: note) else {
            channel.pointee.count(CROSSPOINT_SOCKET_RX_STALE)
            return releaseAll(channel, first, count)
        }
        let legCount = Int(target >> 48)
        var leg = UInt32(truncatingIfNeeded: target)
        if legCount > 0, UInt16(truncatingIfNeeded: target >> 32) != UInt16(CROSSPOINT_SHAPE_DIRECT) {
            leg = leg < tables.groupSlots ? tables.groups[Int(leg)].first_leg : UInt32.max
        }
        guard legCount > 0, Int(leg) &+ legCount <= Int(tables.legSlots) else {
            self.count(CROSSPOINT_COPY_NO_LEG, port: Int(channel.pointee.port))
            return releaseAll(channel, first, count)
        }
        let packet = Packet(
            channel: channel, first: first, count: count, length: length, firstLength: Int(head.len), start: start,
            address: head.addr, note: note)
        if let receiver = Self.context(tables.flowContexts + Int(note.group)) {
            return deliverDecrypted(packet, receiver, leg: Int(leg), count: legCount)
        }
        // A flow of an earlier daemon has its legs before this one has its key.
        guard rules(of: Int(note.group)) & CROSSPOINT_RULE_ENCRYPTED.rawValue == 0 else {
            self.count(CROSSPOINT_COPY_SRTP_NO_KEY, port: Int(channel.pointee.port))
            return releaseAll(channel, first, count)
        }
        deliver(packet, leg: Int(leg), count: legCount)
    }

    /// Sends the copies of legs that lie beside each other.
    @inline(__always) mutating func deliver(_ packet: Packet, leg: Int, count legCount: Int) {
        for offset in 0..<legCount &- 1 { _ = send(packet, leg: leg &+ offset, isLast: false) }
        if !send(packet, leg: leg &+ legCount &- 1, isLast: true) {
            releaseAll(packet.channel, packet.first, packet.count)
        }
        copiesOfBatch &+= legCount
    }

    /// The present target of the packet's flow; nil when the flow is not the one any more that ingress meant.
    @inline(__always) private func target(of note: crosspoint_metadata) -> UInt64? {
        guard note.group < tables.flowSlots else { return nil }
        let slot = Int(note.group)
        guard UInt32(truncatingIfNeeded: tables.flowDetails[slot].generation) == note.packet else { return nil }
        return note.frame & CROSSPOINT_FRAME_RTCP.rawValue == 0
            ? crosspoint_read64(Self.field(tables.flows + slot, targetOffset))
            : crosspoint_read64(Self.field(tables.flowDetails + slot, rtcpTargetOffset))
    }

    /// The context that this process has for a flow or a leg; all of it is written when its address is.
    @inline(__always)
    static func context(_ place: UnsafePointer<UnsafeMutableRawPointer?>) -> UnsafeMutableRawPointer? {
        UnsafeMutableRawPointer(
            bitPattern: UInt(crosspoint_read64(UnsafeRawPointer(place).assumingMemoryBound(to: UInt64.self))))
    }

    @inline(__always) private func rules(of slot: Int) -> UInt32 {
        crosspoint_read32(
            (UnsafeRawPointer(tables.flowDetails + slot) + rulesOffset).assumingMemoryBound(to: UInt32.self))
    }

    @inline(__always)
    private static func field<Record>(_ record: UnsafePointer<Record>, _ offset: Int) -> UnsafePointer<UInt64> {
        (UnsafeRawPointer(record) + offset).assumingMemoryBound(to: UInt64.self)
    }

    private let targetOffset = MemoryLayout<crosspoint_flow>.offset(of: \.target) ?? 0
    private let rulesOffset = MemoryLayout<crosspoint_flow_detail>.offset(of: \.rules) ?? 0
    private let rtcpTargetOffset = MemoryLayout<crosspoint_flow_detail>.offset(of: \.rtcp_target) ?? 0

    /// A received packet: `count` descriptors from `first` on in the receive ring.
    struct Packet {
        let channel: UnsafeMutablePointer<Channel>
        let first: UInt32
        var count: UInt32
        var length: Int
        var firstLength: Int
        let start: UnsafeMutableRawPointer
        let address: UInt64
        let note: crosspoint_metadata
        /// True if the payload is another than the received one: its checksum is gone.
        var isChanged = false
    }

    @inline(__always) func count(_ reason: crosspoint_reason, port: Int) {
        let reasons = UnsafeMutableRawPointer(tables.reasons + port).assumingMemoryBound(to: UInt64.self)
        reasons[Int(reason.rawValue)] &+= 1
    }
}
