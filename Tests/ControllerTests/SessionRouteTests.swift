// What sessions ask of the controller: shut legs, progress, reservations, events, and routes that nobody else touches.

import FastPath
import Glibc
import LoadGenerator
import RTPWire
import TestSupport
import Testing

@testable import Routing

extension NodeFastPathTests {
    @Suite("Routes of sessions")
    struct SessionRoutes {
        private let name = "rtsp.cam1.0.rtp"

        private func group(_ number: Int) -> IPAddress { IPAddress(239, 9, 9, UInt8(number)) }

        private func leg(_ number: Int) throws -> LegSpecification {
            try LegSpecification(ControllerBench.leg(number, egress: 0, to: "239.9.9.\(number)"))
        }

        /// A session's route without legs, from the generator's group.
        private func bench(
            _ from: String = "239.1.1.10:5004@in0", delivery: RouteSpecification.Delivery = .legs, egressPorts: Int = 1
        ) async throws -> ControllerBench {
            let bench = try await ControllerBench(egressPorts: egressPorts)
            try bench.plan()
            var route = try ControllerBench.route(name, from: from, to: [])
            route.delivery = delivery
            let report = try await bench.controller.add(route, owner: .session)
            #expect(report.owner == .session && report.legs.isEmpty)
            return bench
        }

        @Test("a reload sees a session's route and cannot change it")
        func ownership() async throws {
            let bench = try await bench()
            let controller = try bench.controller
            #expect(await controller.routes().map(\.owner) == [.session])
            let before = await controller.routes()
            #expect(await controller.reconcile(configuration: [], .start) == ReconcileReport())
            let clash = try ControllerBench.route(name, from: "239.1.1.10:5006@in0", to: [])
            let failures = await controller.reconcile(configuration: [clash], .start).failures
            #expect(failures.count == 1 && failures[0].contains("crosspoint session close"))
            #expect(await controller.routes() == before)
        }

        @Test("a session's routes and their legs, shut ones too, are taken over after a restart and kept until removed")
        func restart() async throws {
            let bench = try await bench()
            for number in 1...3 { try bench.expect(number, egress: 0, to: group(number)) }
            _ = try await bench.controller.addLeg(try leg(1), to: name, force: false)
            for number in 2...3 {
                #expect(try await bench.controller.addShutLeg(try leg(number), to: name).state == .shut)
            }
            try await bench.controller.openLeg(2, of: name, from: nil)
            let other = try ControllerBench.route("sip.1", from: "239.1.1.10:5005@in0", to: [])
            _ = try await bench.controller.add(other, owner: .session)
            let before = try await bench.controller.routes()
            await bench.stop()
            try await bench.start()
            let controller = try bench.controller
            #expect(await controller.routes() == before)
            #expect(try await controller.route(name).legs.map(\.state) == [.active, .active, .shut])
            try await bench.send(1000)
            try bench.expectComplete([1, 2], packets: 1000)
            #expect(try bench.generator.result(at: 3).good == 0)
            // Whoever takes the session over can still open it.
            try await controller.openLeg(3, of: name, from: nil)
            try await bench.send(1000)
            #expect(try bench.generator.result(at: 3).good == 1000)
            #expect(await controller.removeSessionRoutes(of: "rtsp.", except: [name]) == [])
            #expect(await controller.removeSessionRoutes(of: "sip.", except: [name]) == ["sip.1"])
            #expect(await controller.routes().map(\.specification.name) == [name])
        }

