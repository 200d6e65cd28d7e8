// SRTP in the loop: what arrives is decrypted once, what leaves is encrypted for each leg.

import CLibXDP
import CrosspointShim
import FastPath
import SRTP

extension ForwardingLoop {
    /// The longest packet that is encrypted or decrypted, from Ethernet header to payload: any of IP's, with two tags.
    static let longestPacket = 22 + 65_575
    /// More than a tag, an MKI and SRTCP's index take.
    static let longestOverhead = 64

    /// The headers of a packet in one piece, and where its payload is.
    private struct Datagram {
        let ip: UnsafeMutableRawPointer
        let udp: UnsafeMutableRawPointer
        let isIPv6: Bool

        /// As it came.
        init(_ start: UnsafeMutableRawPointer, frame: UInt32) {
            ip = start + Int(frame & CROSSPOINT_FRAME_L3_OFFSET.rawValue)
            isIPv6 = frame & CROSSPOINT_FRAME_IPV6.rawValue != 0
            udp = ip + (isIPv6 ? HeaderRewriter.ipv6Length : HeaderRewriter.ipv4Length)
        }

        /// As a leg's: its UDP header stays where it was.
        init(_ came: Datagram, changesFamily: Bool) {
            isIPv6 = came.isIPv6 != changesFamily
            udp = came.udp
            ip = udp - (isIPv6 ? HeaderRewriter.ipv6Length : HeaderRewriter.ipv4Length)
        }

        var payload: UnsafeMutableRawPointer { udp + HeaderRewriter.udpLength }

        /// Bytes of payload, as the UDP header says; nil where it says something impossible.
        @inline(__always) func payloadLength(upTo most: Int) -> Int? {
            let length = Int(UInt16(bigEndian: (udp + 4).loadUnaligned(as: UInt16.self))) &- HeaderRewriter.udpLength
            return length >= 0 && length == most ? length : nil
        }

        /// Writes lengths that are `change` bytes more than they were. The UDP checksum is left out (RFC 768): IPv6 gets one later.
        @inline(__always) func grow(by change: Int) {
            let change = UInt16(truncatingIfNeeded: change)
            func add(_ place: UnsafeMutableRawPointer) -> (before: UInt16, after: UInt16) {
                let before = place.loadUnaligned(as: UInt16.self)
                let after = (UInt16(bigEndian: before) &+ change).bigEndian
                place.storeBytes(of: after, as: UInt16.self)
                return (before, after)
            }
            _ = add(udp + 4)
            (udp + 6).storeBytes(of: 0, as: UInt16.self)
            guard !isIPv6 else {
                _ = add(ip + 4)
                return
            }
            let (before, after) = add(ip + 2)
            let check = (ip + 10).loadUnaligned(as: UInt16.self)
            // RFC 1624, equation 3.
            let sum = UInt64(~check) &+ UInt64(~before) &+ UInt64(after)
            (ip + 10).storeBytes(of: ~HeaderRewriter.fold(sum), as: UInt16.self)
        }
    }

    /// Whether a leg's copy of a packet is IPv6.
    @inline(__always) func isIPv6(_ leg: UnsafePointer<crosspoint_leg>, _ frame: UInt32) -> Bool {
        (frame & CROSSPOINT_FRAME_IPV6.rawValue != 0)
            != (leg.pointee.flags & CROSSPOINT_LEG_CHANGE_FAMILY.rawValue != 0)
    }

    // MARK: What arrives

    /// Decrypts a packet, and sends its copies. Apart, so that others' packets need not lie in memory for it.
    @inline(never)
    mutating func deliverDecrypted(_ packet: Packet, _ context: UnsafeMutableRawPointer, leg: Int, count: Int) {
        var packet = packet
        if unprotect(&packet, context) {
            deliver(packet, leg: leg, count: count)
        } else {
            releaseAll(packet.channel, packet.first, packet.count)
        }
    }

