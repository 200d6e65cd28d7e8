// Plans: pure, so that thousands of random ones can be compared with what they should be.

import RTPWire
import Testing

@testable import Routing

@Suite struct PlanTests {
    /// Routes as a controller would keep them, without anything that carries them.
    private struct Node {
        var table = RouteTable()
        var withdrawn: [String: RouteSpecification] = [:]

        mutating func carryOut(_ changes: [RouteChange]) throws {
            let outcome = RoutePlanner(table: table, view: nil).plan(changes)
            if let problem = outcome.problems.first { throw problem.error }
            for route in outcome.routes {
                guard let intent = route.intent else {
                    table[route.name] = nil
                    continue
                }
                var state =
                    table[route.name] ?? RouteState(intent: intent, parameters: intent.specification.flowParameters)
                state.intent = intent
                var legs: [LegState] = []
                for leg in route.legs {
                    var number = leg.number
                    if number == nil {
                        number = state.nextLegNumber
                        state.nextLegNumber += 1
                    }
                    legs.append(
                        LegState(
                            number: number ?? 0, specification: leg.specification, counter: number ?? 0,
                            resolution: .waiting(.unresolved, reason: "", nextHop: nil), neighbour: nil,
                            flowFamily: .ipv4))
                }
                state.legs = legs
                table[route.name] = state
            }
        }

        var specifications: [String: RouteSpecification] {
            Dictionary(table.values.map { ($0.specification.name, $0.specification) }) { first, _ in first }
        }
        var intents: [String: RouteIntent] {
            Dictionary(table.values.map { ($0.specification.name, $0.intent) }) { first, _ in first }
        }
    }

    private static func route(_ name: String, _ from: String, _ legs: [String]) throws -> RouteSpecification {
        RouteSpecification(
            name: name, source: try SourceSpecification(from), legs: try legs.map { try LegSpecification($0) })
    }

