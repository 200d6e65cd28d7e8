// Frames and rings: what the kernel takes and gives back.

import CLibXDP
import CrosspointShim

extension ForwardingLoop {
    /// Takes back what the kernel has sent.
    @inline(__always) static func reap(_ channel: UnsafeMutablePointer<Channel>) {
        let ring = channel.pointee.completionRing
        var first: UInt32 = 0
        let count = xsk_ring_cons__peek(ring, UInt32.max, &first)
        guard count > 0 else { return }
        let memory = channel.pointee.memory
        for offset in 0..<count {
            let address = xsk_ring_cons__comp_addr(ring, first &+ offset).unsafelyUnwrapped.pointee
            memory.pointee.release(FrameMemory.index(address))
        }
        xsk_ring_cons__release(ring, count)
        channel.pointee.outstanding &-= Int(count)
    }

    /// Gives the kernel frames to receive into.
    @inline(__always) static func refill(_ channel: UnsafeMutablePointer<Channel>) {
        let memory = channel.pointee.memory
        let wanted = min(channel.pointee.fillLimit &- channel.pointee.filled, memory.pointee.freeCount)
        // A few at a time: each store to the ring's producer is seen by another core.
        guard wanted >= 32 || (wanted > 0 && channel.pointee.filled < 32) else { return }
        let ring = channel.pointee.fillRing
        let count = min(UInt32(truncatingIfNeeded: wanted), xsk_prod_nb_free(ring, UInt32(truncatingIfNeeded: wanted)))
        var first: UInt32 = 0
        guard count > 0, xsk_ring_prod__reserve(ring, count, &first) == count else { return }
        for offset in 0..<count {
            let frame = memory.pointee.take()
            memory.pointee.setFiller(channel.pointee.number, of: Int(frame))
            xsk_ring_prod__fill_addr(ring, first &+ offset).unsafelyUnwrapped.pointee = FrameMemory.address(frame)
        }
        xsk_ring_prod__submit(ring, count)
        channel.pointee.filled &+= Int(count)
        wakeReceiver(channel)
    }

    /// Wakes a driver that found no frames to receive into and wants to be notified of new ones.
    @inline(__always) static func wakeReceiver(_ channel: UnsafeMutablePointer<Channel>) {
        guard channel.pointee.descriptor >= 0, xsk_ring_prod__needs_wakeup(channel.pointee.fillRing) != 0 else {
            return
        }
        _ = crosspoint_xdp_receive(channel.pointee.descriptor)
        channel.pointee.count(CROSSPOINT_SOCKET_RX_WAKEUPS)
    }

    @inline(__always)
    func write(
        _ ring: UnsafeMutablePointer<xsk_ring_prod>, _ place: UInt32, _ address: UInt64, _ length: Int, goesOn: Bool
    ) {
        let descriptor = xsk_ring_prod__tx_desc(ring, place).unsafelyUnwrapped
        descriptor.pointee.addr = address
        descriptor.pointee.len = UInt32(truncatingIfNeeded: length)
        descriptor.pointee.options = goesOn ? UInt32(CROSSPOINT_XDP_PKT_CONTD) : 0
    }

    // MARK: Room

    /// Places for descriptors in a transmit ring; nil, and counted, when the kernel takes too little.
    @inline(__always)
    mutating func reserve(_ output: UnsafeMutablePointer<Channel>, _ count: UInt32, _ port: Int) -> UInt32? {
        var place: UInt32 = 0
        if xsk_ring_prod__reserve(output.pointee.transmitRing, count, &place) == count { return place }
        flush(output)
        if xsk_ring_prod__reserve(output.pointee.transmitRing, count, &place) == count { return place }
        countRingFull(output, port)
        return nil
    }

    func countRingFull(_ output: UnsafeMutablePointer<Channel>, _ port: Int) {
        output.pointee.count(CROSSPOINT_SOCKET_TX_RING_FULL)
        count(CROSSPOINT_COPY_REFUSED, port: port)
    }

    func unreserve(_ output: UnsafeMutablePointer<Channel>, _ count: UInt32, _ port: Int) {
        output.pointee.transmitRing.pointee.cached_prod &-= count
        self.count(CROSSPOINT_COPY_REWRITE_FAILED, port: port)
    }

    @inline(__always)
    mutating func hasFrames(_ output: UnsafeMutablePointer<Channel>, _ count: UInt32, _ port: Int) -> Bool {
        if output.pointee.memory.pointee.freeCount >= Int(count) { return true }
        // Frames under way at any socket of the memory come back when the kernel has sent them.
        encryptCollected()
        for index in 0..<channelCount where channels[index].pointee.memory == output.pointee.memory {
            flush(channels[index])
        }
        if output.pointee.memory.pointee.freeCount >= Int(count) { return true }
        output.pointee.count(CROSSPOINT_SOCKET_TX_NO_FRAME)
        self.count(CROSSPOINT_COPY_NO_MEMORY, port: port)
        return false
    }
}
