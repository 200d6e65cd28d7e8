// What is kept of the DNS, and for how long.

import AgentSupport
import NIOPosix
import RTPWire
import SIPCore
import Synchronization
import Testing

@testable import SIPAgent

/// A clock that a test sets.
private final class Clock: Sendable {
    private let value = Mutex<Duration>(.zero)
    var now: Duration {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}

@Suite struct NameCacheTests {
    @Test("Answers are kept for their time to live, within bounds; failures for a short while")
    func times() throws {
        let table: [(timeToLive: UInt32?, kept: Int)] = [(0, 5), (60, 60), (1_000_000, 3600), (nil, 30)]
        for row in table {
            let clock = Clock()
            let cache = NameCache(clock: { clock.now })
            let upstream = TableNames(
                hosts: ["a.example": ["192.0.2.1"]], silent: ["A b.example"], timeToLive: row.timeToLive)
            let names = cache.names(from: upstream)
            #expect(throws: ResolutionError.self) { _ = try cache.known.addresses(of: "a.example") }
            #expect(try names.addresses(of: "A.example").isEmpty)
            #expect(try names.addresses(of: "a.example").isEmpty)
            #expect(upstream.questions == ["A A.example"])
            #expect(try cache.known.addresses(of: "a.example").isEmpty)
            clock.now = .seconds(row.kept - 1)
            #expect(try cache.known.addresses(of: "a.example").isEmpty)
            clock.now = .seconds(row.kept)
            #expect(try names.addresses(of: "a.example") == [IPAddress(192, 0, 2, 1)])
            #expect(upstream.questions.count == 2)
            for _ in 0..<2 { #expect(throws: ResolutionError.self) { _ = try names.addresses(of: "b.example") } }
            #expect(upstream.questions.count == 3)
            clock.now += .seconds(5)
            #expect(throws: ResolutionError.self) { _ = try names.addresses(of: "b.example") }
            #expect(upstream.questions.count == 4)
        }
    }

    @Test("The cache does not grow beyond its bound")
    func bound() throws {
        let cache = NameCache(capacity: 10, clock: { .zero })
        let names = cache.names(from: TableNames())
        for number in 0..<100 {
            _ = try names.addresses(of: "\(number).example")
            _ = try names.services(of: "\(number).example")
            _ = try names.namingAuthorities(of: "\(number).example")
        }
        #expect(cache.count == 10)
    }
}

@AgentActor
@Suite struct SIPResolverTests {
    private func resolver(_ names: TableNames, _ clock: Clock = Clock()) -> SIPResolver {
        SIPResolver(upstream: names, clock: { clock.now })
    }

    @Test("An address needs no name server; a name is asked for once, whatever the user, and by many at once")
    func asking() async throws {
        let names = TableNames(hosts: ["a.example": ["192.0.2.1"]])
        let resolver = resolver(names)
        #expect(resolver.immediate(try SIPURI("sip:x@192.0.2.7;transport=tcp"))?.transport == .tcp)
        #expect(resolver.immediate(try SIPURI("sip:a.example")) == nil)
        let uris = try (0..<20).map { try SIPURI("sip:user\($0)@a.example:5070") }
        let lookUps = uris.map { uri in Task { try await resolver.destinations(for: uri) } }
        var found: [[SIPDestination]] = []
        for lookUp in lookUps { found.append(try await lookUp.value) }
        #expect(found.count == 20)
        #expect(found.allSatisfy { $0.map(\.address) == [IPAddress(192, 0, 2, 1)] })
        #expect(names.questions == ["A a.example"])
        await #expect(throws: ResolutionError.self) {
            _ = try await resolver.destinations(for: try SIPURI("sip:no.example:1"))
        }
    }

    @Test("A place that failed comes last for a while, and is still there")
    func failures() async throws {
        let clock = Clock()
        let resolver = resolver(TableNames(hosts: ["a.example": ["192.0.2.1", "192.0.2.2"]]), clock)
        let uri = try SIPURI("sip:a.example:5070")
        let places = try await resolver.destinations(for: uri)
        resolver.failed(places[0])
        #expect(try await resolver.destinations(for: uri) == [places[1], places[0]])
        clock.now = SIPResolver.avoidance
        #expect(try await resolver.destinations(for: uri) == places)
    }
}