    private static func random(_ generator: inout some RandomNumberGenerator) throws -> [RouteSpecification] {
        var groups = Array(1...12)
        var receivers = Array(1...30)
        groups.shuffle(using: &generator)
        receivers.shuffle(using: &generator)
        return try ["a", "b", "c", "d", "e", "f"].filter { _ in Bool.random(using: &generator) }.map { name in
            let legs = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                "239.9.9.\(receivers.removeLast()):5004@eth1" + (Bool.random(using: &generator) ? ",ttl=8" : "")
            }
            var route = try Self.route(name, "239.1.1.\(groups.removeLast()):5004@eth0", legs)
            route.clockRate = Bool.random(using: &generator) ? 48000 : nil
            return route
        }
    }

    @Test("Whatever runs, a file becomes what runs: step by step as from scratch, and a second time nothing changes")
    func randomFiles() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 1...300 {
            var node = Node()
            for _ in 1...6 {
                let file = try Self.random(&generator)
                let plan = ConfigurationPlan(
                    wanted: file, running: node.intents, withdrawn: node.withdrawn, discardsChanges: true)
                #expect(plan.report.failures.isEmpty && plan.report.kept.isEmpty)
                let before = node
                try node.carryOut(plan.changes)
                let wanted = Dictionary(file.map { ($0.name, $0) }) { first, _ in first }
                #expect(node.specifications == wanted)
                let again = ConfigurationPlan(
                    wanted: file, running: node.intents, withdrawn: node.withdrawn, discardsChanges: false)
                #expect(again.changes.isEmpty && again.report.kept.isEmpty)
                // Legs that are the same go on under their numbers; and every place is known by what uses it.
                for (name, route) in wanted {
                    guard let old = before.table[name], let new = node.table[name] else { continue }
                    for leg in old.legs where route.legs.contains(leg.specification) {
                        #expect(new.legs.contains { $0.number == leg.number && $0.specification == leg.specification })
                    }
                }
                for state in node.table.values {
                    let place = RouteTable.Place(state.specification.source)
                    #expect(node.table.sources(at: place) { _ in true }.map(\.name) == [state.specification.name])
                }
            }
        }
    }

    @Test("Two routes change their sources in one batch, and one takes the name of another")
    func exchanges() throws {
        var node = Node()
        let a = try Self.route("a", "239.1.1.1:5004@eth0", ["239.9.9.1:5004@eth1"])
        let b = try Self.route("b", "239.1.1.2:5004@eth0", ["239.9.9.2:5004@eth1"])
        try node.carryOut([.add(a, owner: .operator), .add(b, owner: .operator)])
        var (newA, newB) = (a, b)
        (newA.source, newB.source) = (b.source, a.source)
        try node.carryOut([.replace(newA), .replace(newB)])
        #expect(node.specifications == ["a": newA, "b": newB])
        var renamed = newA
        renamed.name = "c"
        try node.carryOut([.remove("a"), .add(renamed, owner: .operator)])
        #expect(node.specifications == ["c": renamed, "b": newB])
        #expect(throws: RoutingError.self) { try node.carryOut([.replace(newA)]) }
        #expect(throws: RoutingError.self) { try node.carryOut([.add(a, owner: .operator)]) }
    }

    @Test("A file is checked as a whole: clashes, loops and receivers that two routes feed, each with its route")
    func files() throws {
        let routes = try [
            Self.route("a", "239.1.1.1:5004@eth0", ["239.9.9.1:5004@eth1"]),
            Self.route("b", "239.1.1.1:5004@eth0", []),
            Self.route("c", "239.1.1.3:5004@eth0", ["239.9.9.1:5004@eth1"]),
            Self.route("d", "239.9.9.1:5004@eth1", []),
            Self.route("e", "239.1.1.5:5004@eth0", ["239.9.9.5:5004@eth1"]),
        ]
        let problems = routes.problems()
        for name in ["a", "b", "c", "d"] {
            #expect(problems.contains { $0.hasPrefix("route \(name): ") }, "\(problems)")
        }
        #expect(!problems.contains { $0.hasPrefix("route e") })
        #expect([routes[0], routes[4]].problems().isEmpty)
    }

    @Test("A route of the file that was changed, removed or added at run time stays as it is, and says what differs")
    func threeVersions() throws {
        let file = try ["a", "b", "c", "d"].enumerated().map { index, name in
            try Self.route(name, "239.1.1.\(index + 1):5004@eth0", ["239.9.9.\(index + 1):5004@eth1"])
        }
        func intent(_ route: RouteSpecification, _ owner: RouteOwner, file: RouteSpecification?) -> RouteIntent {
            RouteIntent(specification: route, owner: owner, configured: file)
        }
        var live = file[0]
        live.legs.append(try LegSpecification("239.9.9.99:5004@eth1"))
        var edited = file
        edited[1].clockRate = 90_000
        let running = [
            "a": intent(live, .configuration, file: file[0]), "b": intent(file[1], .configuration, file: file[1]),
            "d": intent(live, .operator, file: nil), "x": intent(file[1], .configuration, file: file[1]),
            "y": intent(live, .configuration, file: file[0]), "z": intent(live, .operator, file: nil),
        ]
        let plan = ConfigurationPlan(
            wanted: edited, running: running, withdrawn: ["c": file[2]], discardsChanges: false)
        #expect(plan.report.changed == ["b"] && plan.report.removed == ["x"] && plan.report.added.isEmpty)
        #expect(plan.report.kept.count == 4, "\(plan.report.kept)")
        #expect(plan.report.kept.contains { $0.contains("route a") && $0.contains("also to 239.9.9.99:5004@eth1") })
        let discarding = ConfigurationPlan(
            wanted: edited, running: running, withdrawn: ["c": file[2]], discardsChanges: true)
        #expect(discarding.report.changed == ["a", "b", "d"] && discarding.report.removed == ["x", "y"])
        #expect(discarding.report.added == ["c"] && discarding.report.kept.isEmpty)
    }
}
