// A sampled frame, read: where it comes from, where it goes, and what it seems to carry.

import FastPath
import RTPWire

/// The kind of what a packet carries, as far as its first bytes say. A guess.
public enum PayloadKind: String, Hashable, Sendable, Codable, CaseIterable {
    /// RTP (RFC 3550 section 5.1).
    case rtp
    /// RTCP (RFC 3550 section 6, RFC 5761 section 4).
    case rtcp
    /// MPEG transport stream without RTP (ISO/IEC 13818-1).
    case mpegTS = "mpeg-ts"
    /// UDP of another kind.
    case other
    /// A fragment of an IP packet: what it carries is in the first one.
    case fragment
    /// A query of IGMP or MLD: there is a querier.
    case membershipQuery = "membership-query"
    /// Not UDP over IP.
    case notUDP = "not-udp"
}

/// The parts of a sampled frame that a scan counts by.
struct SampledPacket: Hashable, Sendable {
    /// The facts that distinguish one row of a scan from another.
    struct Key: Hashable, Sendable {
        /// VLAN identifiers, outer first.
        var vlans: [UInt16]
        /// Nil where the frame is not of IP.
        var source: IPAddress?
        var destination: IPAddress?
        /// Nil for what is not UDP, and for all fragments of a packet but the first.
        var sourceUDPPort: UInt16?
        var udpPort: UInt16?
        /// True for fragments; the first one has UDP ports.
        var isFragment: Bool
        /// True for IPv4 options and the IPv6 headers that the fast path passes on to the host.
        var hasOptions: Bool
        /// The EtherType for what is not IP, the protocol's number for what is not UDP.
        var other: UInt16?
    }

    var key: Key
    var timeToLive: UInt8?
    var kind: PayloadKind
    var payloadType: UInt8?
    var ssrc: UInt32?

    /// Reads a sample; nil for what is too short to be a frame.
    init?(_ sample: FrameSample) {
        let frame = Bytes(sample.bytes)
        guard var type = frame.number16(12) else { return nil }
        var offset = 14
        var vlans: [UInt16] = []
        while type == 0x8100 || type == 0x88a8, vlans.count < 2, let tag = frame.number16(offset),
            let next = frame.number16(offset + 2)
        {
            vlans.append(tag & 0xfff)
            type = next
            offset += 4
        }
        key = Key(vlans: vlans, isFragment: false, hasOptions: false)
        (timeToLive, kind, payloadType, ssrc) = (nil, .notUDP, nil, nil)
        switch type {
        case 0x0800 where readIPv4(frame, at: offset, length: sample.length): break
        case 0x86dd where readIPv6(frame, at: offset, length: sample.length): break
        default: key.other = type
        }
    }

    private mutating func readIPv4(_ frame: Bytes, at offset: Int, length: UInt32) -> Bool {
        guard let first = frame[offset], first >> 4 == 4, let fragment = frame.number16(offset + 6),
            let ttl = frame[offset + 8], let transport = frame[offset + 9],
            let source = frame.slice(offset + 12, 4).flatMap({ IPAddress(bytes: $0) }),
            let destination = frame.slice(offset + 16, 4).flatMap({ IPAddress(bytes: $0) })
        else { return false }
        let header = Int(first & 0xf) * 4
        (key.source, key.destination, timeToLive) = (source, destination, ttl)
        key.hasOptions = header > 20
        key.isFragment = fragment & 0x3fff != 0
        read(transport, frame, at: offset + header, isFirst: fragment & 0x1fff == 0, length: length)
        return true
    }

    private mutating func readIPv6(_ frame: Bytes, at offset: Int, length: UInt32) -> Bool {
        guard let first = frame[offset], first >> 4 == 6, var transport = frame[offset + 6],
            let ttl = frame[offset + 7],
            let source = frame.slice(offset + 8, 16).flatMap({ IPAddress(bytes: $0) }),
            let destination = frame.slice(offset + 24, 16).flatMap({ IPAddress(bytes: $0) })
        else { return false }
        (key.source, key.destination, timeToLive) = (source, destination, ttl)
        var place = offset + 40
        var isFirst = true
        // Hop-by-hop options, routing, destination options; then the fragment header (RFC 8200 section 4).
        for _ in 0..<4 {
            switch transport {
            case 0, 43, 60:
                guard let next = frame[place], let size = frame[place + 1] else { return true }
                key.hasOptions = true
                transport = next
                place += (Int(size) + 1) * 8
            case 44:
                guard let next = frame[place], let fragment = frame.number16(place + 2) else { return true }
                key.isFragment = true
                isFirst = fragment >> 3 == 0
                transport = next
                place += 8
            default: break
            }
        }
        read(transport, frame, at: place, isFirst: isFirst, length: length)
        return true
    }

    private mutating func read(_ transport: UInt8, _ frame: Bytes, at offset: Int, isFirst: Bool, length: UInt32) {
        switch transport {
        case 17:
            kind = key.isFragment ? .fragment : .other
            guard isFirst, let source = frame.number16(offset), let destination = frame.number16(offset + 2) else {
                return
            }
            (key.sourceUDPPort, key.udpPort) = (source, destination)
            if let size = frame.number16(offset + 4), size >= 8 {
                readPayload(frame, at: offset + 8, size: Int(size) - 8)
            }
        case 2:
            // A query of IGMP (RFC 3376 section 4.1).
            key.other = 2
            if frame[offset] == 0x11 { kind = .membershipQuery }
        case 58:
            // A query of MLD (RFC 3810 section 5.1).
            key.other = 58
            if frame[offset] == 130 { kind = .membershipQuery }
        default: key.other = UInt16(transport)
        }
    }

    private mutating func readPayload(_ frame: Bytes, at offset: Int, size: Int) {
        guard let first = frame[offset], let second = frame[offset + 1] else { return }
        let guess: PayloadKind
        if first >> 6 == 2, 192...223 ~= second, size >= 8 {
            guess = .rtcp
            ssrc = frame.number32(offset + 4)
        } else if first >> 6 == 2, size >= 12 + Int(first & 0xf) * 4 {
            guess = .rtp
            (payloadType, ssrc) = (second & 0x7f, frame.number32(offset + 8))
        } else if first == 0x47, size >= 188, size % 188 == 0 {
            guess = .mpegTS
        } else {
            guess = .other
        }
        if !key.isFragment { kind = guess }
    }
}

/// The first bytes of a frame; what lies beyond them is nil.
private struct Bytes {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    subscript(offset: Int) -> UInt8? { bytes.indices.contains(offset) ? bytes[offset] : nil }

    func slice(_ offset: Int, _ count: Int) -> ArraySlice<UInt8>? {
        offset + count <= bytes.count ? bytes[offset..<offset + count] : nil
    }

    func number16(_ offset: Int) -> UInt16? { slice(offset, 2)?.reduce(0) { $0 << 8 | UInt16($1) } }

    func number32(_ offset: Int) -> UInt32? { slice(offset, 4)?.reduce(0) { $0 << 8 | UInt32($1) } }
}
