// Rates as operators write them.

import Routing
import Testing

@Suite("Rates")
struct SpecificationRateTests {
    @Test(
        "A rate is read, and printed exactly in the largest unit",
        arguments: [
            ("2.66Gb/s", 2_660_000_000, "2.66Gb/s"), ("10Gb/s", 10_000_000_000, "10Gb/s"),
            ("800Mb/s", 800_000_000, "800Mb/s"), ("1000000", 1_000_000, "1Mb/s"), ("999", 999, "999b/s"),
            ("1.5 kb/s", 1500, "1.5kb/s"), ("2488.32Mbit/s", 2_488_320_000, "2.48832Gb/s"),
            ("1.10Gbps", 1_100_000_000, "1.1Gb/s"), ("1Tb/s", 1_000_000_000_000, "1Tb/s"),
            ("1234567", 1_234_567, "1.234567Mb/s"), ("1.000b/s", 1, "1b/s"),
        ] as [(String, UInt64, String)])
    func reading(text: String, bitsPerSecond: UInt64, shortest: String) throws {
        let rate = try BitRate(text)
        #expect(rate.bitsPerSecond == bitsPerSecond)
        #expect(rate.description == shortest)
        #expect(try BitRate(shortest) == rate)
    }

    @Test(
        "What is no rate is refused",
        arguments: [
            "", "Gb/s", "2.66GB/s", "2.66", "-1Gb/s", "1e9", "1.Gb/s", ".5Gb/s", "1.2.3Gb/s", "0", "0Gb/s",
            "99999999999999Tb/s",
            "1gb/s", "1.5b/s", "1 Gb/s x",
        ])
    func refusals(text: String) {
        #expect(throws: SpecificationError.self) { try BitRate(text) }
    }
}
