// SRTP that leaves: each leg's copy is encrypted with the leg's own key.

import CLibXDP
import CrosspointShim
import FastPath
import SRTP

extension ForwardingLoop {
    /// Copies that are encrypted one after the other; they fit into a core's cache.
    static let protectedLimit = 32

    /// The sender that encrypts a leg's packets; nil where it has no key.
    @inline(__always) private func sender(of index: Int) -> UnsafeMutablePointer<SRTPSender>? {
        Self.context(tables.legContexts + index)?.assumingMemoryBound(to: SRTPSender.self)
    }

    /// The number of bytes that a leg's encryption adds to a packet; nil where the leg has no key.
    func protectionOverhead(_ packet: Packet, _ index: Int) -> Int? {
        sender(of: index).map { Self.overhead($0, isControl: Self.isControl(packet)) }
    }

    @inline(__always)
    private static func overhead(_ sender: UnsafeMutablePointer<SRTPSender>, isControl: Bool) -> Int {
        isControl ? sender.pointee.controlOverhead : sender.pointee.overhead
    }

    /// Takes one leg's copy for encryption. True when the received frame itself is on its way. Apart, since other legs need no room for it.
    @inline(never)
    mutating func sendProtected(
        _ packet: Packet, _ index: Int, _ flags: UInt32, _ growth: Int, _ output: UnsafeMutablePointer<Channel>,
        _ port: Int, isLast: Bool
    ) -> Bool {
        guard let sender = sender(of: index) else {
            count(CROSSPOINT_COPY_SRTP_NO_KEY, port: port)
            return false
        }
        let overhead = Self.overhead(sender, isControl: Self.isControl(packet))
        let length = packet.length &+ overhead
        guard length &+ growth <= output.pointee.longestFrame, length <= Self.longestPacket else {
            count(CROSSPOINT_COPY_TOO_LONG, port: port)
            return false
        }
        guard packet.count == 1, length <= FrameMemory.capacity else {
            sendProtectedInPieces(packet, index, flags, growth, output, port, sender, overhead)
            return false
        }
        if protectedCount == Self.protectedLimit { encryptCollected() }
        let memory = output.pointee.memory
        let room = FrameMemory.frameSize &- Int(truncatingIfNeeded: packet.address & UInt64(FrameMemory.frameSize - 1))
        let isInPlace =
            isLast && memory == packet.channel.pointee.memory && length <= room
            && !memory.pointee.isShared(FrameMemory.index(packet.address))
        guard isInPlace || hasFrames(output, 1, port), hasRoomForCollected(output, port) else { return false }
        var (start, address) = (packet.start, packet.address)
        if !isInPlace {
            address = FrameMemory.address(memory.pointee.take()) &+ UInt64(FrameMemory.headroom)
            start = memory.pointee.base + Int(truncatingIfNeeded: address)
            start.copyMemory(from: packet.start, byteCount: packet.length)
        }
        guard let headers = writeHeaders(start, packet, index, flags, overhead: overhead, port: port) else {
            if !isInPlace { memory.pointee.release(FrameMemory.index(address)) }
            return false
        }
        if memory != packet.channel.pointee.memory {
            output.pointee.count(CROSSPOINT_SOCKET_COPIED_BETWEEN_UMEMS)
        }
        protectedCopies[protectedCount] = ProtectedCopy(
            sender: sender, payload: headers.payload, output: output,
            address: address &- UInt64(bitPattern: Int64(growth)),
            payloadLength: Int32(truncatingIfNeeded: headers.length),
            length: Int32(truncatingIfNeeded: length &+ growth), leg: Int32(truncatingIfNeeded: index),
            isControl: Self.isControl(packet), isIPv6: headers.isIPv6)
        protectedCount &+= 1
        output.pointee.collected &+= 1
        return isInPlace
    }

    /// Encrypts the copies that were collected, and then writes them into the rings.
    @inline(__always)
    mutating func encryptCollected() {
        if protectedCount > 0 { encryptAll() }
    }

    @inline(never)
    private mutating func encryptAll() {
        var left = 0
        for place in 0..<protectedCount {
            let copy = protectedCopies[place]
            let port = Int(copy.output.pointee.port)
            // The interface may have gone down, or away, since.
            let reason =
                byPort[port] == copy.output
                ? encrypt(copy.payload, Int(copy.payloadLength), copy.sender, isControl: copy.isControl)
                : CROSSPOINT_COPY_INTERFACE_DOWN
            guard let reason else {
                protectedCopies[left] = copy
                left &+= 1
                continue
            }
            if reason == CROSSPOINT_COPY_INTERFACE_DOWN {
                countUnsent(Int(copy.leg), bytes: Int(copy.length), port: port)
            } else {
                count(reason, port: port)
            }
            copy.output.pointee.collected &-= 1
            copy.output.pointee.memory.pointee.release(FrameMemory.index(copy.address))
        }
        protectedCount = 0
        for place in 0..<left {
            let copy = protectedCopies[place]
            let output = copy.output
            let port = Int(output.pointee.port)
            output.pointee.collected &-= 1
            guard let descriptor = reserve(output, 1, port) else {
                output.pointee.memory.pointee.release(FrameMemory.index(copy.address))
                continue
            }
            write(output.pointee.transmitRing, descriptor, copy.address, Int(copy.length), goesOn: false)
            finish(
                Int(copy.leg), bytes: Int(copy.length), lacksChecksum: copy.isIPv6, output, port, descriptor, 1)
        }
    }

