// RTCP of a flow whose packets were changed on their way (RFC 3550 section 7.2).

/// The changes of a leg in the RTP header, applied to the RTCP that goes with it: without this, receivers would not
/// find the source of a sender report, and lip-sync would break.
public struct RTCPTranslation: Hashable, Sendable {
    /// The SSRC that the source sends with.
    public var sourceSSRC: UInt32
    /// The SSRC that the leg sends with.
    public var legSSRC: UInt32
    /// The numbers that the leg adds to sequence numbers, modulo 2^16, and to timestamps, modulo 2^32.
    public var sequenceOffset: UInt16
    public var timestampOffset: UInt32

    public init(sourceSSRC: UInt32, legSSRC: UInt32, sequenceOffset: UInt16 = 0, timestampOffset: UInt32 = 0) {
        self.sourceSSRC = sourceSSRC
        self.legSSRC = legSSRC
        self.sequenceOffset = sequenceOffset
        self.timestampOffset = timestampOffset
    }

    /// True if nothing is changed.
    public var isIdentity: Bool { sourceSSRC == legSSRC && sequenceOffset == 0 && timestampOffset == 0 }

    /// The packets that the source sent, as the leg's receivers must see them: its SSRC and the timestamps of its
    /// sender reports. Packets of kinds that are not known here are left out, since they may name what was changed.
    public func toReceivers(_ compound: RTCPCompound) -> RTCPCompound {
        if isIdentity { return compound }
        func ssrc(_ value: UInt32) -> UInt32 { value == sourceSSRC ? legSSRC : value }
        return RTCPCompound(
            compound.packets.compactMap { packet in
                switch packet {
                case .senderReport(var report):
                    if report.ssrc == sourceSSRC { report.rtpTimestamp &+= timestampOffset }
                    report.ssrc = ssrc(report.ssrc)
                    return .senderReport(report)
                case .receiverReport(var report):
                    report.ssrc = ssrc(report.ssrc)
                    return .receiverReport(report)
                case .sourceDescription(var description):
                    for index in description.chunks.indices {
                        description.chunks[index].ssrc = ssrc(description.chunks[index].ssrc)
                    }
                    return .sourceDescription(description)
                case .goodbye(var goodbye):
                    goodbye.ssrcs = goodbye.ssrcs.map(ssrc)
                    return .goodbye(goodbye)
                case .feedback(var feedback):
                    feedback.ssrc = ssrc(feedback.ssrc)
                    return .feedback(feedback)
                case .other: return nil
                }
            })
    }

    /// The packets that a receiver of the leg sent, as the source must see them: reports and feedback about the leg's
    /// SSRC, with their sequence numbers. An extended sequence number is translated modulo 2^32: its low half is the
    /// source's, and it grows as the receiver's does.
    public func toSource(_ compound: RTCPCompound) -> RTCPCompound {
        if isIdentity { return compound }
        return RTCPCompound(
            compound.packets.compactMap { packet in
                switch packet {
                case .senderReport(var report):
                    report.reports = report.reports.map(toSource)
                    return .senderReport(report)
                case .receiverReport(var report):
                    report.reports = report.reports.map(toSource)
                    return .receiverReport(report)
                case .sourceDescription, .goodbye: return packet
                case .feedback(let feedback): return .feedback(toSource(feedback))
                case .other: return nil
                }
            })
    }

    private func toSource(_ report: ReceptionReport) -> ReceptionReport {
        guard report.ssrc == legSSRC else { return report }
        var report = report
        report.ssrc = sourceSSRC
        report.extendedHighestSequence &-= UInt32(sequenceOffset)
        return report
    }

    private func toSource(_ feedback: FeedbackPacket) -> FeedbackPacket {
        var feedback = feedback
        switch (feedback.kind, feedback.format) {
        case (.application, _): return feedback
        case (.transport, 1) where feedback.media == legSSRC:
            // NACK (RFC 4585 section 6.2.1): in each word, a sequence number and a mask of those that follow it.
            feedback.information = words(of: feedback) { word, _ in
                UInt32(UInt16(word >> 16) &- sequenceOffset) << 16 | word & 0xffff
            }
        case (.transport, 3), (.transport, 4), (.payload, 4), (.payload, 5), (.payload, 6):
            // TMMBR, TMMBN, FIR, TSTR, TSTN (RFC 5104 section 4): an SSRC in every other word.
            feedback.information = words(of: feedback) { word, index in
                index.isMultiple(of: 2) && word == legSSRC ? sourceSSRC : word
            }
        default: break
        }
        if feedback.media == legSSRC { feedback.media = sourceSSRC }
        return feedback
    }

    private func words(of feedback: FeedbackPacket, _ change: (UInt32, Int) -> UInt32) -> [UInt8] {
        var reader = WireReader(feedback.information[...])
        var bytes: [UInt8] = []
        while let word = reader.word() { bytes.append(word: change(word, bytes.count / 4)) }
        return bytes + reader.rest
    }
}