        @Test("UDP ports are reserved ahead of routes, all or none, counted, and kept while a route has them")
        func reservations() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            let controller = try bench.controller
            func places(_ udpPorts: UInt16...) -> [UDPPlace] {
                udpPorts.map {
                    UDPPlace(address: IPAddress(10, 0, 0, 1), udpPort: $0, port: PortReference(interface: "in0"))
                }
            }
            let other = try await bench.network.node.perform {
                try PlainSocket(address: IPAddress(10, 0, 0, 1), udpPort: 6003)
            }
            let refusal = await bench.refusal { try await controller.reserve(places(6002, 6003)) }
            #expect(refusal?.code == .conflict)
            #expect(bench.store.names.isEmpty)
            withExtendedLifetime(other) {}
            try await controller.reserve(places(6004, 6005))
            try await controller.reserve(places(6004))
            #expect(bench.store.names == ["reserve 10.0.0.1:6004", "reserve 10.0.0.1:6005"])
            let routes = try [
                ControllerBench.route("sip.a", from: "10.0.0.1:6004@in0,source=10.0.0.2", to: []),
                ControllerBench.route("sip.b", from: "10.0.0.1:6005@in0,source=10.0.0.2", to: []),
            ]
            #expect(try await controller.add(sessionRoutes: routes).map(\.membership) == ["reserved", "reserved"])
            let again = try ControllerBench.route("sip.c", from: "10.0.0.1:6006@in0,source=10.0.0.2", to: [])
            // One of them is there already: none is added.
            #expect(
                await bench.refusal { _ = try await controller.add(sessionRoutes: [again, routes[0]]) }?.code
                    == .conflict)
            #expect(await controller.routes().count == 2)
            await controller.release(places(6004, 6005))
            #expect(bench.store.names.count == 2)
            let last = await controller.remove(sessionRoutes: ["sip.a", "sip.b", "sip.c"])
            #expect(Set(last.keys) == ["sip.a", "sip.b"])
            #expect(bench.store.names == ["reserve 10.0.0.1:6004"])
            await controller.release(places(6004))
            #expect(bench.store.names.isEmpty)
            #expect(
                await bench.refusal {
                    try await controller.reserve([
                        UDPPlace(
                            address: IPAddress(10, 9, 9, 9), udpPort: 5000, port: PortReference(interface: "in0"))
                    ])
                }?.code == .invalid)
        }

        @Test("routes that come and go faster than their destinations drain do not fill the table")
        func churn() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            let controller = try bench.controller
            // The table has room for 256 flows.
            for round in 0..<12 {
                let routes = try (0..<64).map { number in
                    try ControllerBench.route(
                        "sip.\(round).\(number)", from: "10.0.0.1:\(7000 + round * 64 + number)@in0,source=10.0.0.2",
                        to: [])
                }
                _ = try await controller.add(sessionRoutes: routes)
                _ = await controller.remove(sessionRoutes: routes.map(\.name))
                await controller.tick()
            }
            #expect(await controller.draining.count <= 64)
            // A destination that made room can be had again.
            let route = try ControllerBench.route("sip.again", from: "10.0.0.1:7000@in0,source=10.0.0.2", to: [])
            _ = try await controller.add(sessionRoutes: [route])
        }

        @Test("a shut leg sends nothing while others come and go; opened, it sends from the sequence number on")
        func shut() async throws {
            let bench = try await bench(egressPorts: 1)
            let controller = try bench.controller
            for number in 1...3 { try bench.expect(number, egress: 0, to: group(number)) }
            let player = try await controller.addShutLeg(try leg(1), to: name)
            #expect(player.state == .shut)
            try await bench.send(1000)
            let other = try await controller.addLeg(try leg(2), to: name, force: false)
            try await bench.send(1000)
            #expect(try bench.generator.result(at: 1).good == 0)
            try bench.expectComplete([2], packets: 1000)
            let progress = try #require(await controller.progress(of: name))
            #expect(progress.packets == 2000 && progress.hasRTP && progress.received == 2000)
            let next = UInt32(truncatingIfNeeded: progress.extendedHighestSequence + 101)
            try await controller.openLeg(player.number, of: name, from: next)
            try await controller.openLeg(player.number, of: name, from: next + 5000)
            // The set is made anew with the gate as it is.
            _ = try await controller.addLeg(try leg(3), to: name, force: false)
            #expect(try await bench.leg(player.number, of: name).state == .active)
            try await bench.send(1000)
            try bench.expectComplete([1], packets: 900)
            try bench.expectComplete([2], packets: 2000)
            try bench.expectComplete([3], packets: 1000)
            #expect(try bench.port("out0").undelivered["copy_gated"] == 2100)
            try await controller.removeLeg(other.number, from: name)
            await controller.clearGates(now: .max)
            try await bench.send(1000)
            try bench.expectComplete([1], packets: 1900)
        }

        private struct Start: LegStart {
            var extendedSequence: UInt32
        }

        @Test("a leg opens at a packet chosen by how far the flow has come, or chosen anew until that comes")
        func choice() async throws {
            let bench = try await bench(egressPorts: 1)
            let controller = try bench.controller
            try bench.expect(1, egress: 0, to: group(1))
            let player = try await controller.addShutLeg(try leg(1), to: name).number
            #expect(try await controller.openLeg(player, of: name) { _ in Start?.none } == nil)
            #expect(try await bench.leg(player, of: name).state == .shut, "nothing was chosen")
            try await bench.send(1000)
            let highest = UInt32(
                truncatingIfNeeded: try #require(await controller.progress(of: name)).extendedHighestSequence)
            for distance in [UInt32(50), 101] {
                let start = try await controller.openLeg(player, of: name) { progress in
                    progress.map {
                        Start(extendedSequence: UInt32(truncatingIfNeeded: $0.extendedHighestSequence) &+ distance)
                    }
                }
                #expect(start?.extendedSequence == highest &+ distance)
            }
            #expect(try bench.generator.result(at: 1).good == 0)
            try await bench.send(1000)
            try bench.expectComplete([1], packets: 900)
            let late = try await controller.openLeg(player, of: name) { _ in Start(extendedSequence: 0) }
            #expect(late == nil, "the leg has begun")
            try await bench.send(1000)
            try bench.expectComplete([1], packets: 1900)
        }

        @Test("packets longer than an interface's MTU do not fit, which the controller and the leg's report say")
        func misfit() async throws {
            let bench = try await bench()
            let controller = try bench.controller
            let added = try await controller.addLeg(try leg(1), to: name, force: false)
            try bench.expect(1, egress: 0, to: group(1))
            // The first look at a flow that has packets is what the next one is compared with.
            for _ in 0..<2 {
                try await bench.send(1000)
                await controller.tick()
            }
            // Frames of 1,442 bytes are packets of 1,428.
            #expect(await controller.misfit(of: try leg(2), on: name) == nil)
            #expect(try await bench.leg(added.number, of: name).reason == nil)
            try bench.network.node.run(["ip", "link", "set", "out0", "mtu", "1000"])
            let text = "packets of 1428 bytes are longer than the MTU of out0, 1000"
            try await bench.wait(forLeg: added.number, of: name) { $0.reason?.contains(text) == true }
            #expect(await controller.misfit(of: try leg(2), on: name)?.contains(text) == true)
            #expect(await controller.misfit(of: try leg(2), on: "rtsp.none") == nil)
            try bench.network.node.run(["ip", "link", "set", "out0", "mtu", "1500"])
            try await bench.wait(forLeg: added.number, of: name) { $0.reason == nil }
        }

        @Test("a gate whose sequence number never comes opens by itself")
        func gateDeadline() async throws {
            let bench = try await bench()
            let controller = try bench.controller
            try bench.expect(1, egress: 0, to: group(1))
            let player = try await controller.addShutLeg(try leg(1), to: name)
            try await bench.send(100)
            let progress = try #require(await controller.progress(of: name))
            let never = UInt32(truncatingIfNeeded: progress.extendedHighestSequence) &+ 30_000
            try await controller.openLeg(player.number, of: name, from: never)
            try await bench.send(100)
            #expect(try bench.generator.result(at: 1).good == 0)
            try await Task.sleep(for: .milliseconds(1100))
            try await bench.send(100)
            #expect(try bench.generator.result(at: 1).good == 100)
        }

        @Test("a route that lost its last leg goes on receiving and accounting, and forwards again to the next one")
        func lastLeg() async throws {
            let bench = try await bench()
            let controller = try bench.controller
            try bench.expect(1, egress: 0, to: group(1))
            let first = try await controller.addLeg(try leg(1), to: name, force: false)
            try await bench.send(1000)
            try await controller.removeLeg(first.number, from: name)
            try await bench.send(1000)
            #expect(await controller.progress(of: name)?.packets == 2000)
            #expect(try bench.port("in0").dropped["drop_no_leg"] == 1000)
            let second = try await controller.addLeg(try leg(1), to: name, force: false)
            #expect(second.number == 2)
            try await bench.send(1000)
            #expect(try bench.generator.result(at: 1).good == 2000)
            #expect(try bench.flow(name).rtp?.lostPackets == 0)
        }

        @Test("another source filter under load: legs miss nothing, and the flow's statistics go on")
        func filter() async throws {
            let bench = try await bench()
            let controller = try bench.controller
            for number in 1...2 { try bench.expect(number, egress: 0, to: group(number)) }
            _ = try await controller.addLeg(try leg(1), to: name, force: false)
            let shut = try await controller.addShutLeg(try leg(2), to: name)
            let filters = ["", ",source=10.0.0.2", ",source=10.0.0.2,source-port=5004", ",source-port=5004"]
            let takes = try await bench.send(600_000) { call in
                let source = try SourceSpecification("239.1.1.10:5004@in0" + filters[call % 4])
                _ = try await controller.take(route: name, source: source)
            }
            #expect(takes > 4)
            let flow = try bench.flow(name)
            #expect(flow.wrongSourcePackets == 0 && flow.packets > 300_000)
            #expect(try bench.generator.result(at: 1).good == flow.packets)
            #expect(try await bench.leg(shut.number, of: name).state == .shut)
            #expect(try bench.generator.result(at: 2).good == 0)
        }

        @Test("what is delivered to the host arrives on the reserved socket, also while and after the daemon restarts")
        func delivery() async throws {
            let bench = try await bench("10.0.0.1:6001@in0", delivery: .host)
            let sender = try await bench.network.far.perform {
                try PlainSocket(address: IPAddress(10, 0, 0, 2), udpPort: 6002)
            }
            func send(_ count: Int) throws {
                for number in 0..<count {
                    let packet = RTPPacket(sequence: UInt16(number), payload: [UInt8](repeating: 7, count: 1000))
                    try sender.send(packet.bytes, to: IPAddress(10, 0, 0, 1), udpPort: 6001)
                }
            }
            let socket = try await bench.controller.reservation(of: name)
            defer { close(socket) }
            try send(500)
            #expect(PlainSocket.receiveAll(socket).count == 500)
            await bench.stop()
            try send(500)
            try await bench.start()
            let again = try await bench.controller.reservation(of: name)
            defer { close(again) }
            try send(500)
            #expect(PlainSocket.receiveAll(again).count == 1000)
            let progress = try #require(await bench.controller.progress(of: name))
            #expect(progress.packets == 1500 && progress.hasRTP)
            #expect(try bench.port("in0").passed["pass_to_host"] == 1500)
            let refusal = await bench.refusal {
                _ = try await bench.controller.addLeg(try leg(1), to: name, force: false)
            }
            #expect(refusal?.code == .invalid)
        }

        @Test("a route that reserves nothing has no reservation to give")
        func noReservation() async throws {
            let bench = try await bench()
            let refusal = await bench.refusal { _ = try await bench.controller.reservation(of: name) }
            #expect(refusal?.code == .invalid && refusal?.message.contains("reserves no UDP port") == true)
        }

        @Test("first packets and unknown sources of sessions' routes are told, others' are not")
        func events() async throws {
            let bench = try await bench("239.1.1.10:5004@in0,source=10.0.0.2")
            let controller = try bench.controller
            try await bench.add("static", from: "239.1.1.10:5005@in0", to: [])
            var told = await controller.sessionRouteEvents().makeAsyncIterator()
            try bench.plan(udpPort: 5005)
            try await bench.send(10)
            try bench.plan()
            try await bench.send(10)
            try bench.plan(source: IPAddress(10, 0, 0, 9))
            try await bench.send(10)
            let expected = [
                SessionRouteEvent(
                    kind: .firstPacket, route: name, source: IPAddress(10, 0, 0, 2), sourceUDPPort: 5004),
                SessionRouteEvent(
                    kind: .unknownSource, route: name, source: IPAddress(10, 0, 0, 9), sourceUDPPort: 5004),
            ]
            for event in expected { #expect(await told.next() == event) }
        }

        @Test("a leg to IPv6 of an IPv4 stream, and back: plain sockets receive both, in order and unharmed")
        func families() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            let controller = try bench.controller
            let far = bench.network.far
            let six = try #require(IPAddress("2001:db8:1:0::2"))
            let (sink6, sink4, sender4, sender6) = try await far.perform {
                (
                    try PlainSocket(address: six, udpPort: 7006),
                    try PlainSocket(address: IPAddress(10, 1, 0, 2), udpPort: 7004),
                    try PlainSocket(address: IPAddress(10, 0, 0, 2), udpPort: 7000),
                    try PlainSocket(address: try #require(IPAddress("2001:db8::2")), udpPort: 7000)
                )
            }
            _ = try await controller.add(
                ControllerBench.route("four", from: "10.0.0.1:7000@in0", to: ["[2001:db8:1::2]:7006@out0"]),
                owner: .session)
            _ = try await controller.add(
                ControllerBench.route("six", from: "[2001:db8::1]:7000@in0", to: ["10.1.0.2:7004@out0"]),
                owner: .session)
            for route in ["four", "six"] { try await bench.wait(forLeg: 1, of: route) { $0.state == .active } }
            let packets = (0..<300).map { number in
                RTPPacket(
                    sequence: UInt16(number), payload: [UInt8](repeating: UInt8(number % 251), count: 1 + number * 4)
                )
                .bytes
            }
            for packet in packets {
                try sender4.send(packet, to: IPAddress(10, 0, 0, 1), udpPort: 7000)
                try sender6.send(packet, to: try #require(IPAddress("2001:db8::1")), udpPort: 7000)
            }
            #expect(sink6.receiveAll() == packets)
            #expect(sink4.receiveAll() == packets)
        }

        @Test("five hundred players on one route: what it takes to add and to open them")
        func manyLegs() async throws {
            let bench = try await bench()
            let controller = try bench.controller
            let began = ContinuousClock.now
            for number in 0..<500 {
                let leg = try LegSpecification("239.10.\(number / 250).\(number % 250 + 1):5004@out0")
                _ = try await controller.addShutLeg(leg, to: name)
            }
            let added = ContinuousClock.now
            for number in UInt32(1)...500 { try await controller.openLeg(number, of: name, from: 5) }
            let opened = ContinuousClock.now
            print("500 legs: added in \((added - began).seconds) s, opened in \((opened - added).seconds) s")
            let together = try (0..<500).map { try LegSpecification("239.11.\($0 / 250).\($0 % 250 + 1):5004@out0") }
            let crowd = "crowd"
            _ = try await controller.add(
                try ControllerBench.route(crowd, from: "239.1.1.10:5005@in0", to: []), owner: .session)
            let again = ContinuousClock.now
            try await withThrowingTaskGroup(of: Void.self) { group in
                for leg in together {
                    group.addTask {
                        let added = try await controller.addShutLeg(leg, to: crowd)
                        try await controller.openLeg(added.number, of: crowd, from: 5)
                    }
                }
                try await group.waitForAll()
            }
            print("500 legs at once: added and opened in \((ContinuousClock.now - again).seconds) s")
            #expect(try await controller.route(crowd).legs.allSatisfy { $0.state == .active })
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in UInt32(1)...500 { group.addTask { try await controller.removeLeg(number, from: crowd) } }
                try await group.waitForAll()
            }
            #expect(try await controller.route(crowd).legs.isEmpty)
            let before = try await controller.route(name)
            #expect(before.legs.count == 500 && before.legs.allSatisfy { $0.state == .active })
            await bench.stop()
            try await bench.start()
            #expect(try await bench.controller.route(name) == before)
            #expect(try await bench.controller.route(crowd).legs.isEmpty)
        }
    }
}
