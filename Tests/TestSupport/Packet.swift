// A frame for a test, field by field: what goes in, and, with some fields changed, what should come out.

import Glibc

/// An Ethernet frame that carries UDP, or something that almost is.
///
/// Lengths and checksums are right unless a field says otherwise; `bytes` computes them from all bytes.
public struct Packet: Sendable, Hashable {
    /// An 802.1Q or 802.1ad tag.
    public struct Tag: Sendable, Hashable {
        public var protocolNumber: UInt16
        public var control: UInt16

        public init(_ identifier: UInt16, priority: UInt16 = 0, protocolNumber: UInt16 = 0x8100) {
            self.protocolNumber = protocolNumber
            control = priority << 13 | identifier
        }
    }

    /// An IPv6 extension header: its number and what follows its first byte.
    public struct ExtensionHeader: Sendable, Hashable {
        public var number: UInt8
        public var rest: [UInt8]

        public init(_ number: UInt8, _ rest: [UInt8]) {
            self.number = number
            self.rest = rest
        }

        public static let hopByHop = ExtensionHeader(0, [0, 1, 4, 0, 0, 0, 0])
        public static let routing = ExtensionHeader(43, [0, 0, 0, 0, 0, 0, 0])
        public static let fragment = ExtensionHeader(44, [0, 0, 1, 0, 0, 0, 7])
        public static let destinationOptions = ExtensionHeader(60, [0, 1, 4, 0, 0, 0, 0])
    }

    /// What stands in the UDP header's checksum field.
    public enum Checksum: Sendable, Hashable {
        case right
        case absent
        /// Wrong by this much, in ones' complement.
        case wrong(by: UInt16)
    }

    private var chosenDestinationMAC: String?
    /// Unless it is set, that of the destination's group (RFC 1112, RFC 2464), or a node's own for any other.
    public var destinationMAC: String {
        get { chosenDestinationMAC ?? Self.mac(of: destination) }
        set { chosenDestinationMAC = newValue }
    }
    public var sourceMAC = "02:00:00:00:0f:07"
    public var tags: [Tag] = []
    /// The EtherType; nil for that of the addresses' family.
    public var etherType: UInt16?
    public var source: String
    public var destination: String
    /// TTL or hop limit.
    public var timeToLive: UInt8 = 64
    /// DSCP and ECN.
    public var trafficClass: UInt8 = 0
    /// IPv4's identification, IPv6's flow label.
    public var identification: UInt32 = 0x1a2b
    /// IPv4's flags and fragment offset; DF alone by default.
    public var fragmentField: UInt16 = 0x4000
    public var options: [UInt8] = []
    public var extensionHeaders: [ExtensionHeader] = []
    public var protocolNumber: UInt8 = 17
    /// Added to IPv4's header checksum.
    public var headerChecksumError: UInt16 = 0
    /// What the IP header says of its length; nil for the truth. (IPv6: of its payload's.)
    public var claimedIPLength: UInt16?
    public var sourcePort: UInt16
    public var destinationPort: UInt16
    public var checksum = Checksum.right
    public var claimedUDPLength: UInt16?
    public var rtp: RTPPacket?
    /// The UDP payload where there is no RTP packet.
    public var payload: [UInt8] = []
    /// Within the IP packet, behind the UDP datagram.
    public var ipTrailer: [UInt8] = []
    /// Behind the IP packet: padding of a short frame.
    public var trailer: [UInt8] = []

    public init(
        source: String = "10.1.0.7", destination: String = "239.1.1.10", sourcePort: UInt16 = 5000,
        destinationPort: UInt16 = 5004, rtp: RTPPacket? = RTPPacket(), payload: [UInt8] = []
    ) {
        self.source = source
        self.destination = destination
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.rtp = rtp
        self.payload = payload
    }

    /// The same for IPv6.
    public static func ipv6(
        source: String = "2001:db8:1::7", destination: String = "ff3e::1:10", rtp: RTPPacket? = RTPPacket()
    ) -> Packet {
        var packet = Packet(source: source, destination: destination, rtp: rtp)
        packet.identification = 0x54321
        return packet
    }

    public var isIPv6: Bool { destination.contains(":") }

