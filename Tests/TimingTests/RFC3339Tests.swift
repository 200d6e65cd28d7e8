// Times as text.

import Testing
import Timing

@Suite struct RFC3339Tests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2025-11-21T02:16:18.123Z", 1_763_691_378_123_000_000),
            ("2025-11-21t03:16:18.123456789+01:00", 1_763_691_378_123_456_789),
            ("2024-02-29 00:00:00Z", 1_709_164_800_000_000_000),
            ("2025-11-20T21:16:18-05:00", 1_763_691_378_000_000_000),
            ("2016-12-31T23:59:60Z", 1_483_228_799_000_000_000),
        ] as [(String, UInt64)])
    func timesAreRead(_ text: String, _ nanoseconds: UInt64) {
        #expect(RFC3339.unixNanoseconds(text) == nanoseconds)
    }

    @Test(arguments: [
        "", "2025", "2025-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2025-11-21T24:00:00Z", "2025-11-21T02:16:18",
        "now",
        "2025-11-21T02:16:18.Z", "2025-11-21T02:16:18Zx", "1969-12-31T23:59:59Z", "2025-11-21T02:16:18+1:00",
        "+025-11-21T02:16:18Z",
    ])
    func otherTextsAreNot(_ text: String) { #expect(RFC3339.unixNanoseconds(text) == nil) }

    @Test func whatIsWrittenIsReadAgain() {
        for day in stride(from: UInt64(0), to: 40_000, by: 13) {
            let time = (day * 86_400 + day % 86_400) * 1_000_000_000 + 123_000_000
            #expect(RFC3339.unixNanoseconds(RFC3339.text(unixNanoseconds: time)) == time)
        }
    }
}
