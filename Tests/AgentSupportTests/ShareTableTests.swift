// Shares and rates by source.

import AgentSupport
import RTPWire
import Testing

@Suite("Shares of sources") struct ShareTableTests {
    private func source(_ number: UInt8) -> SourceKey { SourceKey(IPAddress(10, 0, 0, number)) }

    @Test("An IPv4 address counts alone, an IPv6 address with its /64")
    func keys() throws {
        func key(_ text: String) throws -> SourceKey { SourceKey(try #require(IPAddress(text))) }
        #expect(try key("10.0.0.1") != key("10.0.0.2"))
        #expect(try key("2001:db8::1") == key("2001:db8::ffff:ffff:ffff:ffff"))
        #expect(try key("2001:db8::1") != key("2001:db8:0:1::1"))
        // The same client by a socket of either family.
        #expect(try key("::ffff:10.0.0.1") == key("10.0.0.1"))
        #expect(try key("2001:db8::1").description == "2001:db8::/64")
        #expect(try key("10.0.0.1").description == "10.0.0.1")
    }

    @Test("A source gets its share and no more, and what it gives back can be taken again")
    func share() {
        var table = ShareTable(limit: 100, share: 16)
        for _ in 0..<16 { #expect(table.take(for: source(1)) == nil) }
        #expect(table.take(for: source(1)) == .source)
        #expect(table.take(for: source(2)) == nil)
        table.giveBack(from: source(1))
        #expect(table.take(for: source(1)) == nil)
        #expect(table.total == 17)
        #expect(table.take(for: source(1), isExempt: true) == nil)
    }

    @Test("Sources that take their whole shares leave the reserve to those that hold little")
    func reserve() {
        var table = ShareTable(limit: 80, share: 16)
        #expect(table.reserve == 10)
        var taken = 0
        for number in 1...5 { while table.take(for: source(UInt8(number))) == nil { taken += 1 } }
        #expect(taken <= 72)
        #expect(table.take(for: source(9)) == nil)
        #expect(table.take(for: source(9)) == nil)
        #expect(table.take(for: source(9)) == .total, "an eighth of a share is what the reserve is for")
        #expect(table.take(20, for: source(10), isExempt: true) == .total, "nobody gets what is not there")
    }

    @Test("Amounts are taken whole or not at all, and never below nothing")
    func amounts() {
        var table = ShareTable(limit: 1000, share: 400)
        #expect(table.take(400, for: source(1)) == nil)
        #expect(table.take(1, for: source(1)) == .source)
        table.giveBack(5000, from: source(1))
        #expect(table.total == 0 && table.held(by: source(1)) == 0)
        table.charge(900, to: source(2))
        #expect(table.held(by: source(2)) == 900 && table.isCrowded(for: source(3)))
        #expect(table.take(for: source(2)) == .source)
    }
}

@Suite("Rates of sources") struct RateTableTests {
    private let second: UInt64 = 1_000_000_000
    private func source(_ number: UInt8) -> SourceKey { SourceKey(IPAddress(10, 0, 0, number)) }

    @Test("A burst passes at once, and then the rate")
    func rate() {
        var table = RateTable(rate: 10, burst: 5)
        for _ in 0..<5 { #expect(table.take(source(1), now: second) == true) }
        #expect(table.take(source(1), now: second) == false)
        #expect(table.wait(of: source(1), now: second) == second / 10)
        #expect(table.take(source(2), now: second) == true, "another source has its own")
        #expect(table.take(source(1), now: second + second / 10) == true)
        #expect(table.take(source(1), now: second + second / 10) == false)
        for _ in 0..<5 { #expect(table.take(source(1), now: 10 * second) == true) }
        table.forgive(source(1))
        #expect(table.take(source(1), now: 10 * second) == true)
    }

    @Test("Events that have come already are waited for afterwards")
    func charges() {
        var table = RateTable(rate: 10, burst: 5)
        #expect(table.charge(5, to: source(1), now: second) == 0)
        #expect(table.charge(1, to: source(1), now: second) == second / 10)
        #expect(table.charge(10, to: source(1), now: second) == second + second / 10)
        #expect(table.charge(0, to: source(3), now: second) == 0)
    }

    @Test("However many sources come, the table stays as large as it may be")
    func capacity() {
        var table = RateTable(rate: 1, burst: 1, capacity: 16)
        for number in 0..<200 { #expect(table.take(source(UInt8(number)), now: second) == true) }
        #expect(table.take(source(199), now: second) == false, "the last one is remembered")
    }

    @Test("The largest instants and amounts neither wrap nor trap", arguments: [0, 1, UInt64.max - 1, UInt64.max])
    func extremes(now: UInt64) {
        var table = RateTable(interval: .max, burst: .max)
        _ = table.charge(.max, to: source(1), now: now)
        _ = table.take(source(1), now: 0)
        #expect(table.wait(of: source(1), now: .max) == 0)
    }
}
