// The RTP streams of the corpus, and how to find their packets.

import TestSupport
import Testing

/// One RTP stream of a capture.
struct CaptureStream: Sendable, CustomTestStringConvertible {
    var file: String
    var destination: String
    var udpPort: UInt16
    var clockRate: UInt32
    var packetRate: UInt64
    var packets: Int
    /// Whether tshark knows the clock of the payload type.
    var hasStaticClock = false

    var testDescription: String { "\(file) \(destination)" }

    static let all = [
        CaptureStream(
            file: "ST2022-7-Audio.pcap", destination: "239.1.2.1", udpPort: 6000, clockRate: 48_000, packetRate: 8000,
            packets: 16_000),
        CaptureStream(
            file: "ST2022-7-Audio.pcap", destination: "239.1.2.2", udpPort: 6000, clockRate: 48_000, packetRate: 8000,
            packets: 16_000),
        CaptureStream(
            file: "l24_48000_8ch_0125.pcap", destination: "239.32.37.1", udpPort: 50030, clockRate: 48_000,
            packetRate: 8000, packets: 10_000),
        CaptureStream(
            file: "eemebe_t_1080i59.pcap", destination: "239.0.1.2", udpPort: 50000, clockRate: 90_000,
            packetRate: 134_000, packets: 21_600),
        CaptureStream(
            file: "2110-40_5994i.pcap", destination: "239.40.144.1", udpPort: 50040, clockRate: 90_000,
            packetRate: 200, packets: 90),
        CaptureStream(
            file: "sipp-g711a.pcap", destination: "10.1.6.18", udpPort: 2006, clockRate: 8_000, packetRate: 50,
            packets: 236, hasStaticClock: true),
    ]

    /// The stream's packets, in order.
    func records() throws -> [(record: CaptureFile.Record, frame: ParsedFrame, rtp: RTPPacket)] {
        let destination = Packet.addressBytes(destination)
        return try Corpus.capture(file).records.compactMap { record in
            guard let frame = ParsedFrame(record.bytes), frame.destination == destination,
                frame.destinationPort == udpPort, let rtp = frame.rtp
            else { return nil }
            return (record, frame, rtp)
        }
    }

    var path: String { Corpus.path(file) }
}
