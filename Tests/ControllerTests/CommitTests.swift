// Batches of changes: whole or not at all, and nothing that stays is disturbed.

import FastPath
import LoadGenerator
import RTPWire
import TestSupport
import Testing

@testable import Routing

extension NodeFastPathTests {
    @Suite struct Commits {
        private static func group(_ number: Int) -> IPAddress { IPAddress(239, 9, 9, UInt8(number)) }

        private static func leg(_ number: Int, egress: Int = 0) -> String {
            ControllerBench.leg(number, egress: egress, to: "239.9.9.\(number)")
        }

        private static func reload(discards: Bool = false, dry: Bool = false) -> ReconcileMode {
            .reload(discardsChanges: discards, isDryRun: dry)
        }

        @Test("A batch with one route that cannot be forwards not one packet")
        func wholeBatches() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try bench.plan()
            try bench.expect(1, egress: 0, to: Self.group(1))
            var changes: [RouteChange] = [.add(try ControllerBench.route("cam0", to: [Self.leg(1)]), owner: .operator)]
            for number in 1...100 {
                let from = "239.1.2.10:\(6000 + number)@in0"
                changes.append(.add(try ControllerBench.route("cam\(number)", from: from, to: []), owner: .operator))
            }
            let bad = try ControllerBench.route("bad", from: "239.1.1.12:5004@nothere", to: [])
            let batch = changes + [.add(bad, owner: .operator)]
            let refusals = try await bench.send(400_000) { _ in
                let refusal = await bench.refusal { _ = try await bench.controller.apply(batch) }
                #expect(refusal?.code == .unavailable && refusal?.details.count == 1, "\(String(describing: refusal))")
                #expect(refusal?.message.contains("nothere") == true)
            }
            #expect(refusals > 0)
            #expect(try bench.generator.result(at: 1).good == 0)
            #expect(try await bench.controller.routes().isEmpty)
            #expect(bench.store.names.isEmpty)
            #expect(try bench.snapshot().flows.isEmpty)
            #expect(try await bench.controller.apply(changes).count == 101)
            try await bench.send(1000)
            try bench.expectComplete([1], packets: 1000)
        }

