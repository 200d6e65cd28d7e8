// The formats' sizes and rates against those of their standards.

import Testing

@testable import Qualification

@Suite struct FormatTests {
    /// Name, frame length, packets per second, bits per second on the wire; rates to the digits that are given.
    static let known: [(name: String, frame: Int, packets: Double, wireGigabits: Double)] = [
        ("2110-20-720p50", 862, 144_000, 1.0207), ("2110-20-720p59.94", 862, 172_627.4, 1.2236),
        ("2110-20-1080i50", 1262, 108_000, 1.1111), ("2110-20-1080i59.94", 1262, 129_470.5, 1.3320),
        ("2110-20-1080p50", 1262, 216_000, 2.2222), ("2110-20-1080p59.94", 1262, 258_941.1, 2.6640),
        ("2110-20-2160p50", 1262, 864_000, 8.8888), ("2110-20-2160p59.94", 1262, 1_035_764.2, 10.6559),
        ("2110-30-l16-2ch-1ms", 246, 1000, 0.002_160), ("2110-30-l24-2ch-1ms", 342, 1000, 0.002_928),
        ("2110-30-l24-8ch-1ms", 1206, 1000, 0.009_840), ("2110-30-l24-8ch-125us", 198, 8000, 0.014_208),
        ("2110-30-l24-16ch-125us", 342, 8000, 0.023_424), ("2110-30-l24-64ch-125us", 1206, 8000, 0.078_720),
        ("2110-30-l24-96k-4ch-1ms", 1206, 1000, 0.009_840), ("2110-30-l24-96k-32ch-125us", 1206, 8000, 0.078_720),
        ("aes67-l24-2ch-333us", 150, 3000, 0.004_176), ("aes67-l24-2ch-4ms", 1206, 250, 0.002_460),
        ("2110-31-am824-8ch-125us", 246, 8000, 0.017_280),
        ("2110-40-1080i50", 174, 50, 0.000_0792), ("2110-40-1080p59.94", 174, 59.94, 0.000_0949),
        ("2022-6-1080i50", 1442, 134_925, 1.5824), ("2022-6-1080i59.94", 1442, 134_775.2, 1.5806),
        ("2022-6-720p59.94", 1442, 134_805.2, 1.5810), ("2022-6-1080p50", 1442, 269_850, 3.1648),
        ("2022-6-1080p59.94", 1442, 269_550.4, 3.1613), ("2022-6-576i50", 1442, 24_550, 0.2879),
    ]

    @Test(arguments: known.indices) func sizeAndRate(index: Int) throws {
        let (name, frame, packets, gigabits) = Self.known[index]
        let format = try #require(MediaFormat.named(name))
        #expect(format.frameLength == frame)
        #expect(abs(format.packetRate.perSecond - packets) < 0.06)
        #expect(abs(format.wireRate / 1e9 - gigabits) < 0.000_06)
    }

    @Test func ratesAreExact() throws {
        let format = try #require(MediaFormat.named("2110-20-1080p59.94"))
        #expect(format.packetRate == ExactRate(4320 * 60_000, 1001))
        // 1501.5 ticks of 90 kHz: a frame's; of an interlaced one, each field's.
        #expect(format.ticksPerTimestamp == 1501 << 16 + 1 << 15)
        let interlaced = try #require(MediaFormat.named("2110-20-1080i59.94"))
        #expect(interlaced.packetsPerTimestamp == 2160 && interlaced.ticksPerTimestamp == format.ticksPerTimestamp)
        let audio = try #require(MediaFormat.named("2110-30-l24-8ch-125us"))
        #expect(audio.packetsPerTimestamp == 1 && audio.ticksPerTimestamp == 6 << 16 && audio.clockRate == 48_000)
        let serial = try #require(MediaFormat.named("2022-6-1080p50"))
        #expect(serial.ticksPerTimestamp == 540_000 << 16)
    }

    @Test func namesAreUniqueAndFound() {
        #expect(Set(MediaFormat.all.map(\.name)).count == MediaFormat.all.count)
        for format in MediaFormat.all {
            #expect(MediaFormat.named(format.name.uppercased()) == format)
            #expect(MediaFormat.frameLengths.contains(format.frameLength), "\(format.name)")
        }
        #expect(MediaFormat.named("2022-6")?.name == "2022-6-1080i59.94")
        #expect(MediaFormat.named("2110-20-1080p60") == nil)
    }

    @Test func freeFormatKeepsTheWireRate() {
        let format = MediaFormat(frameLength: 1262, wireRate: 2_663_967_032)
        #expect(abs(format.wireRate - 2_663_967_032) < 1)
        #expect(abs(format.packetRate.perSecond - 258_939.25) < 0.01)
    }
}
