// A new controller takes over what the last one left, while packets flow.

import FastPath
import Foundation
import Journal
import LoadGenerator
import RTPWire
import TestSupport
import Testing

@testable import Routing

extension NodeFastPathTests {
    @Suite struct Restarts {
        @Test func routesLegsAndCountersAreTakenOverUnderLoad() async throws {
            let bench = try await ControllerBench(egressPorts: 2)
            try bench.plan(flows: 2)
            let groups = (1...4).map { IPAddress(239, 9, 9, UInt8($0)) }
            for number in 1...4 {
                try bench.expect(number, egress: number % 2, flow: number == 4 ? 1 : 0, to: groups[number - 1])
            }
            func leg(_ number: Int) -> String {
                ControllerBench.leg(number, egress: number % 2, to: "239.9.9.\(number)")
            }
            try await bench.add("cam", to: [leg(7), leg(1), leg(2), leg(3)])
            // Numbers are not handed out again.
            try await bench.controller.removeLeg(1, from: "cam")
            try await bench.add("audio", from: "239.1.1.10:5005@in0", to: [leg(4)])
            let before = try await bench.controller.routes()
            let labels = try bench.snapshot().flows.map { $0.legs.map(\.leg) }
            let joined = bench.store.names
            let restarts = try await bench.send(1_500_000) { _ in
                await bench.stop()
                try await bench.start()
            }
            #expect(restarts > 0)
            print("restart: \(restarts) controllers under load")
            #expect(try await bench.controller.routes() == before)
            #expect(try bench.snapshot().flows.map { $0.legs.map(\.leg) } == labels)
            #expect(bench.store.names == joined)
            // Every packet is accounted for: forwarded, or refused by the ring in front of the node on a busy machine.
            let ingress = try bench.port("in0")
            let refused = try bench.generatorRefusals()
            #expect(ingress.forwardedPackets + refused == 1_500_000, "refused in front \(refused): \(ingress)")
            #expect(ingress.forwardedPackets > 750_000)
            for (route, numbers) in [("cam", 1...3), ("audio", 4...4)] {
                let flow = try bench.flow(route)
                for number in numbers {
                    let result = try bench.generator.result(at: number)
                    #expect(
                        result.good == flow.packets && result.bad == 0 && result.outOfOrder == 0,
                        "to \(number): \(result)")
                }
                for leg in flow.legs { #expect(leg.packets == flow.packets) }
            }
            let added = try await bench.controller.addLeg(try LegSpecification(leg(7)), to: "cam", force: false)
            #expect(added.number == 5)
        }

