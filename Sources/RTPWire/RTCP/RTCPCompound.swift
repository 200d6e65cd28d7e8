// The RTCP packets of one datagram.

/// A compound packet (RFC 3550 section 6.1).
public struct RTCPCompound: Hashable, Sendable {
    /// The packets in their order.
    public var packets: [RTCPPacket]

    /// The most packets that are read from one datagram.
    static let maximumPackets = 128

    public init(_ packets: [RTCPPacket]) { self.packets = packets }

    /// Reads a datagram, with the checks of RFC 3550 appendix A.2: version 2, a report first, padding on the last packet only, lengths
    /// that add up; and each known packet must fit its own length.
    ///
    /// - Parameter allowsReducedSize: Whether another packet than a report may come first (RFC 5506, `a=rtcp-rsize`).
    public init(parsing bytes: [UInt8], allowsReducedSize: Bool = false) throws(RTCPError) {
        packets = []
        var reader = WireReader(bytes[...])
        repeat {
            guard packets.count < Self.maximumPackets else { throw .tooMany }
            guard let header = reader.word() else { throw .truncated }
            guard header >> 30 == 2 else { throw .version }
            let type = UInt8(truncatingIfNeeded: header >> 16)
            guard var contents = reader.bytes(Int(header & 0xffff) * 4) else { throw .truncated }
            if header >> 29 & 1 == 1 {
                guard reader.rest.isEmpty, let count = contents.last, count > 0, count.isMultiple(of: 4),
                    count <= contents.count
                else { throw .padding }
                contents = contents.dropLast(Int(count))
            }
            guard let packet = RTCPPacket(type: type, count: UInt8(header >> 24 & 0x1f), contents: contents) else {
                throw .malformed(type: type)
            }
            guard allowsReducedSize || !packets.isEmpty || packet.isReport else { throw .noReport }
            packets.append(packet)
        } while !reader.rest.isEmpty
    }

    /// A report of a participant, with the canonical name that must go with it, and a BYE if it leaves (sections 6.1 and 6.6).
    ///
    /// - Parameters:
    ///   - sender: What it reports as a sender, without blocks; nil if it has not sent since the last report but one.
    ///   - reports: What it received. More than 31 go into further receiver reports.
    ///   - leaving: Whether it leaves, for `reason`.
    public static func report(
        ssrc: UInt32, canonicalName: String, sender: SenderReport? = nil, reports: [ReceptionReport] = [],
        leaving: Bool = false, reason: String? = nil
    ) -> RTCPCompound {
        let first = Array(reports.prefix(31))
        var packets: [RTCPPacket] = []
        if var sender {
            sender.ssrc = ssrc
            sender.reports = first
            packets.append(.senderReport(sender))
        } else {
            packets.append(.receiverReport(ReceiverReport(ssrc: ssrc, reports: first)))
        }
        for start in stride(from: 31, to: reports.count, by: 31) {
            let blocks = Array(reports[start..<min(start + 31, reports.count)])
            packets.append(.receiverReport(ReceiverReport(ssrc: ssrc, reports: blocks)))
        }
        packets.append(
            .sourceDescription(SourceDescription(chunks: [.init(ssrc: ssrc, items: [.canonicalName(canonicalName)])])))
        if leaving { packets.append(.goodbye(Goodbye(ssrcs: [ssrc], reason: reason))) }
        return RTCPCompound(packets)
    }

    /// The datagram.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for packet in packets { packet.write(to: &bytes) }
        return bytes
    }
}
