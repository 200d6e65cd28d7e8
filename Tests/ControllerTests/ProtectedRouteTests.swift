// Routes whose packets are encrypted or decrypted, by the controller: keys of sessions and of operators, restarts, refusals.

import FastPath
import FoundationEssentials
import LoadGenerator
import RTPWire
import SRTPKeys
import TestSupport
import Testing

@testable import Routing

extension NodeFastPathTests {
    @Suite("Routes with SRTP") struct ProtectedRoutes {
        private static func key(_ first: UInt8) throws -> SRTPKey {
            try SRTPKey(
                .aesCM128HMACSHA1_80, masterKey: (0..<16).map { first &+ UInt8($0) },
                masterSalt: (0..<14).map { first &+ UInt8($0) })
        }

        private static func route(
            _ name: String, udpPort: UInt16, payload: RouteSpecification.Payload = .rtp, from: String = "",
            to: String = ""
        ) throws -> RouteSpecification {
            var route = try ControllerBench.route(
                name, from: "239.1.1.10:\(udpPort)@in0\(from)",
                to: [ControllerBench.leg(1, egress: 0, to: "239.9.9.1") + to])
            route.payload = payload
            return route
        }

        /// Tags of 10 bytes in packets of at most 1,538 on the wire: six parts in a thousand more.
        @Test func whatEncryptionAddsCountsForTheLink() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try await bench.controller.setKeys([try Self.key(1)], named: "session.1")
            // A veth says that it has 10 Gb/s.
            for (name, to, rate, isAdmitted) in [
                ("plain", "", 9_990_000_000, true), ("encrypted", ",srtp=session.1", 9_990_000_000, false),
                ("slower", ",srtp=session.1", 9_930_000_000, true),
            ] as [(String, String, UInt64, Bool)] {
                var route = try Self.route(name, udpPort: 5004, to: to)
                route.wireRate = rate
                let wanted = route
                let error = await bench.refusal {
                    _ = try await bench.controller.add(wanted, owner: .operator)
                }
                #expect((error == nil) == isAdmitted, "\(name): \(String(describing: error))")
                if error == nil {
                    try await bench.controller.remove(route: name)
                } else {
                    #expect(error?.code == .capacity && error?.message.contains("10.05 Gb/s") == true)
                }
            }
            await bench.stop()
        }

