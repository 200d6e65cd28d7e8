// Report of a receiver.

/// A receiver report (RFC 3550 section 6.4.2).
public struct ReceiverReport: Hashable, Sendable {
    /// The receiver.
    public var ssrc: UInt32
    /// The reports on the sources that it received; 31 at most.
    public var reports: [ReceptionReport]
    /// The extension that a profile added.
    public var profileExtension: [UInt8] = []

    public init(ssrc: UInt32, reports: [ReceptionReport] = []) {
        self.ssrc = ssrc
        self.reports = reports
    }

    init?(_ reader: inout WireReader, count: Int) {
        guard let ssrc = reader.word(), let reports = Self.reports(&reader, count: count) else { return nil }
        self.init(ssrc: ssrc, reports: reports)
        profileExtension = Array(reader.rest)
    }

    static func reports(_ reader: inout WireReader, count: Int) -> [ReceptionReport]? {
        guard reader.rest.count >= count * ReceptionReport.size else { return nil }
        return (0..<count).compactMap { _ in ReceptionReport(&reader) }
    }

    func write(to bytes: inout [UInt8]) {
        bytes.append(word: ssrc)
        for report in reports { report.write(to: &bytes) }
        bytes += profileExtension
    }
}
