// What a worker does with packets: receives, copies, rewrites, sends. No allocation, reference counting or lock in here.

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
    /// Where a packet of several buffers lies in one piece while it is encrypted or decrypted, behind a frame's headroom.
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

    /// Whether there are new descriptors, or such that the kernel could not take yet and will not without being called: a driver with
    /// zero-copy says that of itself.
    @inline(__always) private func isToBeFlushed(_ channel: UnsafeMutablePointer<Channel>) -> Bool {
        if channel.pointee.pending > 0 || channel.pointee.isDown { return true }
        guard channel.pointee.outstanding > 0, channel.pointee.descriptor >= 0 else { return false }
        let ring = channel.pointee.transmitRing
        return crosspoint_read32(ring.pointee.consumer) != ring.pointee.producer.pointee
            && (!channel.pointee.isZeroCopy || xsk_ring_prod__needs_wakeup(ring) != 0)
    }

    // MARK: Frames and rings

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

    /// Wakes a driver that found no frames to receive into and wants to be told of new ones.
    @inline(__always) static func wakeReceiver(_ channel: UnsafeMutablePointer<Channel>) {
        guard channel.pointee.descriptor >= 0, xsk_ring_prod__needs_wakeup(channel.pointee.fillRing) != 0 else {
            return
        }
        _ = crosspoint_xdp_receive(channel.pointee.descriptor)
        channel.pointee.count(CROSSPOINT_SOCKET_RX_WAKEUPS)
    }

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
                // The rest comes with the next look; a chain as long as a batch is no frame of any driver.
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

    /// Where the packet's flow goes now; nil when the flow is not the one any more that ingress meant.
    @inline(__always) private func target(of note: crosspoint_metadata) -> UInt64? {
        guard note.group < tables.flowSlots else { return nil }
        let slot = Int(note.group)
        guard UInt32(truncatingIfNeeded: tables.flowDetails[slot].generation) == note.packet else { return nil }
        return note.frame & CROSSPOINT_FRAME_RTCP.rawValue == 0
            ? crosspoint_read64(Self.field(tables.flows + slot, targetOffset))
            : crosspoint_read64(Self.field(tables.flowDetails + slot, rtcpTargetOffset))
    }

    /// What this process has for a flow or a leg; all of it is written when its address is.
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
        /// Whether the payload is another than what came: its checksum is gone.
        var isChanged = false
    }

    // MARK: A copy

    /// Sends one leg's copy. True when the received frames themselves are on their way, which only the last leg's copy uses.
    @inline(__always)
    private mutating func send(_ packet: Packet, leg index: Int, isLast: Bool) -> Bool {
        let leg = tables.legs + index
        let port = Int(leg.pointee.port) & Int(CROSSPOINT_MAX_PORTS - 1)
        let flags = crosspoint_read32(
            UnsafeRawPointer(leg).assumingMemoryBound(to: UInt32.self))
        if flags & (CROSSPOINT_LEG_SHUT.rawValue | CROSSPOINT_LEG_GATED.rawValue) != 0,
            gateIsClosed(index, flags: flags, packet.note)
        {
            count(CROSSPOINT_COPY_GATED, port: port)
            return false
        }
        let growth = HeaderRewriter.growth(leg, flags: flags, frame: packet.note.frame)
        guard let output = byPort[port] else {
            refuseUnsent(packet, index, flags, growth, port)
            return false
        }
        if flags & CROSSPOINT_LEG_PROTECT.rawValue != 0 {
            return sendProtected(packet, index, flags, growth, output, port, isLast: isLast)
        }
        guard packet.length &+ growth <= output.pointee.longestFrame else {
            count(CROSSPOINT_COPY_TOO_LONG, port: port)
            return false
        }
        guard packet.count == 1 || output.pointee.isMultiBuffer else {
            count(CROSSPOINT_COPY_NOT_SUPPORTED, port: port)
            return false
        }
        let isOwnMemory = output.pointee.memory == packet.channel.pointee.memory
        if isLast, isOwnMemory { return sendReceived(packet, index, flags, growth, output, port) }
        if output.pointee.sharesPayload, isOwnMemory, packet.firstLength > Self.sharedFrom {
            sendShared(packet, index, flags, growth, output, port)
        } else {
            sendCopy(packet, index, flags, growth, output, port)
        }
        return false
    }

    /// Counts a copy whose interface is down as the kernel engine does: made, and refused. Nothing is encrypted for it.
    private func refuseUnsent(_ packet: Packet, _ index: Int, _ flags: UInt32, _ growth: Int, _ port: Int) {
        var bytes = packet.length &+ growth
        if flags & CROSSPOINT_LEG_PROTECT.rawValue != 0 {
            guard let overhead = protectionOverhead(packet, index) else {
                count(CROSSPOINT_COPY_SRTP_NO_KEY, port: port)
                return
            }
            bytes &+= overhead
        }
        countUnsent(index, bytes: bytes, port: port)
    }

    func countUnsent(_ index: Int, bytes: Int, port: Int) {
        count(CROSSPOINT_COPY_INTERFACE_DOWN, port: port)
        tables.ports[port].transmitted_copies &+= 1
        tables.ports[port].refused_copies &+= 1
        let counter = Int(tables.legs[index].counter)
        guard counter < tables.legCounters else { return }
        tables.legCounts[counter].packets &+= 1
        tables.legCounts[counter].bytes &+= UInt64(truncatingIfNeeded: bytes)
        tables.legRefusals[counter].packets &+= 1
        tables.legRefusals[counter].bytes &+= UInt64(truncatingIfNeeded: bytes)
    }

    private func gateIsClosed(_ index: Int, flags: UInt32, _ note: crosspoint_metadata) -> Bool {
        if flags & CROSSPOINT_LEG_SHUT.rawValue != 0 { return true }
        guard note.frame & CROSSPOINT_FRAME_SEQUENCE.rawValue != 0 else { return false }
        let ahead = Int32(bitPattern: note.sequence &- tables.legs[index].gate_sequence)
        return ahead < 0 && now < tables.legDetails[index].gate_deadline
    }

    /// The received frames, rewritten where they are.
    @inline(__always)
    private mutating func sendReceived(
        _ packet: Packet, _ index: Int, _ flags: UInt32, _ growth: Int, _ output: UnsafeMutablePointer<Channel>,
        _ port: Int
    ) -> Bool {
        guard let place = reserve(output, packet.count, port) else { return false }
        let ring = output.pointee.transmitRing
        let outcome = HeaderRewriter.rewrite(
            packet.start, length: packet.firstLength, tables.legs + index, tables.legDetails + index, flags: flags,
            frame: packet.note.frame)
        guard outcome != .failed else {
            unreserve(output, packet.count, port)
            return false
        }
        write(
            ring, place, packet.address &- UInt64(bitPattern: Int64(growth)), packet.firstLength &+ growth,
            goesOn: packet.count > 1)
        var offset: UInt32 = 1
        while offset < packet.count {
            let source = xsk_ring_cons__rx_desc(packet.channel.pointee.receiveRing, packet.first &+ offset)
                .unsafelyUnwrapped.pointee
            write(ring, place &+ offset, source.addr, Int(source.len), goesOn: offset &+ 1 < packet.count)
            offset &+= 1
        }
        finish(packet, index, growth, output, port, place, packet.count, outcome)
        return true
    }

    /// Frames of the copy's own, in the output's memory.
    @inline(__always)
    private mutating func sendCopy(
        _ packet: Packet, _ index: Int, _ flags: UInt32, _ growth: Int, _ output: UnsafeMutablePointer<Channel>,
        _ port: Int
    ) {
        let memory = output.pointee.memory
        guard hasFrames(output, packet.count, port), let place = reserve(output, packet.count, port) else { return }
        let ring = output.pointee.transmitRing
        var frame = memory.pointee.take()
        var address = FrameMemory.address(frame) &+ UInt64(FrameMemory.headroom)
        let start = memory.pointee.base + Int(truncatingIfNeeded: address)
        start.copyMemory(from: packet.start, byteCount: packet.firstLength)
        let outcome = HeaderRewriter.rewrite(
            start, length: packet.firstLength, tables.legs + index, tables.legDetails + index, flags: flags,
            frame: packet.note.frame)
        guard outcome != .failed else {
            memory.pointee.release(Int(frame))
            unreserve(output, packet.count, port)
            return
        }
        write(
            ring, place, address &- UInt64(bitPattern: Int64(growth)), packet.firstLength &+ growth,
            goesOn: packet.count > 1)
        var offset: UInt32 = 1
        while offset < packet.count {
            let source = xsk_ring_cons__rx_desc(packet.channel.pointee.receiveRing, packet.first &+ offset)
                .unsafelyUnwrapped.pointee
            frame = memory.pointee.take()
            address = FrameMemory.address(frame) &+ UInt64(FrameMemory.headroom)
            (memory.pointee.base + Int(truncatingIfNeeded: address)).copyMemory(
                from: packet.channel.pointee.memory.pointee.base + Int(truncatingIfNeeded: source.addr),
                byteCount: Int(source.len))
            write(ring, place &+ offset, address, Int(source.len), goesOn: offset &+ 1 < packet.count)
            offset &+= 1
        }
        if packet.channel.pointee.memory != memory {
            output.pointee.count(CROSSPOINT_SOCKET_COPIED_BETWEEN_UMEMS)
        }
        finish(packet, index, growth, output, port, place, packet.count, outcome)
    }

    /// Ethernet with two tags, IPv6, UDP and RTP: what any leg may write.
    private static let headers = 22 + 40 + 8 + 12
    /// Below this a copy is cheaper than one more descriptor.
    private static let sharedFrom = headers + 128

    /// A frame for the headers, and the received frames for the payload of all copies.
    private mutating func sendShared(
        _ packet: Packet, _ index: Int, _ flags: UInt32, _ growth: Int, _ output: UnsafeMutablePointer<Channel>,
        _ port: Int
    ) {
        let memory = output.pointee.memory
        let count = packet.count &+ 1
        guard hasFrames(output, 1, port), let place = reserve(output, count, port) else { return }
        let ring = output.pointee.transmitRing
        let frame = memory.pointee.take()
        let address = FrameMemory.address(frame) &+ UInt64(FrameMemory.headroom)
        let start = memory.pointee.base + Int(truncatingIfNeeded: address)
        start.copyMemory(from: packet.start, byteCount: Self.headers)
        let outcome = HeaderRewriter.rewrite(
            start, length: Self.headers, tables.legs + index, tables.legDetails + index, flags: flags,
            frame: packet.note.frame)
        guard outcome != .failed else {
            memory.pointee.release(Int(frame))
            unreserve(output, count, port)
            return
        }
        write(
            ring, place, address &- UInt64(bitPattern: Int64(growth)), Self.headers &+ growth, goesOn: true)
        write(
            ring, place &+ 1, packet.address &+ UInt64(Self.headers), packet.firstLength &- Self.headers,
            goesOn: packet.count > 1)
        memory.pointee.retain(FrameMemory.index(packet.address))
        var offset: UInt32 = 1
        while offset < packet.count {
            let source = xsk_ring_cons__rx_desc(packet.channel.pointee.receiveRing, packet.first &+ offset)
                .unsafelyUnwrapped.pointee
            memory.pointee.retain(FrameMemory.index(source.addr))
            write(ring, place &+ 1 &+ offset, source.addr, Int(source.len), goesOn: offset &+ 1 < packet.count)
            offset &+= 1
        }
        finish(packet, index, growth, output, port, place, count, outcome)
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

    /// The copy of a packet is complete in the ring.
    @inline(__always)
    private func finish(
        _ packet: Packet, _ index: Int, _ growth: Int, _ output: UnsafeMutablePointer<Channel>, _ port: Int,
        _ place: UInt32, _ descriptors: UInt32, _ outcome: HeaderRewriter.Outcome
    ) {
        finish(
            index, bytes: packet.length &+ growth,
            lacksChecksum: outcome == .lacksChecksum
                || (packet.isChanged && isIPv6(tables.legs + index, packet.note.frame)), output, port, place,
            descriptors)
    }

    /// A copy is complete in the ring: everything that is counted about it.
    @inline(__always)
    func finish(
        _ index: Int, bytes: Int, lacksChecksum: Bool, _ output: UnsafeMutablePointer<Channel>, _ port: Int,
        _ place: UInt32, _ descriptors: UInt32
    ) {
        let leg = tables.legs + index
        if lacksChecksum {
            DatagramChecksum.write(
                output.pointee.transmitRing, place, descriptors, base: output.pointee.memory.pointee.base,
                offset: Int(leg.pointee.l3_offset) + HeaderRewriter.ipv6Length)
        }
        let counter = leg.pointee.counter
        if counter < tables.legCounters {
            let count = tables.legCounts + Int(counter)
            count.pointee.packets &+= 1
            count.pointee.bytes &+= UInt64(truncatingIfNeeded: bytes)
        }
        let address = xsk_ring_prod__tx_desc(output.pointee.transmitRing, place).unsafelyUnwrapped.pointee.addr
        output.pointee.memory.pointee.copies[FrameMemory.index(address)] = FrameMemory.Copy(
            counter: counter, bytes: UInt32(truncatingIfNeeded: bytes))
        tables.ports[port].transmitted_copies &+= 1
        output.pointee.pending &+= descriptors
        output.pointee.count(CROSSPOINT_SOCKET_TX_PACKETS)
    }

    @inline(__always) func count(_ reason: crosspoint_reason, port: Int) {
        let reasons = UnsafeMutableRawPointer(tables.reasons + port).assumingMemoryBound(to: UInt64.self)
        reasons[Int(reason.rawValue)] &+= 1
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

    private func unreserve(_ output: UnsafeMutablePointer<Channel>, _ count: UInt32, _ port: Int) {
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