    private static func mac(of destination: String) -> String {
        let address = addressBytes(destination)
        let bytes: [UInt8] =
            switch (address.count, address[0]) {
            case (4, 224..<240): [1, 0, 0x5e, address[1] & 0x7f, address[2], address[3]]
            case (16, 0xff): [0x33, 0x33] + address.suffix(4)
            default: [2, 0, 0, 0, 0, 1]
            }
        return bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined(separator: ":")
    }

    public var udpPayload: [UInt8] { rtp?.bytes ?? payload }

    public var bytes: [UInt8] {
        var frame = Self.macBytes(destinationMAC) + Self.macBytes(sourceMAC)
        for tag in tags {
            frame.append(bigEndian: tag.protocolNumber)
            frame.append(bigEndian: tag.control)
        }
        frame.append(bigEndian: etherType ?? (isIPv6 ? 0x86dd : 0x0800))
        return frame + ipBytes + trailer
    }

    private var ipBytes: [UInt8] {
        let body = udpBytes + ipTrailer
        return isIPv6 ? ipv6Header(body.count) + body : ipv4Header(body.count) + body
    }

    private func ipv4Header(_ count: Int) -> [UInt8] {
        let headerLength = 20 + options.count
        var header: [UInt8] = [0x40 | UInt8(headerLength / 4), trafficClass]
        header.append(bigEndian: claimedIPLength ?? UInt16(headerLength + count))
        header.append(bigEndian: UInt16(truncatingIfNeeded: identification))
        header.append(bigEndian: fragmentField)
        header += [timeToLive, protocolNumber, 0, 0] + Self.addressBytes(source) + Self.addressBytes(destination)
        header += options
        let field = Self.add(InternetChecksum.field(InternetChecksum.sum(header)), headerChecksumError)
        header[10] = UInt8(field >> 8)
        header[11] = UInt8(field & 0xff)
        return header
    }

    private func ipv6Header(_ count: Int) -> [UInt8] {
        let chain = extensionHeaders.reduce(0) { $0 + 1 + $1.rest.count }
        var header: [UInt8] = []
        header.append(bigEndian: UInt32(6) << 28 | UInt32(trafficClass) << 20 | identification & 0xfffff)
        header.append(bigEndian: claimedIPLength ?? UInt16(chain + count))
        header += [extensionHeaders.first?.number ?? protocolNumber, timeToLive]
        header += Self.addressBytes(source) + Self.addressBytes(destination)
        for (index, part) in extensionHeaders.enumerated() {
            let isLast = index + 1 == extensionHeaders.count
            header += [isLast ? protocolNumber : extensionHeaders[index + 1].number] + part.rest
        }
        return header
    }

    private var udpBytes: [UInt8] {
        let payload = udpPayload
        let length = UInt16(truncatingIfNeeded: Int(claimedUDPLength ?? UInt16(8 + payload.count)))
        var udp: [UInt8] = []
        udp.append(bigEndian: sourcePort)
        udp.append(bigEndian: destinationPort)
        udp.append(bigEndian: length)
        udp += [0, 0] + payload
        let sum = InternetChecksum.pseudoHeader(
            source: Self.addressBytes(source), destination: Self.addressBytes(destination), udpLength: Int(length))
        var field = InternetChecksum.field(InternetChecksum.sum(udp, start: sum))
        switch checksum {
        case .right: break
        case .absent: return udp
        case .wrong(let error): field = Self.add(field, error)
        }
        if field == 0 { field = 0xffff }
        udp[6] = UInt8(field >> 8)
        udp[7] = UInt8(field & 0xff)
        return udp
    }

    private static func add(_ field: UInt16, _ error: UInt16) -> UInt16 {
        let sum = UInt32(field) + UInt32(error)
        return UInt16((sum & 0xffff) + sum >> 16)
    }

    /// The bytes of an address, by the C library.
    public static func addressBytes(_ text: String) -> [UInt8] {
        let isIPv6 = text.contains(":")
        var bytes = [UInt8](repeating: 0, count: isIPv6 ? 16 : 4)
        precondition(inet_pton(isIPv6 ? AF_INET6 : AF_INET, text, &bytes) == 1, "\(text): not an address")
        return bytes
    }

    public static func macBytes(_ text: String) -> [UInt8] {
        text.split(separator: ":").map { UInt8($0, radix: 16) ?? 0 }
    }
}
