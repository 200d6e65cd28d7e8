// Events over the control API: lists, selections, streams, authors.

@testable import CrosspointCommands
import Events
import Foundation
import Logging
import Node
import Routing
import Synchronization
import Testing

@Suite("Events", .timeLimit(.minutes(1)))
struct EventAPITests {
    @Test("A list is selected by number, severity and kind")
    func list() async throws {
        try await RunningNode.run { node in
            node.events.record(.info, .routeAdded, "cam1", "route cam1: added", author: "anna")
            node.events.record(.warning, .legWaiting, "cam1", "route cam1: leg 1 waits")
            node.events.record(.error, .portDown, "eth1", "port eth1: is down")
            func list(_ query: String) async throws -> [String] {
                let events: [NodeEvent] = try await node.client.send(.get, "/v1/events\(query)")
                return events.filter { $0.kind != .nodeStarted }.map(\.kind.rawValue)
            }
            #expect(try await list("") == ["route.added", "leg.waiting", "port.down"])
            #expect(try await list("?severity=warning") == ["leg.waiting", "port.down"])
            #expect(try await list("?kind=route") == ["route.added"])
            #expect(try await list("?kind=port.down&since=10m") == ["port.down"])
            #expect(try await list("?since=2999-01-01T00:00:00Z").isEmpty)
            let all: [NodeEvent] = try await node.client.send(.get, "/v1/events")
            #expect(try await list("?since=\(all[all.count - 2].id)") == ["port.down"])
        }
    }