    /// Decrypts a packet where it is, for all of its legs. False when it is not authentic, and counted.
    private mutating func unprotect(_ packet: inout Packet, _ context: UnsafeMutableRawPointer) -> Bool {
        let receiver = context.assumingMemoryBound(to: SRTPReceiver.self)
        let port = Int(packet.channel.pointee.port)
        let isWhole = packet.count == 1
        let start = isWhole ? packet.start : gather(packet)
        let datagram = Datagram(start, frame: packet.note.frame)
        let headers = datagram.payload - start
        guard packet.length <= Self.longestPacket, packet.firstLength >= headers,
            let length = datagram.payloadLength(upTo: packet.length &- headers)
        else {
            count(CROSSPOINT_COPY_SRTP_MALFORMED, port: port)
            return false
        }
        let left: Int
        do {
            left = try receiver.pointee.unprotect(
                datagram.payload, length: length, isControl: Self.isControl(packet), now: now)
        } catch {
            count(Self.reason(error), port: port)
            return false
        }
        datagram.grow(by: left &- length)
        packet.isChanged = true
        packet.length &+= left &- length
        if isWhole { packet.firstLength = packet.length } else { scatterBack(&packet) }
        return true
    }

    /// Copies a packet of several buffers into the scratch memory, and returns where it begins.
    private func gather(_ packet: Packet) -> UnsafeMutableRawPointer {
        let start = scratch + FrameMemory.headroom
        guard packet.length <= Self.longestPacket else { return start }
        let memory = packet.channel.pointee.memory
        var place = start
        for offset in 0..<packet.count {
            let source = descriptor(packet, offset).pointee
            let length = offset == 0 ? packet.firstLength : Int(source.len)
            place.copyMemory(
                from: offset == 0 ? packet.start : memory.pointee.base + Int(truncatingIfNeeded: source.addr),
                byteCount: length)
            place += length
        }
        return start
    }

    @inline(__always)
    private func descriptor(_ packet: Packet, _ offset: UInt32) -> UnsafeMutablePointer<xdp_desc> {
        // The ring is ours to write until it is released.
        UnsafeMutablePointer(
            mutating: xsk_ring_cons__rx_desc(packet.channel.pointee.receiveRing, packet.first &+ offset)
                .unsafelyUnwrapped)
    }

    /// Puts a packet that has become shorter back into the buffers that it came in; those that it does not need any more are free.
    private func scatterBack(_ packet: inout Packet) {
        let memory = packet.channel.pointee.memory
        var left = packet.length
        var place = scratch + FrameMemory.headroom
        var used: UInt32 = 0
        for offset in 0..<packet.count {
            let target = descriptor(packet, offset)
            guard left > 0 else {
                memory.pointee.release(FrameMemory.index(target.pointee.addr))
                continue
            }
            let length = min(left, offset == 0 ? packet.firstLength : Int(target.pointee.len))
            (memory.pointee.base + Int(truncatingIfNeeded: target.pointee.addr)).copyMemory(
                from: place, byteCount: length)
            target.pointee.len = UInt32(truncatingIfNeeded: length)
            if offset == 0 { packet.firstLength = length }
            place += length
            left &-= length
            used &+= 1
        }
        packet.count = used
    }

    // MARK: What leaves

    /// What encrypts a leg's packets; nil where it has no key.
    @inline(__always) private func sender(of index: Int) -> UnsafeMutablePointer<SRTPSender>? {
        Self.context(tables.legContexts + index)?.assumingMemoryBound(to: SRTPSender.self)
    }

    /// How many bytes a leg's encryption adds to a packet; nil where the leg has no key.
    func protectionOverhead(_ packet: Packet, _ index: Int) -> Int? {
        sender(of: index).map { Self.overhead($0, isControl: Self.isControl(packet)) }
    }

    @inline(__always)
    private static func overhead(_ sender: UnsafeMutablePointer<SRTPSender>, isControl: Bool) -> Int {
        isControl ? sender.pointee.controlOverhead : sender.pointee.overhead
    }

    @inline(__always) private static func isControl(_ packet: Packet) -> Bool {
        packet.note.frame & CROSSPOINT_FRAME_RTCP.rawValue != 0
    }

