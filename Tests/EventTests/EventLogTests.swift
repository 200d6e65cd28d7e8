// The log of events: numbers, bounds, followers, and what flaps.

import FoundationEssentials
import Synchronization
import Testing
import Timing

@testable import Events

@Suite struct EventLogTests {
    /// A clock that a test moves.
    private final class Clock: Sendable {
        private let seconds = Mutex<UInt64>(1000)
        var log: EventLog { EventLog(capacity: 100, clock: { [self] in (now, now) }) }
        private var now: UInt64 { seconds.withLock { $0 * 1_000_000_000 } }
        func pass(_ count: UInt64) { seconds.withLock { $0 += count } }
    }

    @Test("Numbers grow without gaps, and begin at the time of the start")
    func numbers() {
        let log = Clock().log
        log.record(.info, .routeAdded, "a", "one", author: "anna")
        log.record(.info, .routeAdded, "a", "two", author: "anna")
        #expect(log.events().map(\.id) == [1_000_000_001, 1_000_000_002])
        #expect(log.events(after: 1_000_000_001).map(\.message) == ["two"])
    }

    @Test("The log keeps the newest events, as many as it may")
    func capacity() {
        let log = Clock().log
        for number in 1...250 { log.record(.info, .routeAdded, "r\(number)", "\(number)", author: "anna") }
        #expect(log.events().map(\.message) == (151...250).map(String.init))
    }

    @Test("What flaps is some events, and then one for each window, with the number that was left out")
    func flapping() {
        let clock = Clock()
        let log = clock.log
        for _ in 1...100 { log.record(.warning, .legWaiting, "cam", "waits") }
        log.record(.warning, .legWaiting, "other", "waits")
        #expect(log.events().count == EventThrottle.burst + 1)
        clock.pass(9)
        log.tick()
        #expect(log.events().count == EventThrottle.burst + 1)
        clock.pass(1)
        log.tick()
        let last = log.events().last
        #expect(log.events().count == EventThrottle.burst + 2)
        #expect(last?.subject == "cam" && last?.suppressed == UInt64(100 - EventThrottle.burst - 1))
        log.tick()
        #expect(log.events().count == EventThrottle.burst + 2)
    }

    @Test("Changes that somebody makes are never left out")
    func changes() {
        let log = Clock().log
        for number in 1...50 { log.record(.info, .routeChanged, "cam", "\(number)", author: "anna") }
        #expect(log.events().count == 50)
    }

    @Test("Thousands of things that flap are bounded together, and say how many were left out")
    func manySubjects() {
        let clock = Clock()
        let log = EventLog(clock: { (0, 5) })
        for round in 1...10 { for number in 1...3000 { log.record(.warning, .flowState, "r\(number)", "\(round)") } }
        #expect(log.events().count == EventThrottle.total)
        let later = Mutex<UInt64>(0)
        let bounded = EventLog(clock: { (0, later.withLock { $0 }) })
        for _ in 1...10 { for number in 1...20_000 { bounded.record(.warning, .flowState, "r\(number)", "") } }
        later.withLock { $0 = EventThrottle.window }
        bounded.tick()
        let kinds = bounded.events().suffix(1).map(\.kind)
        #expect(kinds == [.eventsSuppressed])
        #expect(bounded.events().count <= EventThrottle.total * 3 / 2 + 1)
        _ = clock
    }

    @Test("A follower has what was kept and then what comes, each once")
    func following() async {
        let log = Clock().log
        log.record(.info, .routeAdded, "a", "before", author: "anna")
        let (past, stream) = log.follow()
        log.record(.info, .routeRemoved, "a", "after", author: "anna")
        log.finish()
        var seen = past.map(\.message)
        for await event in stream { seen.append(event.message) }
        #expect(seen == ["before", "after"])
        #expect(log.followers == 0)
    }

    @Test("An event is JSON with its time in RFC 3339, and the same when it is read again")
    func json() throws {
        let event = NodeEvent(
            id: 7, unixNanoseconds: 1_763_691_378_123_000_000, severity: .warning, kind: .legWaiting, subject: "cam",
            message: "waits", author: "anna", revision: 3)
        let text = try encode(event)
        #expect(text.contains("\"time\":\"2025-11-21T02:16:18.123Z\"") && text.contains("\"kind\":\"leg.waiting\""))
        #expect(try decode(text) == event)
    }
}

private func encode(_ event: NodeEvent) throws -> String {
    String(decoding: try JSONEncoder().encode(event), as: UTF8.self)
}

private func decode(_ text: String) throws -> NodeEvent {
    try JSONDecoder().decode(NodeEvent.self, from: Data(text.utf8))
}
