// What is in a frame, read independently of the code under test.

import Glibc

/// The headers of an Ethernet frame that carries UDP over IP without options; nil for anything else.
public struct ParsedFrame: Sendable, Hashable {
    public var destinationMAC: [UInt8]
    public var sourceMAC: [UInt8]
    /// VLAN identifiers, outer first.
    public var vlans: [UInt16] = []
    public var isIPv6: Bool
    public var source: [UInt8]
    public var destination: [UInt8]
    public var timeToLive: UInt8
    public var trafficClass: UInt8
    /// Whether IPv4's header checksum holds; IPv6 has none.
    public var headerChecksumHolds: Bool
    public var sourcePort: UInt16
    public var destinationPort: UInt16
    /// Whether a UDP checksum is there.
    public var hasChecksum: Bool
    /// Whether it holds; meaningful when the frame has all of its bytes.
    public var checksumHolds: Bool
    /// Where the UDP payload begins.
    public var payloadOffset: Int
    /// The UDP payload, as far as the frame has it.
    public var payload: [UInt8]

    public init?(_ frame: [UInt8]) {
        guard frame.count >= 14 else { return nil }
        destinationMAC = Array(frame[0..<6])
        sourceMAC = Array(frame[6..<12])
        var offset = 12
        while offset + 4 <= frame.count, [0x8100, 0x88a8].contains(frame.bigEndian(at: offset, as: UInt16.self)) {
            vlans.append(frame.bigEndian(at: offset + 2, as: UInt16.self) & 0xfff)
            offset += 4
        }
        guard offset + 2 <= frame.count else { return nil }
        let etherType = frame.bigEndian(at: offset, as: UInt16.self)
        let ip = offset + 2
        let udp: Int
        switch etherType {
        case 0x0800:
            guard frame.count >= ip + 28, frame[ip] == 0x45, frame[ip + 9] == 17,
                frame.bigEndian(at: ip + 6, as: UInt16.self) & 0x3fff == 0
            else { return nil }
            isIPv6 = false
            trafficClass = frame[ip + 1]
            timeToLive = frame[ip + 8]
            headerChecksumHolds = InternetChecksum.sum(frame[ip..<ip + 20]) == 0xffff
            source = Array(frame[ip + 12..<ip + 16])
            destination = Array(frame[ip + 16..<ip + 20])
            udp = ip + 20
        case 0x86dd:
            guard frame.count >= ip + 48, frame[ip] >> 4 == 6, frame[ip + 6] == 17 else { return nil }
            isIPv6 = true
            trafficClass = frame[ip] << 4 | frame[ip + 1] >> 4
            timeToLive = frame[ip + 7]
            headerChecksumHolds = true
            source = Array(frame[ip + 8..<ip + 24])
            destination = Array(frame[ip + 24..<ip + 40])
            udp = ip + 40
        default: return nil
        }
        sourcePort = frame.bigEndian(at: udp, as: UInt16.self)
        destinationPort = frame.bigEndian(at: udp + 2, as: UInt16.self)
        let length = Int(frame.bigEndian(at: udp + 4, as: UInt16.self))
        hasChecksum = frame.bigEndian(at: udp + 6, as: UInt16.self) != 0
        let end = min(max(udp + length, udp + 8), frame.count)
        let pseudo = InternetChecksum.pseudoHeader(source: source, destination: destination, udpLength: length)
        checksumHolds = InternetChecksum.sum(frame[udp..<end], start: pseudo) == 0xffff
        payloadOffset = udp + 8
        payload = Array(frame[udp + 8..<end])
    }

    /// The RTP header's fields, if the payload has room for them and the version is 2.
    public var rtp: RTPPacket? {
        guard payload.count >= 12, payload[0] >> 6 == 2 else { return nil }
        var packet = RTPPacket(
            payloadType: payload[1] & 0x7f, sequence: payload.bigEndian(at: 2, as: UInt16.self),
            timestamp: payload.bigEndian(at: 4, as: UInt32.self), ssrc: payload.bigEndian(at: 8, as: UInt32.self),
            payload: Array(payload[12...]))
        packet.marker = payload[1] & 0x80 != 0
        return packet
    }
}
