// Every name that statistics carry is documented, one by one.

import FastPath
import Foundation
@testable import Node
import Routing
import Sessions
import Testing

@Suite("Names of statistics")
struct StatisticsNamesTests {
    private let document: String

    init() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        document = try String(contentsOf: root.appending(path: "docs/statistics.md"), encoding: .utf8)
    }

    /// One flow with everything that a state can have, and its route.
    private static var states: NodeStates {
        let window = LossWindow(expectedPackets: 1000, lostPackets: 1, reorderedPackets: 1)
        let flow = FlowReport(
            route: "cam1", from: "239.1.1.10:5004@eth0", state: .loss, reason: "why", since: 1,
            loss: .init(tenSeconds: window, minute: window, quarterHour: window, day: window), lastLossSeconds: 4)
        let leg = LegReport(
            number: 1, specification: try! LegSpecification("10.2.0.5:5004@eth1"), state: .active, reason: nil,
            nextHop: nil)
        let route = RouteReport(
            specification: RouteSpecification(
                name: "cam1", source: try! SourceSpecification("239.1.1.10:5004@eth0"), legs: [leg.specification]),
            owner: .operator, engine: "kernel", engineReason: "", membership: "joined", legs: [leg])
        return NodeStates(flows: [flow], routes: [route])
    }

    /// The keys of `value` and of everything in it, except the names of reasons, which are not the snapshot's own.
    private func keys(_ value: Any, in key: String = "") -> Set<String> {
        if let object = value as? [String: Any] {
            if ["dropped", "passed", "undelivered", "counters"].contains(key) { return [] }
            return object.reduce(into: Set(object.keys)) { $0.formUnion(keys($1.value, in: $1.key)) }
        }
        return (value as? [Any] ?? []).reduce(into: []) { $0.formUnion(keys($1)) }
    }

    @Test("Every key of the JSON stands in docs/statistics.md")
    func json() throws {
        let sessions = SessionStatistics(sessions: [], counters: [])
        let measured = MeasuredStatistics(
            from: SampleStatistics.full(), to: SampleStatistics.full(), sessions: sessions, states: Self.states.flows)
        let object = try JSONSerialization.jsonObject(with: try JSONText.encode(measured))
        let keys = keys(object)
        #expect(keys.count > 50)
        for key in keys.sorted() { #expect(document.contains("`\(key)`"), "\(key) is not documented") }
    }

    @Test("Every metric stands in docs/statistics.md")
    func metrics() throws {
        let session = SessionReport(
            name: "a", kind: .rtspPlayer, state: "playing", target: "/a", peer: "10.2.0.5:1", startedAt: "")
        let text = PrometheusText.text(
            of: SampleStatistics.full(), sessions: SessionStatistics(sessions: [session]), states: Self.states)
        let names = text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
        #expect(names.count > 30)
        for name in names { #expect(document.contains("`\(name)`"), "\(name) is not documented") }
    }

    @Test("Every reason stands in docs/statistics.md")
    func reasons() {
        #expect(!DropReason.all.isEmpty)
        for reason in DropReason.all {
            #expect(document.contains("| `\(reason.name)` |"), "\(reason.name) is not documented")
        }
    }

    @Test("Every counter of AF_XDP sockets stands in docs/statistics.md")
    func socketCounters() {
        #expect(!SocketStatistics.counterNames.isEmpty)
        for name in SocketStatistics.counterNames {
            #expect(document.contains("`\(name)`"), "\(name) is not documented")
        }
    }

    @Test("A snapshot comes back from JSON as it was")
    func roundTrip() throws {
        let snapshot = SampleStatistics.full()
        #expect(try JSONText.decode(type(of: snapshot), from: try JSONText.encode(snapshot)) == snapshot)
    }
}