    @Test(
        "A selection that cannot be is a line with the remedy",
        arguments: [
            ("since=soon", "since 'soon' is not a time"), ("severity=bad", "use info, notice, warning, error"),
            ("kind=rout", "kind 'rout' is unknown"), ("since=-1", "since '-1' is not a time"),
        ])
    func badSelections(_ query: String, _ words: String) async throws {
        try await RunningNode.run { node in
            let error = try await #require(throws: CommandError.self) {
                let _: [NodeEvent] = try await node.client.send(.get, "/v1/events?\(query)")
            }
            #expect(error.message.contains(words), "\(error.message)")
        }
    }

    @Test(
        "A stream has what was kept and what comes, from after the last event that a reader has, and ends with the node"
    )
    func stream() async throws {
        let seen = Lines()
        let following = Tasks()
        try await RunningNode.run { node in
            node.events.record(.info, .routeAdded, "a", "first", author: "anna")
            node.events.record(.info, .routeAdded, "b", "second", author: "anna")
            let first = node.events.events().first { $0.message == "first" }
            let client = node.client
            await following.add(
                Task {
                    try await client.follow("/v1/events?kind=route", after: first?.id) { name, data in
                        await seen.add("\(name) \(try JSONText.decode(NodeEvent.self, from: data.utf8).message)")
                    }
                })
            while await seen.lines.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            node.events.record(.error, .portDown, "eth1", "is not selected")
            node.events.record(.info, .routeRemoved, "b", "third\nline", author: "anna")
            while await seen.lines.count < 2 { try await Task.sleep(for: .milliseconds(5)) }
        }
        // The node has stopped although a reader followed it.
        try await following.wait()
        #expect(await seen.lines == ["route.added second", "route.removed third\nline"])
    }

    @Test("The author of a change is the process at the other end of the socket")
    func authors() async throws {
        try await RunningNode.run { node in
            let route = RouteSpecification(
                name: "cam1", source: try SourceSpecification("239.1.1.10:5004@eth0"), legs: [])
            let _: RouteReport = try await node.client.send(.post, "/v1/routes", body: route)
            let author = try #require(await node.control.lastAuthor)
            #expect(author.contains("process \(ProcessInfo.processInfo.processIdentifier))"), "\(author)")
            #expect(!author.hasPrefix("user "), "the user has a name: \(author)")
        }
    }

    @Test("Bytes of a stream become events wherever they are cut")
    func lines() {
        let text = ": hello\n\nid: 1\nevent: route.added\ndata: {}\n\n:\n\nevent: gap\ndata: a\ndata: b\n\nid: 2\n\n"
        for size in [1, 3, 7, 1000] {
            var lines = EventStreamLines()
            var events: [String] = []
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                events += lines.take(rest.prefix(size)).map { "\($0.name)|\($0.data)" }
                rest = rest.dropFirst(size)
            }
            #expect(events == ["route.added|{}", "gap|a\nb"])
        }
    }

    @Test("A line for a person has time, severity, message and author; what a peer put into it stays on it")
    func text() {
        let event = NodeEvent(
            id: 1, unixNanoseconds: 1_763_691_378_123_000_000, severity: .warning, kind: .routeTaken, subject: "a",
            message: "route a:\nb", author: "anna", suppressed: 2)
        #expect(
            EventText.line(of: event, colour: false)
                == "2025-11-21T02:16:18.123Z  warning  route a: b, by anna (and 2 more like this before)\n")
        #expect(EventText.text(of: [], colour: false) == "no events\n")
    }

    @Test(
        "Control characters, C1 too, and turns of direction reach neither tables nor log lines")
    func visibleText() {
        #expect(VisibleText.line("a\u{1b}[31mb\u{9b}c\u{7f}d\u{202e}e") == "a\u{fffd}[31mb\u{fffd}c\u{fffd}d\u{fffd}e")
        #expect(VisibleText.line("one\r\ntwo\nthree") == "one two three")
        #expect(VisibleText.line("Käfig 東京 👩‍💻") == "Käfig 東京 👩‍💻")
        #expect(Table.Cell("x\u{1b}]0;t\u{7}").text == "x\u{fffd}]0;t\u{fffd}")
        let lines = Lock()
        var logger = Logger(label: "test") { _ in VisibleLogHandler(handler: JournalLogHandler { lines.add($0) }) }
        logger[metadataKey: "path"] = "/\u{1b}c"
        logger.error("agent \u{1b}[2J\nforged", metadata: ["a": "\u{9b}1"])
        #expect(lines.text == "<3>agent \u{fffd}[2J forged a=\u{fffd}1 path=/\u{fffd}c\n")
    }

    @Test("In the journal each line has its priority, and no time")
    func journal() {
        let lines = Lock()
        var handler = JournalLogHandler { lines.add($0) }
        handler[metadataKey: "b"] = "2"
        handler.logLevel = .info
        var logger = Logger(label: "test") { [handler] _ in handler }
        logger.logLevel = .info
        logger.warning("one\ntwo", metadata: ["a": "1"])
        logger.debug("is not logged")
        #expect(lines.text == "<4>one\n<4>two a=1 b=2\n")
    }

    @Test("Log lines of one kind are bounded in a window, then counted; other kinds are not concerned")
    func bounded() {
        let lines = Lock()
        let now = Mutex<UInt64>(1)
        let bound = ThrottledLogHandler.Shared { now.withLock { $0 } }
        let logger = Logger(label: "test") { _ in
            ThrottledLogHandler(handler: JournalLogHandler { lines.add($0) }, shared: bound)
        }
        // Another logger shares the bound.
        let copy = Logger(label: "other") { _ in
            ThrottledLogHandler(handler: JournalLogHandler { lines.add($0) }, shared: bound)
        }
        for number in 1...2500 { (number % 2 == 0 ? logger : copy).warning("refused \(number)") }
        logger.error("another kind")
        let written = lines.text.split(separator: "\n")
        #expect(written.count == LogThrottle.burst + 1)
        #expect(written.last == "<3>another kind")
        #expect(bound.summaries().isEmpty)
        now.withLock { $0 += LogThrottle.window }
        logger.info("later")
        let after = lines.text.split(separator: "\n").dropFirst(LogThrottle.burst + 1)
        #expect(after == ["<4>refused 2500 (and 2399 more like this within 10 s)", "<6>later"])
        #expect(bound.summaries().isEmpty)
    }

    @Test("A window that is over lets lines through again, one at a time without a summary")
    func windows() {
        var throttle = LogThrottle()
        let event = LogEvent(
            level: .info, message: "a", metadata: nil, source: "s", file: "f", function: "g", line: 7)
        for window in 0..<5 {
            let now = UInt64(window) * LogThrottle.window
            for _ in 0..<LogThrottle.burst { #expect(throttle.take(event, at: now).count == 1) }
        }
        #expect(throttle.summaries(at: .max).isEmpty)
    }

    private final class Lock: Sendable {
        private let texts = Mutex<String>("")
        var text: String { texts.withLock { $0 } }
        func add(_ text: String) { texts.withLock { $0 += text } }
    }

    private actor Lines {
        private(set) var lines: [String] = []
        func add(_ line: String) { lines.append(line) }
    }

    private actor Tasks {
        private var tasks: [Task<Void, any Error>] = []
        func add(_ task: Task<Void, any Error>) { tasks.append(task) }
        func wait() async throws { for task in tasks { try await task.value } }
    }
}
