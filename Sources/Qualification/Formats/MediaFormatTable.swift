// The formats that a studio sends, with the sizes and rates that their standards give.

import RTPWire

extension MediaFormat {
    /// All formats that have a name.
    public static let all: [MediaFormat] = video + audio + ancillary + encapsulated

    /// The format called `name`, in any case of letters; nil if there is none.
    public static func named(_ name: String) -> MediaFormat? {
        let name = name.lowercased()
        return all.first { $0.name == (name == "2022-6" ? "2022-6-1080i59.94" : name) }
    }

    /// A scanning of the picture: how often, and in how many fields.
    private struct Scanning {
        var name: String
        /// Frames per second.
        var rate: ExactRate
        var fields: UInt64 = 1

        static let p50 = Scanning(name: "p50", rate: ExactRate(50))
        static let p5994 = Scanning(name: "p59.94", rate: ExactRate(60_000, 1001))
        static let i50 = Scanning(name: "i50", rate: ExactRate(25), fields: 2)
        static let i5994 = Scanning(name: "i59.94", rate: ExactRate(30_000, 1001), fields: 2)
    }

    /// ST 2110-20, 4:2:2 with 10 bits, packets of one line's part each (general packing mode): Ethernet 14, IPv4 20, UDP 8,
    /// RTP 12, extended sequence number 2, one sample row header 6, and the samples.
    private static func video(_ height: Int, _ scanning: Scanning) -> MediaFormat {
        let width = height * 16 / 9
        // Two pixels are five octets. The largest equal parts of a line that fit the standard UDP size limit of 1460 octets.
        let line = width * 5 / 2
        var parts = 1
        while line % (parts * 5) != 0 || line / parts + 28 > 1460 { parts += 1 }
        let packets = UInt64(height * parts)
        return MediaFormat(
            name: "2110-20-\(height)\(scanning.name)",
            summary: "uncompressed video, \(width)x\(height)\(scanning.name), 4:2:2 10-bit",
            frameLength: 62 + line / parts, packetRate: scanning.rate * packets,
            packetsPerTimestamp: UInt32(packets / scanning.fields))
    }

    private static let video: [MediaFormat] = [
        video(720, .p50), video(720, .p5994), video(1080, .i50), video(1080, .i5994), video(1080, .p50),
        video(1080, .p5994), video(2160, .p50), video(2160, .p5994),
    ]

    /// A coding of samples.
    private enum Coding: String {
        case l16 = "L16"
        case l24 = "L24"
        case am824 = "AM824"

        var octets: Int {
            switch self {
            case .l16: 2
            case .l24: 3
            case .am824: 4
            }
        }
    }

    /// ST 2110-30 and AES67: 54 bytes of headers, and samples of 16 or 24 bits. ST 2110-31 has 32 for each.
    private static func audio(
        _ name: String, _ coding: Coding, channels: Int, samples: UInt64, clock: UInt64 = 48_000
    ) -> MediaFormat {
        MediaFormat(
            name: name,
            summary:
                "audio, \(coding.rawValue), \(channels) channels, \(clock / 1000) kHz, \(samples) samples a packet",
            frameLength: 54 + coding.octets * channels * Int(samples), packetRate: ExactRate(clock, samples),
            clockRate: UInt32(clock))
    }

    private static let audio: [MediaFormat] = [
        audio("2110-30-l16-2ch-1ms", .l16, channels: 2, samples: 48),
        audio("2110-30-l24-2ch-1ms", .l24, channels: 2, samples: 48),
        audio("2110-30-l24-8ch-1ms", .l24, channels: 8, samples: 48),
        audio("2110-30-l24-8ch-125us", .l24, channels: 8, samples: 6),
        audio("2110-30-l24-16ch-125us", .l24, channels: 16, samples: 6),
        audio("2110-30-l24-64ch-125us", .l24, channels: 64, samples: 6),
        audio("2110-30-l24-96k-4ch-1ms", .l24, channels: 4, samples: 96, clock: 96_000),
        audio("2110-30-l24-96k-32ch-125us", .l24, channels: 32, samples: 12, clock: 96_000),
        audio("aes67-l24-2ch-333us", .l24, channels: 2, samples: 16),
        audio("aes67-l24-2ch-4ms", .l24, channels: 2, samples: 192),
        audio("2110-31-am824-8ch-125us", .am824, channels: 8, samples: 6),
    ]

    /// ST 2110-40: one packet for a frame or field, of the size that captions and time code take together.
    private static func ancillary(_ scanning: Scanning) -> MediaFormat {
        MediaFormat(
            name: "2110-40-1080\(scanning.name)",
            summary:
                "ancillary data of 1080\(scanning.name), one packet for a \(scanning.fields == 1 ? "frame" : "field")",
            frameLength: 174, packetRate: scanning.rate * scanning.fields)
    }

    private static let ancillary: [MediaFormat] = [
        ancillary(.i50), ancillary(.i5994), ancillary(.p50), ancillary(.p5994),
    ]

    /// ST 2022-6: 1376 octets of the serial digital interface's bits in each packet, behind a header of 8 octets and its timestamp.
    private static func encapsulated(_ picture: String, _ scanning: Scanning, packets: UInt64) -> MediaFormat {
        MediaFormat(
            name: "2022-6-\(picture)\(scanning.name)",
            summary: "serial digital interface of \(picture)\(scanning.name) in packets", frameLength: 1442,
            packetRate: scanning.rate * packets, packetsPerTimestamp: UInt32(packets), clockRate: 27_000_000)
    }

    private static let encapsulated: [MediaFormat] = [
        encapsulated("576", .i50, packets: 982), encapsulated("720", .p5994, packets: 2249),
        encapsulated("1080", .i50, packets: 5397), encapsulated("1080", .i5994, packets: 4497),
        encapsulated("1080", .p50, packets: 5397), encapsulated("1080", .p5994, packets: 4497),
    ]
}