    /// Sends one leg's copy encrypted. True when the received frame itself is on its way.
    mutating func sendProtected(
        _ packet: Packet, _ index: Int, _ flags: UInt32, _ growth: Int, _ output: UnsafeMutablePointer<Channel>,
        _ port: Int, isLast: Bool
    ) -> Bool {
        guard let sender = sender(of: index) else {
            count(CROSSPOINT_COPY_SRTP_NO_KEY, port: port)
            return false
        }
        let isControl = Self.isControl(packet)
        let overhead = Self.overhead(sender, isControl: isControl)
        let length = packet.length &+ overhead
        guard length &+ growth <= output.pointee.longestFrame, length <= Self.longestPacket else {
            count(CROSSPOINT_COPY_TOO_LONG, port: port)
            return false
        }
        let memory = output.pointee.memory
        let isOneBuffer = packet.count == 1 && length <= FrameMemory.capacity
        guard isOneBuffer || output.pointee.isMultiBuffer else {
            count(CROSSPOINT_COPY_NOT_SUPPORTED, port: port)
            return false
        }
        let room = FrameMemory.frameSize &- Int(truncatingIfNeeded: packet.address & UInt64(FrameMemory.frameSize - 1))
        let isInPlace =
            isLast && isOneBuffer && memory == packet.channel.pointee.memory && length <= room
            && !memory.pointee.isShared(FrameMemory.index(packet.address))
        let buffers =
            isOneBuffer ? 1 : UInt32((length &+ growth &+ FrameMemory.capacity &- 1) / FrameMemory.capacity)
        guard isInPlace || hasFrames(output, buffers, port), let place = reserve(output, buffers, port) else {
            return false
        }
        var start = packet.start
        var address = packet.address
        if isOneBuffer, !isInPlace {
            address = FrameMemory.address(memory.pointee.take()) &+ UInt64(FrameMemory.headroom)
            start = memory.pointee.base + Int(truncatingIfNeeded: address)
            start.copyMemory(from: packet.start, byteCount: packet.length)
        } else if !isOneBuffer {
            start = gather(packet)
        }
        guard
            let outcome = protect(
                start, packet, index, flags, sender, overhead: overhead, isControl: isControl, port: port)
        else {
            output.pointee.transmitRing.pointee.cached_prod &-= buffers
            if isOneBuffer, !isInPlace { memory.pointee.release(FrameMemory.index(address)) }
            return false
        }
        if isOneBuffer {
            write(
                output.pointee.transmitRing, place, address &- UInt64(bitPattern: Int64(growth)), length &+ growth,
                goesOn: false)
        } else {
            scatter(start - growth, length &+ growth, output, place, buffers)
        }
        if memory != packet.channel.pointee.memory {
            output.pointee.count(CROSSPOINT_SOCKET_COPIED_BETWEEN_UMEMS)
        }
        finish(packet, index, growth &+ overhead, output, port, place, buffers, outcome)
        return isInPlace
    }

    /// Writes a leg's headers over those of a packet in one piece, and encrypts it. Nil, and counted, where that cannot be.
    @inline(__always)
    private func protect(
        _ start: UnsafeMutableRawPointer, _ packet: Packet, _ index: Int, _ flags: UInt32,
        _ sender: UnsafeMutablePointer<SRTPSender>, overhead: Int, isControl: Bool, port: Int
    ) -> HeaderRewriter.Outcome? {
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
        let longer: Int
        do {
            longer = try sender.pointee.protect(came.payload, length: length, isControl: isControl)
        } catch {
            count(Self.reason(error), port: port)
            return nil
        }
        // What was written for is what is sent.
        guard longer &- length == overhead else {
            count(CROSSPOINT_COPY_SRTP_FAILED, port: port)
            return nil
        }
        let leaves = Datagram(came, changesFamily: flags & CROSSPOINT_LEG_CHANGE_FAMILY.rawValue != 0)
        leaves.grow(by: overhead)
        return leaves.isIPv6 ? .lacksChecksum : .written
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

    static func reason(_ error: SRTPError) -> crosspoint_reason {
        switch error {
        case .authenticationFailure: CROSSPOINT_COPY_SRTP_AUTHENTICATION
        case .replay, .replayTooOld: CROSSPOINT_COPY_SRTP_REPLAY
        case .unknownKey: CROSSPOINT_COPY_SRTP_UNKNOWN_KEY
        case .malformed: CROSSPOINT_COPY_SRTP_MALFORMED
        case .keyLimit, .tooManySources: CROSSPOINT_COPY_SRTP_KEY_LIMIT
        case .busy, .library: CROSSPOINT_COPY_SRTP_FAILED
        }
    }
}
