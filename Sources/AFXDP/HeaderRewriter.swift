// Writes a leg's headers over a frame's, by the rules of bpf/rewrite.h and bpf/family.h: byte for byte what the kernel engine sends.

import CrosspointShim

/// Header rewriting on plain memory.
///
/// Callers have checked nothing: every length is looked at here. Checksums are updated by differences (RFC 1624), so that what arrived
/// damaged leaves damaged; sums are of words as they lie in memory. Words of a packet are not aligned.
enum HeaderRewriter {
    /// The outcome for the headers.
    enum Outcome {
        /// The frame is shorter than its headers.
        case failed
        case written
        /// IPv4 without a UDP checksum has become IPv6, which needs one (RFC 8200 section 8.1): over the whole datagram.
        case lacksChecksum
    }

    static let ethernetLength = 14
    static let ipv4Length = 20
    static let ipv6Length = 40
    static let udpLength = 8
    static let rtpLength = 12

    /// By how many bytes a frame grows at its front for a leg, tags and IP header together; negative where it shrinks.
    @inline(__always)
    static func growth(_ leg: UnsafePointer<crosspoint_leg>, flags: UInt32, frame: UInt32) -> Int {
        var growth = Int(leg.pointee.l3_offset) &- Int(frame & CROSSPOINT_FRAME_L3_OFFSET.rawValue)
        if flags & CROSSPOINT_LEG_CHANGE_FAMILY.rawValue != 0 {
            growth &+=
                frame & CROSSPOINT_FRAME_IPV6.rawValue != 0 ? ipv4Length &- ipv6Length : ipv6Length &- ipv4Length
        }
        return growth
    }

    /// Writes the leg's headers. `start` is where the frame begins as it came; afterwards it begins `growth` bytes earlier, where
    /// there must be room. `length` is the number of bytes from `start` on that lie together, all headers among them.
    @inline(__always)
    static func rewrite(
        _ start: UnsafeMutableRawPointer, length: Int, _ leg: UnsafePointer<crosspoint_leg>,
        _ detail: UnsafePointer<crosspoint_leg_detail>, flags: UInt32, frame: UInt32
    ) -> Outcome {
        let offset = Int(frame & CROSSPOINT_FRAME_L3_OFFSET.rawValue)
        let l3 = start + offset
        let room = length &- offset
        let isIPv6 = frame & CROSSPOINT_FRAME_IPV6.rawValue != 0
        if flags & CROSSPOINT_LEG_CHANGE_FAMILY.rawValue != 0 {
            return changeFamily(l3, room, leg, detail, flags: flags, frame: frame)
        }
        let ethernet = l3 - Int(leg.pointee.l3_offset)
        if isIPv6 {
            guard room >= ipv6Length + udpLength else { return .failed }
            writeEthernet(ethernet, leg, protocol: 0xdd86)
            return rewriteIPv6(l3, room, leg, detail, flags: flags, frame: frame)
        }
        guard room >= ipv4Length + udpLength else { return .failed }
        writeEthernet(ethernet, leg, protocol: 0x0008)
        return rewriteIPv4(l3, room, leg, flags: flags, frame: frame)
    }

    // MARK: Sums

    @inline(__always) static func fold(_ sum: UInt64) -> UInt16 {
        var sum = (sum & 0xffff_ffff) &+ (sum >> 32)
        sum = (sum & 0xffff_ffff) &+ (sum >> 32)
        sum = (sum & 0xffff) &+ (sum >> 16)
        sum = (sum & 0xffff) &+ (sum >> 16)
        return UInt16(truncatingIfNeeded: sum)
    }

    /// The difference that replaces `before` by `after` in a ones' complement sum.
    @inline(__always) private static func change(_ before: UInt32, _ after: UInt32) -> UInt64 {
        UInt64(~before) &+ UInt64(after)
    }

    @inline(__always) private static func without(_ address: UnsafeMutableRawPointer) -> UInt64 {
        UInt64(~word(address, 0)) &+ UInt64(~word(address, 4)) &+ UInt64(~word(address, 8))
            &+ UInt64(~word(address, 12))
    }

    @inline(__always) private static func word(_ pointer: UnsafeMutableRawPointer, _ offset: Int) -> UInt32 {
        (pointer + offset).loadUnaligned(as: UInt32.self)
    }

    @inline(__always) private static func half(_ pointer: UnsafeMutableRawPointer, _ offset: Int) -> UInt16 {
        (pointer + offset).loadUnaligned(as: UInt16.self)
    }

    @inline(__always)
    private static func store<Word: BitwiseCopyable>(_ value: Word, _ pointer: UnsafeMutableRawPointer, _ offset: Int) {
        (pointer + offset).storeBytes(of: value, as: Word.self)
    }

    // MARK: Headers