    /// True if the transmit ring takes one copy more than those that were collected for it; counted when it does not.
    @inline(__always)
    private mutating func hasRoomForCollected(_ output: UnsafeMutablePointer<Channel>, _ port: Int) -> Bool {
        let wanted = output.pointee.collected &+ 1
        if xsk_prod_nb_free(output.pointee.transmitRing, wanted) >= wanted { return true }
        flush(output)
        if xsk_prod_nb_free(output.pointee.transmitRing, wanted) >= wanted { return true }
        countRingFull(output, port)
        return false
    }

    /// Sends a copy that takes several buffers, in which it cannot be encrypted.
    private mutating func sendProtectedInPieces(
        _ packet: Packet, _ index: Int, _ flags: UInt32, _ growth: Int, _ output: UnsafeMutablePointer<Channel>,
        _ port: Int, _ sender: UnsafeMutablePointer<SRTPSender>, _ overhead: Int
    ) {
        guard output.pointee.isMultiBuffer else {
            count(CROSSPOINT_COPY_NOT_SUPPORTED, port: port)
            return
        }
        // Packets leave in the order in which they came.
        encryptCollected()
        let length = packet.length &+ overhead &+ growth
        let buffers = UInt32((length &+ FrameMemory.capacity &- 1) / FrameMemory.capacity)
        guard hasFrames(output, buffers, port), let place = reserve(output, buffers, port) else { return }
        let start = gather(packet)
        var reason: crosspoint_reason?
        let headers = writeHeaders(start, packet, index, flags, overhead: overhead, port: port)
        if let headers {
            reason = encrypt(headers.payload, headers.length, sender, isControl: Self.isControl(packet))
            if let reason { count(reason, port: port) }
        }
        guard let headers, reason == nil else {
            output.pointee.transmitRing.pointee.cached_prod &-= buffers
            return
        }
        scatter(start - growth, length, output, place, buffers)
        if output.pointee.memory != packet.channel.pointee.memory {
            output.pointee.count(CROSSPOINT_SOCKET_COPIED_BETWEEN_UMEMS)
        }
        finish(index, bytes: length, lacksChecksum: headers.isIPv6, output, port, place, buffers)
    }

    /// The part of a packet that is encrypted, and the family by which it leaves.
    private typealias Headers = (payload: UnsafeMutableRawPointer, length: Int, isIPv6: Bool)

    /// Writes a leg's headers over those of a packet in one piece, with the lengths that it will have. Nil, and counted, where that
    /// cannot be.
    @inline(__always)
    private func writeHeaders(
        _ start: UnsafeMutableRawPointer, _ packet: Packet, _ index: Int, _ flags: UInt32, overhead: Int, port: Int
    ) -> Headers? {
        let came = Datagram(start, frame: packet.note.frame)
        let headers = came.payload - start
        guard packet.firstLength >= headers, let length = came.payloadLength(upTo: packet.length &- headers) else {
            count(CROSSPOINT_COPY_SRTP_MALFORMED, port: port)
            return nil
        }
        let outcome = HeaderRewriter.rewrite(
            start, length: packet.length, tables.legs + index, tables.legDetails + index, flags: flags,
            frame: packet.note.frame)
        guard outcome != .failed else {
            count(CROSSPOINT_COPY_REWRITE_FAILED, port: port)
            return nil
        }
        let leaves = Datagram(came, changesFamily: flags & CROSSPOINT_LEG_CHANGE_FAMILY.rawValue != 0)
        leaves.grow(by: overhead)
        return (came.payload, length, leaves.isIPv6)
    }

    /// Encrypts a packet. Returns why it cannot leave; nil when it can.
    @inline(__always)
    private func encrypt(
        _ payload: UnsafeMutableRawPointer, _ length: Int, _ sender: UnsafeMutablePointer<SRTPSender>, isControl: Bool
    ) -> crosspoint_reason? {
        do {
            let longer = try sender.pointee.protect(payload, length: length, isControl: isControl)
            // The length that its headers give is the length that is sent.
            return longer &- length == Self.overhead(sender, isControl: isControl) ? nil : CROSSPOINT_COPY_SRTP_FAILED
        } catch {
            return Self.reason(error)
        }
    }

    /// Puts a frame in one piece into buffers of the output's memory.
    private func scatter(
        _ start: UnsafeMutableRawPointer, _ length: Int, _ output: UnsafeMutablePointer<Channel>, _ place: UInt32,
        _ buffers: UInt32
    ) {
        let memory = output.pointee.memory
        var left = length
        for offset in 0..<buffers {
            let address = FrameMemory.address(memory.pointee.take()) &+ UInt64(FrameMemory.headroom)
            let part = min(left, FrameMemory.capacity)
            (memory.pointee.base + Int(truncatingIfNeeded: address)).copyMemory(
                from: start + (length &- left), byteCount: part)
            left &-= part
            write(output.pointee.transmitRing, place &+ offset, address, part, goesOn: offset &+ 1 < buffers)
        }
    }
}