        @Test("Every problem of a batch is listed, and its first is the message")
        func allProblems() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            let changes: [RouteChange] = [
                .add(try ControllerBench.route("one", from: "239.1.1.12:5004@nothere", to: []), owner: .operator),
                .add(try ControllerBench.route("two", to: []), owner: .operator),
                .add(try ControllerBench.route("three", to: []), owner: .operator), .remove("four"),
            ]
            let refusal = await bench.refusal { _ = try await bench.controller.apply(changes) }
            #expect(refusal?.details.count == 4, "\(refusal?.details ?? [])")
        }

        @Test(
            "Parameters, legs and names change in place: nothing is lost, counters go on",
            arguments: ["parameters", "name"])
        func inPlace(_ kind: String) async throws {
            let bench = try await ControllerBench(egressPorts: 2)
            try bench.plan()
            try bench.expect(1, egress: 0, to: Self.group(1))
            let first = try ControllerBench.route("cam", to: [Self.leg(1)])
            #expect(try await bench.controller.reconcile(configuration: [first], Self.reload()).failures.isEmpty)
            let calls = try await bench.send(600_000) { number in
                var route = first
                if kind == "name" {
                    route.name = number % 2 == 0 ? "cam-b" : "cam"
                } else {
                    route.wireRate = UInt64(1_000_000 + number)
                    route.clockRate = number % 2 == 0 ? 48000 : nil
                    route.accounting = [.full, .sampled, .counters][number % 3]
                    route.legs += number % 2 == 0 ? [try LegSpecification(Self.leg(2, egress: 1))] : []
                }
                let report = try await bench.controller.reconcile(configuration: [route], Self.reload())
                #expect(report.failures.isEmpty && report.kept.isEmpty, "\(report)")
            }
            #expect(calls > 1)
            let refused = try bench.generatorRefusals()
            let flows = try bench.snapshot().flows
            let flow = try #require(flows.first)
            #expect(
                flows.count == 1 && flow.packets + refused == 600_000, "\(flow.packets) and \(refused) refused in front"
            )
            if kind == "parameters" {
                let result = try bench.generator.result(at: 1)
                #expect(result.good == flow.packets && result.bad == 0 && result.outOfOrder == 0, "\(result)")
            }
            // The last name's leg is another one, whose counter is its own.
            let dropped = try bench.port("in0").dropped["drop_no_leg"] ?? 0
            #expect(dropped == 0)
        }

        @Test("A reload with a renamed route and a wrong interface changes nothing")
        func refusedReload() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try bench.plan()
            try bench.expect(1, egress: 0, to: Self.group(1))
            let first = try ControllerBench.route("cam", to: [Self.leg(1)])
            _ = try await bench.controller.reconcile(configuration: [first], Self.reload())
            let wrong = try ControllerBench.route("camera", from: "239.1.1.10:5004@in00", to: [Self.leg(1)])
            let report = try await bench.controller.reconcile(configuration: [wrong], Self.reload())
            #expect(report.failures.count == 1 && report.removed.isEmpty && report.added.isEmpty, "\(report)")
            #expect(try await bench.controller.routes().map(\.specification) == [first])
            try await bench.send(1000)
            try bench.expectComplete([1], packets: 1000)
        }

        @Test("What was changed at run time outlives restarts and reloads, until they are told to discard it")
        func liveChanges() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            let file = try ["a", "b", "c"].enumerated().map { index, name in
                try ControllerBench.route(name, from: "239.1.1.1\(index):5004@in0", to: [Self.leg(index + 1)])
            }
            #expect(try await bench.controller.reconcile(configuration: file, .start).added == ["a", "b", "c"])
            _ = try await bench.controller.addLeg(try LegSpecification(Self.leg(7)), to: "a", force: false)
            _ = try await bench.controller.take(route: "b", source: try SourceSpecification("239.1.1.20:5004@in0"))
            try await bench.controller.remove(route: "c")
            let live = try await bench.controller.routes()
            #expect(live.map(\.differsFromFile) == [true, true])
            for _ in 1...2 {
                await bench.stop()
                try await bench.start()
                let report = try await bench.controller.reconcile(configuration: file, .start)
                #expect(report.kept.count == 3, "\(report)")
                #expect(try await bench.controller.routes() == live)
            }
            let kept = try await bench.controller.reconcile(configuration: file, Self.reload())
            #expect(kept.kept.count == 3 && kept.changed.isEmpty && kept.added.isEmpty, "\(kept)")
            #expect(kept.kept[0].contains("also to \(Self.leg(7))"), "\(kept.kept)")
            let dry = try await bench.controller.reconcile(configuration: file, Self.reload(discards: true, dry: true))
            #expect(dry.changed == ["a", "b"] && dry.added == ["c"])
            #expect(try await bench.controller.routes() == live)
            // An edit of the file that is what runs already is no change, and no difference any more.
            var saved = file
            saved[0].legs.append(try LegSpecification(Self.leg(7)))
            #expect(try await bench.controller.reconcile(configuration: saved, Self.reload()).unchanged == ["a"])
            #expect(try await bench.controller.route("a").differsFromFile == false)
            let done = try await bench.controller.reconcile(configuration: file, Self.reload(discards: true))
            #expect(done.changed == ["a", "b"] && done.added == ["c"] && done.kept.isEmpty, "\(done)")
            #expect(try await bench.controller.routes().map(\.specification) == file)
        }

        @Test("A route that one batch removes and adds again is not withdrawn from the file")
        func removedAndAddedAgain() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            let file = [try ControllerBench.route("a", to: [Self.leg(1)])]
            _ = try await bench.controller.reconcile(configuration: file, .start)
            _ = try await bench.controller.apply([
                .remove("a"), .add(try ControllerBench.route("a", to: [Self.leg(2)]), owner: .operator),
            ])
            try await bench.controller.remove(route: "a")
            let report = try await bench.controller.reconcile(configuration: file, .start)
            #expect(report.added == ["a"] && report.kept.isEmpty, "\(report)")
        }

        @Test("An edit of the file is applied at a start to routes that were not changed at run time")
        func editsAtAStart() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            var file = [try ControllerBench.route("a", to: [Self.leg(1)])]
            _ = try await bench.controller.reconcile(configuration: file, .start)
            await bench.stop()
            try await bench.start()
            file[0].legs = [try LegSpecification(Self.leg(2))]
            #expect(try await bench.controller.reconcile(configuration: file, .start).changed == ["a"])
            await bench.stop()
            try await bench.start()
            #expect(try await bench.controller.reconcile(configuration: [], .start).removed == ["a"])
        }

        @Test("Routes of the file that cannot be carried are shown with the reason, and carried when they can be")
        func refusedRoutes() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try bench.plan()
            try bench.expect(1, egress: 0, to: Self.group(1))
            let file = try [
                ControllerBench.route("cam", to: [Self.leg(1)]),
                ControllerBench.route("late", from: "10.99.0.1:5004@in0", to: []),
            ]
            let report = try await bench.controller.reconcile(configuration: file, .start)
            #expect(report.added == ["cam"] && report.failures.count == 1)
            let late = try await bench.controller.route("late")
            #expect(late.standing == .refused && late.problem?.contains("10.99.0.1") == true)
            #expect(try await bench.controller.routes().count == 2)
            // A reload for something else is not kept from it by what waited before.
            _ = try await bench.network.node.perform {
                try Command.run(["ip", "address", "add", "10.99.0.1/24", "dev", "in0"])
            }
            try await eventually(seconds: 10) {
                let late = try await bench.controller.route("late")
                return late.standing == .live && late.membership == "reserved"
                    ? nil : "late: \(late.standing), \(late.membership)"
            }
            // The address goes and comes again with its interface up: the reservation is there again.
            try await bench.send(1000)
            try bench.expectComplete([1], packets: 1000)
        }

        @Test("Two routes do not feed one receiver, unless they are forced to")
        func doubleFeeding() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try await bench.add("a", to: [Self.leg(1)])
            let refusal = await bench.refusal {
                try await bench.add("b", from: "239.1.1.11:5004@in0", to: [Self.leg(1)])
            }
            #expect(
                refusal?.code == .conflict && refusal?.message.contains("leg 1 of route a") == true,
                "\(String(describing: refusal))")
            try await bench.add("b", from: "239.1.1.11:5004@in0", to: [])
            let leg = try LegSpecification(Self.leg(1))
            let again = await bench.refusal { _ = try await bench.controller.addLeg(leg, to: "b", force: false) }
            #expect(again?.code == .conflict)
            let forced = try await bench.controller.addLeg(leg, to: "b", force: true)
            #expect(forced.specification.isForced)
            // What was forced is saved as such, and admitted again.
            let routes = try await bench.controller.routes().map(\.specification)
            #expect(routes.problems().isEmpty)
            #expect(routes[1].legs.map(\.description) == [Self.leg(1) + ",force=on"])
        }

        @Test(
            "A process that ends at any step of a commit leaves the old plan or the new one",
            arguments: CommitStep.allCases)
        func everyStep(_ step: CommitStep) async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try bench.plan(flows: 2)
            for number in 1...4 {
                try bench.expect(number, egress: 0, flow: number % 2 == 0 ? 1 : 0, to: Self.group(number))
            }
            func route(_ name: String, _ udpPort: Int, _ leg: Int) throws -> RouteSpecification {
                try ControllerBench.route(name, from: "239.1.1.10:\(udpPort)@in0", to: [Self.leg(leg)])
            }
            try await bench.add("a", from: "239.1.1.10:5004@in0", to: [Self.leg(1)])
            try await bench.add("b", from: "239.1.1.10:5005@in0", to: [Self.leg(2)])
            let before = try await bench.controller.routes().map(\.specification)
            let after = [try route("a", 5004, 3), try route("c", 5005, 4)]
            try await bench.controller.end(at: step)
            let changes: [RouteChange] = [.replace(after[0]), .remove("b"), .add(after[1], owner: .operator)]
            let ended = await bench.refusal { _ = try await bench.controller.apply(changes) }
            #expect(ended?.message.contains("ended") == true)
            await bench.stop()
            try await bench.start()
            let reports = try await bench.controller.routes()
            #expect(reports.allSatisfy { $0.standing == .live }, "\(reports)")
            #expect(reports.map(\.specification) == (step == .staged ? before : after))
            try await bench.send(1000)
            let (running, gone) = step == .staged ? ([1, 2], [3, 4]) : ([3, 4], [1, 2])
            try bench.expectComplete(running, packets: 500)
            for number in gone { #expect(try bench.generator.result(at: number).good == 0) }
            #expect(try bench.snapshot().flows.count == 2)
        }

        @Test("Hundreds of routes that concern no leg are one look, and no question")
        func routeBursts() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            let legs = (1...200).map { "10.1.0.\($0 % 200 + 20):\(20_000 + $0)@out0,mac=02:00:00:00:00:01" }
            let unicast = (1...16).map { "10.1.0.2:\(30_000 + $0)@out0" }
            try await bench.add("cam", to: legs + unicast)
            try await Task.sleep(for: .milliseconds(200))
            let before = bench.questions.nextHops
            _ = try await bench.network.node.perform {
                try Command.run([
                    "sh", "-c",
                    "for i in $(seq 1 250); do echo route add 172.20.$i.0/24 via 10.1.0.2; done | ip -batch -",
                ])
            }
            try await Task.sleep(for: .milliseconds(300))
            #expect(bench.questions.nextHops == before)
            // One that concerns them is asked for once, for all legs to the same place.
            _ = try await bench.network.node.perform {
                try Command.run(["ip", "route", "add", "10.1.0.2/32", "dev", "out0", "mtu", "1400"])
            }
            try await eventually(seconds: 5) { bench.questions.nextHops > before ? nil : "no question" }
            try await Task.sleep(for: .milliseconds(100))
            #expect(bench.questions.nextHops - before <= 2)
        }
    }
}

extension FlowController {
    func end(at step: CommitStep) { endsAt = { $0 == step } }
}