        @Test("A route that a later version wrote goes on as it was, with the reason, until an operator removes it")
        func quarantine() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try bench.plan(flows: 2)
            let groups = [IPAddress(239, 9, 9, 1), IPAddress(239, 9, 9, 2)]
            for number in 1...2 {
                try bench.expect(number, egress: 0, flow: UInt32(number - 1), to: groups[number - 1])
            }
            func leg(_ number: Int) -> String { ControllerBench.leg(number, egress: 0, to: "239.9.9.\(number)") }
            try await bench.add("cam", to: [leg(1)])
            try await bench.add("merged", from: "239.1.1.10:5005@in0", to: [leg(2)])
            try await bench.add("left", from: "239.1.1.11:5004@in0", to: [])
            await bench.stop()
            let log = try JournalLog(path: "\(bench.directory.path)/routes/journal")
            for name in ["merged", "left"] {
                let key = JournalKey("route", name)
                let value = try #require(log.contents.values[key])
                let text = String(decoding: value.json, as: UTF8.self)
                    .replacing("\"payload\"", with: "\"merge\":\"2022-7\",\"payload\"")
                try log.append([JournalChange(key, JournalValue(version: 1, json: Array(text.utf8)))])
            }
            try await bench.start()
            let reports = try await bench.controller.routes()
            #expect(reports.map(\.specification.name) == ["cam", "left", "merged"])
            #expect(reports.map(\.standing) == [.live, .quarantined, .quarantined])
            let merged = reports[2]
            #expect(merged.owner == .unknown)
            #expect(merged.problem?.contains("merge") == true)
            #expect(merged.specification.source == (try SourceSpecification("239.1.1.10:5005@in0")))
            #expect(merged.legs.map(\.specification.description) == [leg(2)])
            // Its group is not left, its counters are not cleared, its packets go on.
            #expect(bench.store.names == ["join 239.1.1.10 on in0", "join 239.1.1.11 on in0"])
            try await bench.send(1000)
            try bench.expectComplete([1, 2], packets: 500)
            let refusal = await bench.refusal { try await bench.add("merged", from: "239.1.1.10:5006@in0", to: []) }
            #expect(refusal?.code == .conflict)
            // A restart keeps it, and its record says what the later version wrote.
            await bench.stop()
            #expect(
                try JournalLog(path: "\(bench.directory.path)/routes/journal").contents
                    .values[JournalKey("route", "merged")].map {
                        String(decoding: $0.json, as: UTF8.self).contains("2022-7")
                    }
                    == true)
            try await bench.start()
            try await bench.controller.remove(route: "merged")
            try await bench.controller.remove(route: "left")
            #expect(bench.store.names == ["join 239.1.1.10 on in0"])
            try await bench.send(1000)
            #expect(try bench.generator.result(at: 2).good == 500)
            try bench.expectComplete([1], packets: 1000)
            await bench.stop()
            try await bench.start()
            #expect(try await bench.controller.routes().map(\.specification.name) == ["cam"])
        }

        @Test(
            "A route whose record is damaged goes on; so does one in the file of an earlier version, and then in the journal"
        )
        func damageAndEarlierVersions() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try bench.plan(flows: 2)
            for number in 1...2 {
                try bench.expect(number, egress: 0, flow: UInt32(number - 1), to: IPAddress(239, 9, 9, UInt8(number)))
            }
            func leg(_ number: Int) -> String { ControllerBench.leg(number, egress: 0, to: "239.9.9.\(number)") }
            try await bench.add("cam", to: [leg(1)])
            try await bench.add("old", from: "239.1.1.10:5005@in0", to: [leg(2)])
            await bench.stop()
            let record = try #require(
                try JournalLog(path: "\(bench.directory.path)/routes/journal").contents
                    .values[JournalKey("leg", "old/1")])
            let counter = try JSONDecoder().decode(LegRecord.self, from: Data(record.json)).counter
            let path = "\(bench.directory.path)/routes"
            try Command.run(["sh", "-c", "sed -i 's/route cam 1/route cam 2/; /old/d' \(path)/journal"])
            let file = """
                {"route":{"name":"old","from":"239.1.1.10:5005@in0","to":[],"payload":"rtp","accounting":"full","force":false},\
                "owner":"operator","nextLegNumber":1,"legs":[]}
                {"leg":{"_0":{"number":1,"to":"\(leg(2))","counter":\(counter)}}}
                """
            #expect(FileManager.default.createFile(atPath: "\(path)/old.json", contents: Data(file.utf8)))
            try await bench.start()
            #expect(try await bench.controller.routes().map(\.standing) == [.quarantined, .live])
            #expect(bench.log.contains("damaged"), "\(bench.log.all)")
            #expect(!FileManager.default.fileExists(atPath: "\(path)/old.json"))
            await bench.stop()
            try await bench.start()
            #expect(try await bench.controller.routes().map(\.standing) == [.quarantined, .live])
            try await bench.send(1000)
            try bench.expectComplete([1, 2], packets: 500)
        }

        @Test(
            "With a full runtime directory a restart takes everything over, and changes are refused until there is room"
        )
        func fullDirectory() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try bench.plan()
            try bench.expect(1, egress: 0, to: IPAddress(239, 9, 9, 1))
            let leg = ControllerBench.leg(1, egress: 0, to: "239.9.9.1")
            try Command.run([
                "mount", "-t", "tmpfs", "-o", "size=64k", "crosspoint-test", "\(bench.directory.path)/routes",
            ])
            defer { _ = try? Command.run(["umount", "-l", "\(bench.directory.path)/routes"]) }
            await bench.stop()
            try await bench.start()
            try await bench.add("cam", to: [leg])
            try Command.run(["sh", "-c", "head -c 100000 /dev/zero > \(bench.directory.path)/routes/filler || true"])
            await bench.stop()
            try await bench.start()
            #expect(try await bench.controller.routes().map(\.standing) == [.live])
            var refusal: RoutingError?
            var count = 0
            // The last page of the journal's file has room for some records.
            while refusal == nil, count < 100 {
                count += 1
                refusal = await bench.refusal {
                    try await bench.add("cam\(count)", from: "239.1.2.1:\(5000 + count)@in0", to: [])
                }
            }
            #expect(refusal?.message.contains("free space there") == true, "\(refusal?.message ?? "")")
            try await bench.send(1000)
            try bench.expectComplete([1], packets: 1000)
            try Command.run(["rm", "\(bench.directory.path)/routes/filler"])
            try await bench.add("more", from: "239.1.1.12:5004@in0", to: [])
        }

        @Test("A restart while the interface of one leg is away keeps the others sending; a leg waits for it alone")
        func missingEgress() async throws {
            let bench = try await ControllerBench(egressPorts: 2)
            try bench.plan()
            for number in 1...2 {
                try bench.expect(number, egress: number - 1, to: IPAddress(239, 9, 9, UInt8(number)))
            }
            func leg(_ number: Int) -> String {
                ControllerBench.leg(number, egress: number - 1, to: "239.9.9.\(number)")
            }
            let file = [try ControllerBench.route("cam", to: [leg(1), leg(2)])]
            _ = try await bench.controller.reconcile(configuration: file, .start)
            await bench.stop()
            _ = try await bench.network.node.perform { try Command.run(["ip", "link", "delete", "out1"]) }
            try await bench.start()
            let report = try await bench.controller.reconcile(configuration: file, .start)
            #expect(report.failures.isEmpty && report.unchanged == ["cam"], "\(report)")
            let route = try await bench.controller.route("cam")
            #expect(route.standing == .live)
            #expect(route.legs.map(\.state) == [.active, .linkDown], "\(route.legs)")
            #expect(route.legs.map(\.number) == [1, 2])
            #expect(route.legs[1].reason?.contains("out1 does not exist") == true)
            try await bench.send(1000)
            try bench.expectComplete([1], packets: 1000)
        }

        @Test("At a boot a leg whose interface is not there yet waits alone; by the API it is refused")
        func missingEgressAtABoot() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try bench.plan()
            try bench.expect(1, egress: 0, to: IPAddress(239, 9, 9, 1))
            let legs = [ControllerBench.leg(1, egress: 0, to: "239.9.9.1"), "239.9.9.2:5004@later"]
            let route = try ControllerBench.route("cam", to: legs)
            let refusal = await bench.refusal { _ = try await bench.controller.add(route, owner: .operator) }
            #expect(refusal?.message.contains("interface later does not exist") == true)
            let report = try await bench.controller.reconcile(configuration: [route], .start)
            #expect(report.failures.isEmpty && report.added == ["cam"], "\(report)")
            #expect(try await bench.controller.route("cam").legs.map(\.state) == [.active, .linkDown])
            try await bench.send(1000)
            try bench.expectComplete([1], packets: 1000)
            _ = try await bench.network.node.perform {
                try Command.run(["ip", "link", "add", "later", "type", "veth", "peer", "name", "laterp"])
                try Command.run(["ip", "address", "add", "10.88.0.1/24", "dev", "later"])
                try Command.run(["ip", "link", "set", "laterp", "up"])
                try Command.run(["ip", "link", "set", "later", "up"])
            }
            try await eventually(seconds: 10) {
                let states = try await bench.controller.route("cam").legs.map(\.state)
                return states == [.active, .active] ? nil : "\(states)"
            }
        }

        @Test(
            "A route that could not be taken over is replaced or removed by the file, with what it had left",
            arguments: ["replaced", "removed", "discarded"])
        func refusedAndReplaced(_ kind: String) async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try bench.plan()
            try bench.expect(1, egress: 0, to: IPAddress(239, 9, 9, 1))
            func leg(_ number: Int) -> String { ControllerBench.leg(number, egress: 0, to: "239.9.9.\(number)") }
            let address = ["ip", "address", "add", "10.99.0.1/24", "dev", "in0"]
            _ = try await bench.network.node.perform { try Command.run(address) }
            let first = try ControllerBench.route("late", from: "10.99.0.1:5004@in0", to: [leg(2), leg(3)])
            _ = try await bench.controller.reconcile(configuration: [first], .start)
            // The controller may hear of the address a moment later.
            try await eventually(seconds: 10) {
                let standing = try await bench.controller.route("late").standing
                return standing == .live ? nil : "\(standing)"
            }
            await bench.stop()
            _ = try await bench.network.node.perform {
                try Command.run(["ip", "address", "del", "10.99.0.1/24", "dev", "in0"])
            }
            try await bench.start()
            #expect(try await bench.controller.route("late").standing == .refused)
            #expect(try bench.snapshot().flows.map(\.legs.count) == [2], "its flow is left as it was")
            let refusal = await bench.refusal {
                _ = try await bench.controller.addLeg(try LegSpecification(leg(4)), to: "late", force: false)
            }
            #expect(refusal?.code == .conflict && refusal?.message.contains("waits") == true)
            let second = try ControllerBench.route("late", to: [leg(1)])
            switch kind {
            case "replaced":
                let report = try await bench.controller.reconcile(configuration: [second], .start)
                #expect(report.changed == ["late"] && report.failures.isEmpty, "\(report)")
            case "removed":
                let mode = ReconcileMode.reload(discardsChanges: false, isDryRun: false)
                let report = try await bench.controller.reconcile(configuration: [], mode)
                #expect(report.removed == ["late"] && report.failures.isEmpty, "\(report)")
            default: try await bench.controller.remove(route: "late")
            }
            let isThere = kind == "replaced"
            for _ in 1...2 {
                #expect(try await bench.controller.routes().map(\.specification) == (isThere ? [second] : []))
                #expect(try bench.snapshot().flows.map { $0.legs.map(\.leg) } == (isThere ? [[1]] : []))
                #expect(bench.store.names == (isThere ? ["join 239.1.1.10 on in0"] : []))
                await bench.stop()
                try await bench.start()
            }
            try await bench.send(1000)
            #expect(try bench.generator.result(at: 1).good == (isThere ? 1000 : 0))
        }
    }
}
