// One packet of a compound.

/// An RTCP packet (RFC 3550 section 6).
public enum RTCPPacket: Hashable, Sendable {
    case senderReport(SenderReport)
    case receiverReport(ReceiverReport)
    case sourceDescription(SourceDescription)
    case goodbye(Goodbye)
    /// APP, RTPFB and PSFB.
    case feedback(FeedbackPacket)
    /// A packet that is not known here: its type, its count field (0 to 31), and all that follows the header.
    case other(type: UInt8, count: UInt8, contents: [UInt8])

    /// The packet of a header's type and count, and of the bytes behind the header; nil if they do not fit.
    init?(type: UInt8, count: UInt8, contents: ArraySlice<UInt8>) {
        var reader = WireReader(contents)
        let number = Int(count)
        let packet: RTCPPacket? =
            switch type {
            case 200: SenderReport(&reader, count: number).map { .senderReport($0) }
            case 201: ReceiverReport(&reader, count: number).map { .receiverReport($0) }
            case 202: SourceDescription(&reader, count: number).map { .sourceDescription($0) }
            case 203: Goodbye(&reader, count: number).map { .goodbye($0) }
            default:
                if let kind = FeedbackPacket.Kind(rawValue: type) {
                    FeedbackPacket(&reader, kind: kind, format: count).map { .feedback($0) }
                } else {
                    .other(type: type, count: count, contents: Array(contents))
                }
            }
        guard let packet else { return nil }
        self = packet
    }

    /// True if a compound may begin with it (section 6.1).
    var isReport: Bool {
        switch self {
        case .senderReport, .receiverReport: true
        default: false
        }
    }

    /// Appends the packet, header included. A caller who gives more than a packet holds (31 blocks) has made a mistake.
    func write(to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes += [0, 0, 0, 0]
        let (type, count): (UInt8, Int)
        switch self {
        case .senderReport(let report):
            (type, count) = (200, report.reports.count)
            report.write(to: &bytes)
        case .receiverReport(let report):
            (type, count) = (201, report.reports.count)
            report.write(to: &bytes)
        case .sourceDescription(let description):
            (type, count) = (202, description.chunks.count)
            description.write(to: &bytes)
        case .goodbye(let goodbye):
            (type, count) = (203, goodbye.ssrcs.count)
            goodbye.write(to: &bytes)
        case .feedback(let feedback):
            (type, count) = (feedback.kind.rawValue, Int(feedback.format))
            feedback.write(to: &bytes)
        case .other(let kind, let number, let contents):
            (type, count) = (kind, Int(number))
            bytes += contents
        }
        bytes.padToWord()
        let words = (bytes.count - start) / 4 - 1
        precondition(count < 32 && words < 65_536, "an RTCP packet holds 31 blocks and 65536 words")
        bytes.replaceSubrange(
            start..<start + 4, with: [2 << 6 | UInt8(count), type, UInt8(words >> 8), UInt8(words & 0xff)])
    }
}
