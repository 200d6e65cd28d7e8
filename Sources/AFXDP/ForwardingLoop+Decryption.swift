// SRTP that arrives: it is decrypted once, for all legs.

import CLibXDP
import CrosspointShim
import FastPath
import SRTP

extension ForwardingLoop {
    /// The longest packet that is encrypted or decrypted, from Ethernet header to payload: any of IP's, with two tags.
    static let longestPacket = 22 + 65_575
    /// More than a tag, an MKI and SRTCP's index take.
    static let longestOverhead = 64

    /// True if a leg's copy of a packet is IPv6.
    @inline(__always) func isIPv6(_ leg: UnsafePointer<crosspoint_leg>, _ frame: UInt32) -> Bool {
        (frame & CROSSPOINT_FRAME_IPV6.rawValue != 0)
            != (leg.pointee.flags & CROSSPOINT_LEG_CHANGE_FAMILY.rawValue != 0)
    }

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
    func gather(_ packet: Packet) -> UnsafeMutableRawPointer {
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

    @inline(__always) static func isControl(_ packet: Packet) -> Bool {
        packet.note.frame & CROSSPOINT_FRAME_RTCP.rawValue != 0
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