    /// `protocol` as it lies in memory.
    @inline(__always)
    private static func writeEthernet(
        _ data: UnsafeMutableRawPointer, _ leg: UnsafePointer<crosspoint_leg>, protocol type: UInt16
    ) {
        // Both addresses, 12 bytes, in two stores; they lie at byte 8 of the record (bpf/rewrite.h has it so too).
        let record = UnsafeRawPointer(leg)
        store((record + 8).load(as: UInt64.self), data, 0)
        store((record + 16).load(as: UInt32.self), data, 8)
        switch leg.pointee.tag_count {
        case 0: store(type, data, 12)
        case 1:
            store(leg.pointee.tags.0, data, 12)
            store(type, data, 16)
        default:
            store(leg.pointee.tags.0, data, 12)
            store(leg.pointee.tags.1, data, 16)
            store(type, data, 20)
        }
    }

    @inline(__always)
    private static func timeToLive(_ leg: UnsafePointer<crosspoint_leg>, _ old: UInt8) -> UInt8 {
        (old & leg.pointee.ttl_keep) &+ leg.pointee.ttl_add
    }

    @inline(__always)
    private static func rewriteIPv4(
        _ ip: UnsafeMutableRawPointer, _ room: Int, _ leg: UnsafePointer<crosspoint_leg>, flags: UInt32, frame: UInt32
    ) -> Outcome {
        var addresses = frame >> UInt32(CROSSPOINT_FRAME_WITHOUT.rawValue) &+ UInt32(leg.pointee.address_sum)
        // Words are taken out by subtraction: 0xffff for each keeps the sum positive, and is 0 to a checksum.
        var sum = addresses &+ 3 * 0xffff &- UInt32(half(ip, 10))
        let service = (ip + 1).load(as: UInt8.self)
        let newService = (service & leg.pointee.dscp_keep) | leg.pointee.dscp_set
        store(newService, ip, 1)
        sum &+= (UInt32(newService) &- UInt32(service)) << 8
        let ttl = (ip + 8).load(as: UInt8.self)
        let newTTL = timeToLive(leg, ttl)
        store(newTTL, ip, 8)
        sum &+= UInt32(newTTL) &- UInt32(ttl)
        store(leg.pointee.destination_ipv4, ip, 16)
        if flags & CROSSPOINT_LEG_KEEP_SOURCE.rawValue != 0 {
            var source = word(ip, 12)
            source = (source & 0xffff) &+ (source >> 16)
            sum &+= source
            addresses &+= source
        } else {
            store(leg.pointee.source_ipv4, ip, 12)
        }
        sum = (sum & 0xffff) &+ (sum >> 16)
        store(UInt16(truncatingIfNeeded: ~(sum &+ (sum >> 16))), ip, 10)
        return rewriteUDP(
            ip + ipv4Length, room &- ipv4Length, leg, isIPv6: false, flags: flags, frame: frame,
            change: UInt64(addresses))
    }

    @inline(__always)
    private static func rewriteIPv6(
        _ ip: UnsafeMutableRawPointer, _ room: Int, _ leg: UnsafePointer<crosspoint_leg>,
        _ detail: UnsafePointer<crosspoint_leg_detail>, flags: UInt32, frame: UInt32
    ) -> Outcome {
        // In host order: version, 8 bits of traffic class, the first 4 of the flow label.
        let first = UInt16(bigEndian: half(ip, 0))
        let service = UInt8(truncatingIfNeeded: first >> 4) & leg.pointee.dscp_keep | leg.pointee.dscp_set
        store((first & 0xf00f | UInt16(service) << 4).bigEndian, ip, 0)
        store(timeToLive(leg, (ip + 7).load(as: UInt8.self)), ip, 7)
        var addresses = without(ip + 24) &+ UInt64(leg.pointee.address_sum)
        copy(detail.pointee.destination_ipv6, to: ip + 24)
        if flags & CROSSPOINT_LEG_KEEP_SOURCE.rawValue == 0 {
            addresses &+= without(ip + 8)
            copy(detail.pointee.source_ipv6, to: ip + 8)
        }
        return rewriteUDP(
            ip + ipv6Length, room &- ipv6Length, leg, isIPv6: true, flags: flags, frame: frame, change: addresses)
    }

    @inline(__always)
    private static func copy(_ address: (UInt32, UInt32, UInt32, UInt32), to place: UnsafeMutableRawPointer) {
        store(address.0, place, 0)
        store(address.1, place, 4)
        store(address.2, place, 8)
        store(address.3, place, 12)
    }

    @inline(__always)
    private static func rewriteUDP(
        _ udp: UnsafeMutableRawPointer, _ room: Int, _ leg: UnsafePointer<crosspoint_leg>, isIPv6: Bool, flags: UInt32,
        frame: UInt32, change addresses: UInt64
    ) -> Outcome {
        var sum = addresses
        let before = word(udp, 0)
        // Both as they lie beside each other: the source UDP port, 0 where it is kept, in the lower half.
        var after = UInt32(leg.pointee.source_port) | UInt32(leg.pointee.destination_port) << 16
        if flags & CROSSPOINT_LEG_KEEP_SOURCE_PORT.rawValue != 0 { after |= before & 0xffff }
        store(after, udp, 0)
        if flags & CROSSPOINT_LEG_RTP.rawValue != 0, frame & CROSSPOINT_FRAME_RTP.rawValue != 0 {
            guard room >= udpLength + rtpLength else { return .failed }
            sum &+= rewriteRTP(udp + udpLength, leg, flags: flags)
        }
        let check = half(udp, 6)
        if check != 0 || isIPv6 {
            let new = ~fold(sum &+ change(before, after) &+ UInt64(~check))
            // 0 would mean a datagram without a checksum (RFC 768).
            store(new == 0 ? 0xffff : new, udp, 6)
        }
        return .written
    }

