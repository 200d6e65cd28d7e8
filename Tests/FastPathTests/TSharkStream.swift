// What tshark says of the RTP streams in a capture.

import Glibc
import TestSupport

/// One line of `tshark -q -z rtp,streams`.
struct TSharkStream {
    /// What to say where tshark is missing.
    static let reason = "needs tshark (Debian package tshark)"

    static let isInstalled = (try? Command.run(["tshark", "--version"])) != nil

    var ssrc: UInt32
    var packets: Int
    var lost: Int
    /// In milliseconds.
    var largestJitter: Double

    /// The streams of a capture whose packets to `udpPort` are RTP, by their beginning.
    static func read(_ path: String, udpPort: UInt16) throws -> [TSharkStream] {
        let text = try Command.run([
            "tshark", "-r", path, "-q", "-z", "rtp,streams", "-d", "udp.port==\(udpPort),rtp",
        ])
        return text.split(separator: "\n").compactMap { line in
            // Start, end, source, port, destination, port, SSRC, payload, packets, lost, (%), three deltas, three jitters.
            let words = line.split(separator: " ")
            guard words.count >= 17, words[6].hasPrefix("0x"), let ssrc = UInt32(words[6].dropFirst(2), radix: 16),
                let packets = Int(words[8]), let lost = Int(words[9]), let jitter = Double(words[16])
            else { return nil }
            return TSharkStream(ssrc: ssrc, packets: packets, lost: lost, largestJitter: jitter)
        }
    }
}
