// Frames made and read by hand, so that nothing of the node's own code checks itself.

import Glibc
import RTPWire
import TestSupport

/// A UDP frame's parts; checksums are computed the plain way, over all bytes.
struct RawFrame {
    var bytes: [UInt8]

    /// A frame with correct checksums, or with a UDP checksum of 0.
    init(
        to mac: MACAddress, from source: IPAddress, to destination: IPAddress, udpPort: UInt16, trafficClass: UInt8 = 0,
        payload: [UInt8], hasChecksum: Bool = true
    ) {
        func number(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian, Array.init) }
        let length = UInt16(8 + payload.count)
        var udp = number(UInt16(4000)) + number(udpPort) + number(length) + [0, 0] + payload
        if hasChecksum {
            let sum = ~Self.sum(Self.pseudoHeader(source, destination, length) + udp)
            udp.replaceSubrange(6..<8, with: number(sum == 0 ? 0xffff : sum))
        }
        var ip: [UInt8]
        if source.family == .ipv4 {
            ip = [0x45, trafficClass] + number(20 + length) + [0, 1, 0x40, 0, 64, 17, 0, 0] + source.bytes
            ip += destination.bytes
            ip.replaceSubrange(10..<12, with: number(~Self.sum(ip)))
        } else {
            ip = number(UInt32(6) << 28 | UInt32(trafficClass) << 20) + number(length) + [17, 64] + source.bytes
            ip += destination.bytes
        }
        let type: [UInt8] = source.family == .ipv4 ? [8, 0] : [0x86, 0xdd]
        bytes = mac.bytes + [2, 0, 0, 0, 0, 2] + type + ip + udp
    }

    /// Frames of `tcpdump -xx`.
    static func read(_ text: String) -> [RawFrame] {
        var frames: [RawFrame] = []
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":"), line.hasPrefix("\t0x") else { continue }
            if line.hasPrefix("\t0x0000:") { frames.append(RawFrame(bytes: [])) }
            let digits = line[line.index(after: colon)...].filter { $0 != " " }
            var rest = digits[...]
            while rest.count >= 2, let byte = UInt8(rest.prefix(2), radix: 16) {
                frames[frames.count - 1].bytes.append(byte)
                rest = rest.dropFirst(2)
            }
        }
        return frames
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// The VLAN identifiers, and where the IP header begins.
    var tags: (vlans: [UInt16], end: Int) {
        var (vlans, at): ([UInt16], Int) = ([], 12)
        while word(at) == 0x8100 || word(at) == 0x88a8 {
            vlans.append(word(at + 2) & 0xfff)
            at += 4
        }
        return (vlans, at + 2)
    }

    var isIPv6: Bool { word(tags.end - 2) == 0x86dd }
    private var ipLength: Int { isIPv6 ? 40 : 20 }
    private var udp: Int { tags.end + ipLength }
    var source: IPAddress? {
        IPAddress(bytes: isIPv6 ? bytes[tags.end + 8..<tags.end + 24] : bytes[tags.end + 12..<tags.end + 16])
    }
    var destination: IPAddress? {
        IPAddress(bytes: isIPv6 ? bytes[tags.end + 24..<tags.end + 40] : bytes[tags.end + 16..<tags.end + 20])
    }
    var timeToLive: UInt8 { bytes[tags.end + (isIPv6 ? 7 : 8)] }
    var trafficClass: UInt8 { isIPv6 ? UInt8(truncatingIfNeeded: word(tags.end) >> 4) : bytes[tags.end + 1] }
    var udpPort: UInt16 { word(udp + 2) }
    var udpChecksum: UInt16 { word(udp + 6) }
    var payload: [UInt8] { Array(bytes[(udp + 8)..<(udp + Int(word(udp + 4)))]) }
    /// Whether the IPv4 header's checksum holds; IPv6 has none.
    var hasGoodHeader: Bool { isIPv6 || Self.sum(bytes[tags.end..<udp]) == 0xffff }
    /// Whether the UDP checksum is there and holds.
    var hasGoodUDPChecksum: Bool {
        guard let source, let destination, udpChecksum != 0 else { return false }
        let length = word(udp + 4)
        return Self.sum(Self.pseudoHeader(source, destination, length) + bytes[udp..<udp + Int(length)]) == 0xffff
    }

    private func word(_ at: Int) -> UInt16 {
        at + 1 < bytes.count ? UInt16(bytes[at]) << 8 | UInt16(bytes[at + 1]) : 0
    }

    private static func pseudoHeader(_ source: IPAddress, _ destination: IPAddress, _ length: UInt16) -> [UInt8] {
        source.bytes + destination.bytes + [0, 17, UInt8(length >> 8), UInt8(length & 0xff)]
    }

    /// The ones' complement sum of RFC 1071.
    private static func sum(_ bytes: some Sequence<UInt8>) -> UInt16 {
        var (sum, high): (UInt32, UInt8?) = (0, nil)
        for byte in bytes {
            if let first = high {
                sum += UInt32(first) << 8 | UInt32(byte)
                high = nil
            } else {
                high = byte
            }
        }
        if let high { sum += UInt32(high) << 8 }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        return UInt16(sum)
    }

    /// Sends the frame as it is, by an AF_PACKET socket in the calling thread's namespace.
    func send(through interfaceIndex: UInt32) throws { try Self.send(bytes, through: interfaceIndex) }

    /// The same for any bytes.
    static func send(_ bytes: [UInt8], through interfaceIndex: UInt32) throws {
        let number = socket(AF_PACKET, CInt(SOCK_RAW.rawValue), 0)
        guard number >= 0 else { throw SystemFailure("packet socket") }
        defer { close(number) }
        // struct sockaddr_ll, which Swift's Glibc module leaves out: family, protocol, interface, and what is not needed.
        var name = [UInt8](repeating: 0, count: 20)
        name.withUnsafeMutableBytes {
            $0.storeBytes(of: UInt16(AF_PACKET), toByteOffset: 0, as: UInt16.self)
            $0.storeBytes(of: interfaceIndex, toByteOffset: 4, as: UInt32.self)
        }
        let sent = name.withUnsafeBytes { room in
            room.withMemoryRebound(to: sockaddr.self) { sendto(number, bytes, bytes.count, 0, $0.baseAddress, 20) }
        }
        guard sent == bytes.count else { throw SystemFailure("send frame") }
    }
}