        @Test("M-19: RTP and RTCP of a session share its key, which can be renewed on air")
        func sessionKeys() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try await useSessionKey(try bench.controller, bench)
            // A daemon that starts again finds routes and key.
            await bench.stop()
            try await bench.start()
            let adopted = try await bench.controller.routes()
            #expect(adopted.map(\.specification.name) == ["sip.1", "sip.2", "sip.3"])
            #expect(adopted.allSatisfy { $0.engine == "afxdp" })
            _ = try await bench.controller.remove(sessionRoutes: ["sip.1", "sip.2", "sip.3"])
            try await bench.controller.removeKeys(named: ["sip.key"])
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: "\(bench.directory.path)/session-keys").isEmpty)
        }

        /// In a function of its own: what it holds of a controller's keys is in use until it returns.
        private func useSessionKey(_ controller: FlowController, _ bench: ControllerBench) async throws {
            let missing = await bench.refusal {
                _ = try await controller.add(sessionRoutes: [Self.route("sip.1", udpPort: 5004, to: ",srtp=sip.key")])
            }
            #expect(missing?.code == .notFound && missing?.message.contains("there is no key sip.key") == true)
            try await controller.setKeys([Self.key(1)], named: "sip.key")
            let reports = try await controller.add(sessionRoutes: [
                Self.route("sip.1", udpPort: 5004, to: ",srtp=sip.key"),
                Self.route("sip.2", udpPort: 5005, payload: .rtcp, to: ",srtp=sip.key,ttl=8"),
                Self.route("sip.3", udpPort: 5006, from: ",source=10.0.0.9", to: ",srtp=sip.key,ttl=9"),
            ])
            #expect(reports.map(\.engine) == ["afxdp", "afxdp", "afxdp"])
            func contexts() async -> Set<WorkerContext> {
                Set(await controller.sendingContexts)
            }
            let before = await contexts()
            #expect(before.count == 1, "one sender for all of them")
            try await controller.setKeys([Self.key(1)], named: "sip.key")
            #expect(await contexts() == before, "the same key changes nothing")
            try await controller.setKeys([Self.key(2)], named: "sip.key")
            let after = await contexts()
            #expect(after.count == 1 && after.isDisjoint(with: before))
        }

        @Test func withoutItsKeyARouteIsNotTakenOverAndSendsNothing() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            try bench.plan()
            try await bench.controller.setKeys([Self.key(1)], named: "sip.key")
            _ = try await bench.controller.add(sessionRoutes: [Self.route("sip.1", udpPort: 5004, to: ",srtp=sip.key")])
            await bench.stop()
            // While no daemon runs, nobody encrypts.
            try await bench.send(100)
            try await eventually {
                let dropped = try bench.port("in0").dropped["drop_no_worker"] ?? 0
                return dropped == 100 ? nil : "\(dropped) of 100 dropped as drop_no_worker"
            }
            try FileManager.default.removeItem(atPath: "\(bench.directory.path)/session-keys/sip.key")
            try await bench.start()
            #expect(try await bench.controller.routes().isEmpty)
            #expect(bench.log.contains("there is no key sip.key"))
            try await bench.send(100)
            #expect(try bench.port("out0").transmittedCopies == 0)
        }

        /// One encrypted leg must not take the plain ones with it when nobody encrypts.
        @Test func plainLegsContinueWithoutAWorkerAndEncryptedOnesAreSilent() async throws {
            let bench = try await ControllerBench(egressPorts: 2)
            try bench.plan()
            try await bench.controller.setKeys([Self.key(1)], named: "session.1")
            try bench.expect(1, egress: 0, to: IPAddress(239, 9, 9, 1))
            let report = try await bench.add(
                "mixed",
                to: [
                    ControllerBench.leg(1, egress: 0, to: "239.9.9.1"),
                    ControllerBench.leg(2, egress: 1, to: "239.9.9.2") + ",srtp=session.1",
                ])
            #expect(report.engine == "afxdp" && report.legs.allSatisfy { $0.state == .active })
            func encrypted() throws -> UInt64 { try bench.port("out1").transmittedCopies }
            func sends(_ packets: Int, plain: UInt64, encrypted wanted: UInt64) async throws {
                try await bench.send(packets)
                try await eventually {
                    let (good, sent) = (try bench.generator.result(at: 1).good, try encrypted())
                    return good == plain && sent == wanted ? nil : "\(good) plain and \(sent) encrypted copies"
                }
                try bench.expectComplete([1], packets: plain)
            }
            try await sends(200, plain: 200, encrypted: 200)

            await bench.stop()
            try await eventually {
                let engine = try bench.flow("mixed").engine
                return engine == "partly" ? nil : "engine \(engine)"
            }
            try await sends(300, plain: 500, encrypted: 200)
            #expect(try bench.port("out1").undelivered["copy_no_worker"] == 300)
            #expect(try bench.flow("mixed").engineReason.contains("encrypted legs send nothing"))

            try await bench.start()
            try await eventually {
                let engine = try bench.flow("mixed").engine
                return engine == "afxdp" ? nil : "engine \(engine)"
            }
            try await sends(100, plain: 600, encrypted: 300)
            #expect(try await bench.controller.route("mixed").legs.allSatisfy { $0.state == .active })
            // Without a plain leg nothing may go to the kernel engine at all.
            try await bench.controller.removeLeg(1, from: "mixed")
            await bench.stop()
            try await eventually {
                let engine = try bench.flow("mixed").engine
                return engine == "none" ? nil : "engine \(engine)"
            }
        }

        @Test func refusalsNameTheKeyAndTheRemedy() async throws {
            let bench = try await ControllerBench(egressPorts: 1)
            let controller = try bench.controller
            let directory = "\(bench.directory.path)/keys"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            func write(_ text: String, _ name: String, mode: Int = 0o600) throws {
                #expect(
                    FileManager.default.createFile(
                        atPath: "\(directory)/\(name)", contents: Data(text.utf8), attributes: [.posixPermissions: mode]
                    ))
            }
            try write(SRTPKeyText.secretText(try Self.key(1)), "good")
            try write(SRTPKeyText.secretText(try Self.key(2)), "open", mode: 0o644)
            try write("AES_CM_128_HMAC_SHA1_80 inline:AAEC", "short")
            try write(KeyMaterial.link(try LinkKey(secret: (0..<32).map { UInt8($0) })).secretText, "wan")
            let refusals: [(String, String, RoutingError.Code, String)] = [
                ("", ",srtp=open", .unavailable, "is open to others"),
                ("", ",srtp=short", .invalid, "has 3 bytes of key and salt"),
                ("", ",srtp=good/cam1", .invalid, "is no link's"), (",srtp=good/cam1", "", .invalid, "is no link's"),
                (",srtp=good", ",srtp=good", .conflict, "give each direction a key of its own"),
                (",srtp=wan", ",srtp=wan", .conflict, "a flow of a link goes one way"),
            ]
            for (from, to, code, message) in refusals {
                let refusal = await bench.refusal {
                    _ = try await controller.add(
                        Self.route("cam", udpPort: 5004, from: from, to: to), owner: .operator)
                }
                #expect(
                    refusal?.code == code && refusal?.message.contains(message) == true,
                    "\(from) \(to): \(refusal as Any)")
            }
            // What was refused has left nothing: the key is free, and has one leg.
            let route = try Self.route("cam", udpPort: 5004, to: ",srtp=good")
            #expect(try await controller.add(route, owner: .operator).engineReason == EngineReason.encryption.text)
            let second = await bench.refusal {
                _ = try await controller.addLeg(
                    try LegSpecification("239.9.9.2:5004@out0,srtp=good"), to: "cam", force: false)
            }
            #expect(second?.message.contains("is in use already") == true)
            let kernel = await bench.refusal { _ = try await controller.setEngine(.kernel, of: "cam") }
            #expect(kernel?.code == .invalid && kernel?.message.contains("neither encrypts nor decrypts") == true)
            // Removed and added again, it goes on with its key.
            try await controller.remove(route: "cam")
            #expect(try await controller.add(route, owner: .operator).legs.count == 1)
            // Without its encrypted leg, the route is one for the kernel engine.
            _ = try await controller.setLeg(
                1, of: "cam", to: try LegSpecification(ControllerBench.leg(1, egress: 0, to: "239.9.9.1")))
            try await eventually { try bench.flow("cam").engine == "kernel" ? nil : "\(try bench.flow("cam"))" }
        }
    }
}

extension FlowController {
    /// What legs encrypt with.
    fileprivate var sendingContexts: [WorkerContext] {
        table.values.flatMap { $0.legs.compactMap { $0.protection?.context } }
    }
}