    /// Returns what the RTP header's changes add to the UDP checksum.
    @inline(__always)
    private static func rewriteRTP(
        _ rtp: UnsafeMutableRawPointer, _ leg: UnsafePointer<crosspoint_leg>, flags: UInt32
    ) -> UInt64 {
        var before = word(rtp, 0)
        let sequence = UInt16(bigEndian: UInt16(truncatingIfNeeded: before >> 16)) &+ leg.pointee.sequence_offset
        var after = before & 0xffff | UInt32(sequence.bigEndian) << 16
        if flags & CROSSPOINT_LEG_SET_PAYLOAD_TYPE.rawValue != 0 {
            after = after & 0xffff_80ff | UInt32(leg.pointee.payload_type) << 8
        }
        store(after, rtp, 0)
        var sum = change(before, after)
        before = word(rtp, 4)
        after = (UInt32(bigEndian: before) &+ leg.pointee.timestamp_offset).bigEndian
        store(after, rtp, 4)
        sum &+= change(before, after)
        if flags & CROSSPOINT_LEG_SET_SSRC.rawValue != 0 {
            sum &+= change(word(rtp, 8), leg.pointee.ssrc)
            store(leg.pointee.ssrc, rtp, 8)
        }
        return sum
    }

    // MARK: The other family

    /// Takes one IP header off and puts the other family's on, as bpf/family.h does: the UDP header stays where it is.
    private static func changeFamily(
        _ old: UnsafeMutableRawPointer, _ room: Int, _ leg: UnsafePointer<crosspoint_leg>,
        _ detail: UnsafePointer<crosspoint_leg_detail>, flags: UInt32, frame: UInt32
    ) -> Outcome {
        let wasIPv6 = frame & CROSSPOINT_FRAME_IPV6.rawValue != 0
        let oldLength = wasIPv6 ? ipv6Length : ipv4Length
        guard room >= oldLength + udpLength else { return .failed }
        let udp = old + oldLength
        var addresses = UInt64(leg.pointee.address_sum)
        var service: UInt8
        var ttl: UInt8
        let length: UInt16
        if wasIPv6 {
            service = UInt8(truncatingIfNeeded: UInt16(bigEndian: half(old, 0)) >> 4)
            ttl = (old + 7).load(as: UInt8.self)
            length = UInt16(bigEndian: half(old, 4))
            addresses &+= without(old + 8) &+ without(old + 24)
        } else {
            service = (old + 1).load(as: UInt8.self)
            ttl = (old + 8).load(as: UInt8.self)
            length = UInt16(bigEndian: half(old, 2)) &- UInt16(ipv4Length)
            addresses &+= UInt64(~word(old, 12)) &+ UInt64(~word(old, 16))
        }
        service = service & leg.pointee.dscp_keep | leg.pointee.dscp_set
        ttl = timeToLive(leg, ttl)
        let ip = udp - (wasIPv6 ? ipv4Length : ipv6Length)
        writeEthernet(ip - Int(leg.pointee.l3_offset), leg, protocol: wasIPv6 ? 0x0008 : 0xdd86)
        if wasIPv6 {
            let words = (
                0x45 | UInt32(service) << 8 | UInt32((length &+ UInt16(ipv4Length)).bigEndian) << 16,
                UInt32(UInt16(0x4000).bigEndian) << 16, UInt32(ttl) | 17 << 8, leg.pointee.source_ipv4,
                leg.pointee.destination_ipv4
            )
            store(words.0, ip, 0)
            store(words.1, ip, 4)
            store(words.2, ip, 8)
            store(words.3, ip, 12)
            store(words.4, ip, 16)
            let sum =
                UInt64(words.0) &+ UInt64(words.1) &+ UInt64(words.2) &+ UInt64(words.3) &+ UInt64(words.4)
            store(~fold(sum), ip, 10)
        } else {
            store((0x6000_0000 | UInt32(service) << 20).bigEndian, ip, 0)
            store(length.bigEndian, ip, 4)
            store(UInt8(17), ip, 6)
            store(ttl, ip, 7)
            copy(detail.pointee.source_ipv6, to: ip + 8)
            copy(detail.pointee.destination_ipv6, to: ip + 24)
        }
        let udpRoom = room &- oldLength
        let outcome = rewriteUDP(
            udp, udpRoom, leg, isIPv6: false, flags: flags, frame: frame, change: addresses)
        guard outcome == .written, !wasIPv6, half(udp, 6) == 0 else { return outcome }
        return .lacksChecksum
    }
}
