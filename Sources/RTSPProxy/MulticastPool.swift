// The groups that players may be given.

public import RTPWire
public import Routing

/// A pool of multicast groups (`rtsp: multicast:` of the configuration). Each stream takes one group.
public struct MulticastPool: Hashable, Sendable {
    /// The first group, and how many there are from it on.
    public var first: IPAddress
    public var count: Int
    /// The port at which they are sent, with the VLAN: `eth1`, `eth1.100`.
    public var port: PortReference
    /// The UDP port of RTP of the first group, an even one; RTCP has the next. Each further group has the next pair.
    public var udpPort: UInt16
    /// The TTL or hop limit to send with.
    public var timeToLive: UInt8

    public init(first: IPAddress, count: Int, port: PortReference, udpPort: UInt16 = 5004, timeToLive: UInt8 = 16) {
        self.first = first
        self.count = count
        self.port = port
        self.udpPort = udpPort
        self.timeToLive = timeToLive
    }

    /// The group with the given number, from 0, and its even UDP port.
    ///
    /// A pair of UDP ports of its own keeps each group's packets apart also where a receiver's sockets are bound to the UDP port alone:
    /// such a socket may get every group that anybody on its host has joined. And Linux (`udp_v4_early_demux`, seen in 6.18) hands a
    /// group's packets to whichever of the sockets that share the UDP port by SO_REUSEPORT.
    func destination(_ number: Int) -> (group: IPAddress, udpPort: UInt16) {
        let pairs = (Int(UInt16.max) - 1 - Int(udpPort)) / 2 + 1
        return (first.advanced(by: number), udpPort + UInt16(2 * (number % pairs)))
    }

    /// The number of a group of the pool; nil for any other address.
    func number(of group: IPAddress) -> Int? {
        guard group.family == first.family else { return nil }
        let number = Int(Int32(bitPattern: group.lastWord &- first.lastWord))
        return (0..<count).contains(number) && first.advanced(by: number) == group ? number : nil
    }
}

extension IPAddress {
    /// The last 32 bits, as a number.
    fileprivate var lastWord: UInt32 { bytes.suffix(4).reduce(0) { $0 << 8 | UInt32($1) } }

    /// The address that lies `distance` after this one in its family, going round behind the last.
    fileprivate func advanced(by distance: Int) -> IPAddress {
        var bytes = self.bytes
        var rest = distance
        for index in bytes.indices.reversed() where rest > 0 {
            rest += Int(bytes[index])
            bytes[index] = UInt8(truncatingIfNeeded: rest)
            rest >>= 8
        }
        // As many bytes as this address has.
        return IPAddress(bytes: bytes) ?? self
    }
}
