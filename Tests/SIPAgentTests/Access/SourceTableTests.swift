// Token buckets and strikes.

import RTPWire
import Testing

@testable import SIPAgent

@Suite struct SourceTableTests {
    private let second: UInt64 = 1_000_000_000
    private let one = IPAddress(10, 1, 0, 1)

    @Test("A source has its burst, then its rate; a silence fills the bucket again and no further")
    func tokens() {
        var table = SourceTable(capacity: 16)
        func take(_ count: Int, at time: UInt64) -> Int {
            (0..<count).count { _ in table.take(one, rate: 2, burst: 5, now: time) }
        }
        #expect(take(10, at: 10 * second) == 5)
        #expect(take(10, at: 11 * second) == 2)
        #expect(take(10, at: 11 * second + second / 2) == 1)
        #expect(take(10, at: 9_000 * second) == 5)
        // Another source has its own.
        let isOtherAllowed = table.take(IPAddress(10, 1, 0, 2), rate: 2, burst: 5, now: 9_000 * second)
        #expect(isOtherAllowed)
    }

    @Test("Strikes add up to a limit, and one is forgiven each second")
    func strikes() {
        var table = SourceTable(capacity: 16)
        for _ in 0..<10 { table.strike(one, 5, maximum: 40, burst: 5, now: 10 * second) }
        #expect(table.strikes(one, now: 10 * second) == 40)
        #expect(table.strikes(one, now: 25 * second) == 25)
        // Requests do not forgive.
        _ = table.take(one, rate: 1, burst: 5, now: 25 * second)
        #expect(table.strikes(one, now: 25 * second) == 25)
        #expect(table.strikes(one, now: 60 * second) == 0)
        table.strike(one, 5, maximum: 40, burst: 5, now: 61 * second)
        table.forgive(one)
        #expect(table.strikes(one, now: 61 * second) == 0)
    }

    @Test("A /64 is one source; the table does not grow, and forgets who was quiet longest")
    func bounds() throws {
        var table = SourceTable(capacity: 4)
        func take(_ source: IPAddress, at seconds: UInt64) -> Bool {
            table.take(source, rate: 1, burst: 1, now: seconds * second)
        }
        let first = try #require(IPAddress("2001:db8:0:1::1"))
        let neighbour = try #require(IPAddress("2001:db8:0:1:ffff::2"))
        let other = try #require(IPAddress("2001:db8:0:2::1"))
        #expect(take(first, at: 1))
        #expect(!take(neighbour, at: 1))
        #expect(take(other, at: 1))
        for number in 0..<UInt8(200) { #expect(take(IPAddress(10, 0, 0, number), at: 2 + UInt64(number))) }
        // The last four are known, the first source is new again.
        #expect(!take(IPAddress(10, 0, 0, 199), at: 201))
        #expect(take(first, at: 201))
    }
}
