// A leg's copy: where it goes, in which frames it leaves, and what is counted of it.

import CLibXDP
import CrosspointShim
import FastPath

extension ForwardingLoop {
    /// Sends one leg's copy. True when the received frames themselves are on their way, which only the last leg's copy uses.
    @inline(__always)
    mutating func send(_ packet: Packet, leg index: Int, isLast: Bool) -> Bool {
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
}
