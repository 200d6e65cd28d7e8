// Report of a sender about itself.

/// A sender report (RFC 3550 section 6.4.1).
public struct SenderReport: Hashable, Sendable {
    /// The sender.
    public var ssrc: UInt32
    /// When the report was sent.
    public var ntpTimestamp: NTPTimestamp
    /// The same time in units of the RTP timestamps.
    public var rtpTimestamp: UInt32
    /// Packets and payload bytes sent, modulo 2^32.
    public var packetCount: UInt32
    public var byteCount: UInt32
    /// The reports on the sources that it received from others; 31 at most.
    public var reports: [ReceptionReport]
    /// The extension that a profile added.
    public var profileExtension: [UInt8] = []

    public init(
        ssrc: UInt32, ntpTimestamp: NTPTimestamp, rtpTimestamp: UInt32, packetCount: UInt32, byteCount: UInt32,
        reports: [ReceptionReport] = []
    ) {
        self.ssrc = ssrc
        self.ntpTimestamp = ntpTimestamp
        self.rtpTimestamp = rtpTimestamp
        self.packetCount = packetCount
        self.byteCount = byteCount
        self.reports = reports
    }

    init?(_ reader: inout WireReader, count: Int) {
        guard let ssrc = reader.word(), let seconds = reader.word(), let fraction = reader.word(),
            let timestamp = reader.word(), let packets = reader.word(), let bytes = reader.word(),
            let reports = ReceiverReport.reports(&reader, count: count)
        else { return nil }
        self.init(
            ssrc: ssrc, ntpTimestamp: NTPTimestamp(seconds: seconds, fraction: fraction), rtpTimestamp: timestamp,
            packetCount: packets, byteCount: bytes, reports: reports)
        profileExtension = Array(reader.rest)
    }

    func write(to bytes: inout [UInt8]) {
        for word in [ssrc, ntpTimestamp.seconds, ntpTimestamp.fraction, rtpTimestamp, packetCount, byteCount] {
            bytes.append(word: word)
        }
        for report in reports { report.write(to: &bytes) }
        bytes += profileExtension
    }
}
