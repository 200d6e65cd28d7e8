// The judge of a route, by facts that a table makes.

import FastPath
import RTPWire
import Routing
import Testing

@testable import Diagnosis
@testable import Node

@Suite("Diagnosis of a route")
struct RouteJudgeTests {
    /// One set of facts, as changes of a healthy route's, and the cause that must be named.
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var cause: Cause?
        /// A part of the conclusion or the remedy.
        var text: String
        var change: @Sendable (inout RouteFacts) -> Void

        init(_ name: String, _ cause: Cause?, _ text: String, _ change: @escaping @Sendable (inout RouteFacts) -> Void)
        {
            self.name = name
            self.cause = cause
            self.text = text
            self.change = change
        }

        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case("healthy", nil, "healthy") { _ in },
        Case("daemon dead, packets flow", .daemonDead, "the fast path goes on") {
            $0.daemon = .dead(secondsAgo: 9)
            $0.route = nil
        },
        Case("daemon dead, nothing known", .daemonDead, "crosspoint run") {
            $0 = RouteFacts(name: "cam1", daemon: .dead(secondsAgo: nil))
        },
        Case("mistyped", .routeUnknown, "Did you mean 'cam1'?") {
            $0.name = "camm1"
            $0.route = nil
        },
        Case("no routes at all", .routeUnknown, "route add") {
            $0.route = nil
            $0.routes = []
        },
        Case("refused", .routeRefused, "12 Gb/s") {
            $0.route?.standing = .refused
            $0.route?.problem = "port eth1 has no room for 12 Gb/s"
        },
        Case("refused for want of an interface", .interfaceMissing, "eth1") {
            $0.route?.standing = .refused
            $0.interfaces.removeAll { $0.name == "eth1" }
        },
        Case("quarantined", .routeQuarantined, "route remove cam1") { $0.route?.standing = .quarantined },
        Case("interface gone", .interfaceMissing, "eth0") {
            $0.interfaces.removeAll { $0.name == "eth0" }
            $0.stop()
        },
        Case("port down", .portDown, "ip link set eth0 up") {
            $0.interfaces[0].isUp = false
            $0.stop()
        },
        Case("membership failed", .membershipFailed, "No buffer space") {
            $0.route?.membership = "joining 239.1.1.1: No buffer space available"
            $0.stop()
        },
        Case("nothing comes", .noPackets, "239.1.1.1:5004") { $0.stop() },
        Case("nothing comes any more", .noPackets, "the last one came 7 s ago") { $0.stop(age: 7_000_000_000) },
        Case("nothing comes, and no querier asks", .noQuerier, "IGMP querier") {
            $0.stop()
            $0.scan?.seconds = 130
        },
        Case("nothing comes, and a querier asks", .noPackets, "Check that") {
            $0.stop()
            $0.scan?.seconds = 130
            $0.see(seen(destination: "224.0.0.1", udpPort: nil, kind: .membershipQuery))
        },
        Case("nobody joins", .notJoined, "join=off") {
            $0.stop()
            $0.route?.membership = "off"
            $0.route?.specification.source.joins = false
        },
        Case("TTL 1", .expired, "TTL 1") {
            $0.stop()
            $0.see(seen(ttl: 1, route: "cam1", obstacle: .ttl))
        },
        Case("fragments", .fragments, "smaller packets") {
            $0.stop()
            $0.see(seen(isFragment: true, route: "cam1", obstacle: .fragment))
        },
        Case("fragments behind the first", .fragments, "fragments") {
            $0.stop()
            $0.see(seen(udpPort: nil, kind: .fragment, isFragment: true))
        },
        Case("IP options", .options, "IP options") {
            $0.stop()
            $0.see(seen(route: "cam1", obstacle: .options))
        },
        Case("wrong sender", .wrongSource, "10.1.0.7:5004") {
            $0.stop()
            $0.route?.specification.source.source = IPAddress(10, 1, 0, 9)
            $0.see(seen(route: "cam1", obstacle: .source))
        },
        Case("MPEG-TS", .notRTP, "payload: raw") {
            $0.stop()
            $0.see(seen(kind: .mpegTS, route: "cam1", obstacle: .payload))
        },
        Case("wrong VLAN", .wrongVLAN, "VLAN 100") {
            $0.stop()
            $0.see(seen(vlans: [100]))
        },
        Case("no VLAN", .wrongVLAN, "no VLAN tag") {
            $0.stop()
            $0.route?.specification.source.port.vlans = [100]
            $0.see(seen())
        },
        Case("VLAN taken away", .strippedVLAN, "ethtool -K eth0 rxvlan off") {
            $0.stop()
            $0.interfaces[0].vlanOffload = true
            $0.route?.specification.source.port.vlans = [100]
            $0.see(seen())
        },
        Case("wrong UDP port", .wrongUDPPort, "--from 239.1.1.1:5006@eth0") {
            $0.stop()
            $0.see(seen(udpPort: 5006))
        },
        Case("UDP port of another route", .noPackets, "239.1.1.1") {
            $0.stop()
            $0.see(seen(udpPort: 5006, route: "cam2"))
        },
        Case("wrong group", .wrongGroup, "239.7.7.7:5004") {
            $0.stop()
            $0.see(seen(destination: "239.7.7.7"))
        },
        Case("group of another route", .noPackets, "239.1.1.1") {
            $0.stop()
            $0.see(seen(destination: "239.7.7.7", route: "cam2"))
        },
        Case("its sender sends elsewhere", .wrongGroup, "239.7.7.7:6000") {
            $0.stop()
            $0.route?.specification.source.source = IPAddress(10, 1, 0, 7)
            $0.see(seen(destination: "239.7.7.8", source: "10.1.0.8"))
            $0.see(seen(destination: "239.7.7.7", udpPort: 6000))
        },
        Case("another port", .otherPort, "@eth2") {
            $0.stop()
            $0.otherScans = [looked("eth2", [seen()])]
        },
        Case("wrong Ethernet address", .wrongHardwareAddress, "Ethernet address") {
            $0.stop()
            $0.see(seen(route: "cam1"))
            $0.after?.ports[0].dropped["drop_wrong_mac"] = 5
        },
        Case("damaged", .damaged, "checksum") {
            $0.stop()
            $0.see(seen(route: "cam1"))
            $0.after?.ports[0].dropped["drop_bad_header_checksum"] = 5
        },
        Case("looked at in vain", .noPackets, "239.1.1.1") {
            $0.stop()
            $0.scan = nil
            $0.scanProblem = "port eth2 is being scanned"
        },
        Case("a sighting where nobody could look", .expired, "TTL 1") {
            $0.sight(.ttlExpired)
            $0.scan = nil
        },
        Case("a sighting of fragments", .fragments, "10.1.0.7") { $0.sight(.fragments) },
        Case("a sighting in another VLAN", .wrongVLAN, "VLAN 100") { $0.sight(.wrongVLAN, vlans: [100]) },
        Case("a sighting at another port", .otherPort, "@eth2") { $0.sight(.wrongPort) },
        Case("a sighting at another UDP port", .wrongUDPPort, "239.1.1.1:5006@eth0") { $0.sight(.wrongUDPPort) },
        Case("two senders", .twoSenders, "10.1.0.7:5004 and 10.1.0.8:5004") {
            $0.see(seen(source: "10.1.0.8", route: "cam1"))
        },
        Case("RTCP of another UDP port is no second sender", nil, "healthy") {
            $0.see(seen(sourceUDPPort: 5005, kind: .rtcp, route: "cam1"))
        },
        Case("an intruder that is dropped is no fault", nil, "healthy") {
            $0.see(seen(source: "10.1.0.8", route: "cam1", obstacle: .source))
        },
        Case("payload type of another clock", .payloadType, "8000") { $0.changeFlows { $0.rtp?.payloadType = 0 } },
        Case("rate far from declared", .rateDiffers, "10.0 Mb/s") { $0.route?.specification.wireRate = 10_000_000 },
        Case("no worker", .noWorker, "AF_XDP worker") { $0.changeFlows { $0.engine = "none" } },
        Case("no worker for a leg", .noWorker, "no AF_XDP worker lives") {
            $0.changeFlows { $0.engine = "partly" }
            $0.changeLeg(.noWorker, "no AF_XDP worker lives")
        },
        Case("wrong key", .wrongKey, "key wan") {
            $0.route?.specification.source.srtp = KeyReference(key: "wan")
            $0.after?.ports[0].undelivered["copy_srtp_authentication"] = 100
        },
        Case("a route without keys has nothing to do with them", nil, "healthy") {
            $0.after?.ports[0].undelivered["copy_srtp_authentication"] = 100
        },
        Case("loss", .loss, "0.5 %") {
            $0.state = FlowReport(route: "cam1", from: "", state: .loss, reason: "0.5 % in 10 s", since: 0)
        },
        Case("no legs", .noLegs, "leg add cam1") { $0.route?.legs = [] },
        Case("neighbour does not answer", .legUnresolved, "does not answer ARP") {
            $0.changeLeg(.unresolved, "10.2.0.5 does not answer ARP on eth1")
        },
        Case("leg's link down", .legLinkDown, "ip link set eth1 up") { $0.changeLeg(.linkDown, "no carrier") },
        Case("no way", .legUnroutable, "no route") { $0.changeLeg(.unroutable, "no route to 10.2.0.5") },
        Case("too long for the leg, by the controller", .legTooLong, "MTU") {
            $0.changeLeg(.active, "1400 bytes do not fit the MTU")
        },
        Case("too long for the leg, by the port", .legTooLong, "MTU of eth1, 100") { $0.interfaces[1].mtu = 100 },
        Case("refused by the driver", .legRefused, "40 copies") {
            $0.changeFlows { $0.legs[0].refusedPackets = 40 }
        },
        Case("leg's port has no link", .legLinkDown, "eth1 has no link") {
            $0.changeFlows { $0.legs[0].packets = 0 }
            $0.after?.ports[0].undelivered["copy_interface_down"] = 100
        },
        Case("leg is silent", .legSilent, "no copy") { $0.changeFlows { $0.legs[0].packets = 0 } },
        Case("TTL ends at the gateway", .legTTL, "10.2.0.254") {
            $0.route?.legs[0].specification.timeToLive = .set(1)
            $0.route?.legs[0].nextHop = "10.2.0.254 at 02:00:00:00:00:01"
        },
        Case("TTL 1 to the receiver itself is no fault", nil, "healthy") {
            $0.route?.legs[0].specification.timeToLive = .set(1)
        },
        Case("link full", .linkFull, "eth1 is full") { $0.interfaces[1].speed = 100_000 },
        Case("the first fault of the chain is the cause", .expired, "TTL 1") {
            $0.stop()
            $0.see(seen(ttl: 1, route: "cam1", obstacle: .ttl))
            $0.changeLeg(.unresolved, "10.2.0.5 does not answer ARP on eth1")
        },
    ]

    @Test("names the cause", arguments: cases)
    func namesTheCause(_ example: Case) {
        var facts = RouteFacts.healthy
        example.change(&facts)
        let diagnosis = RouteJudge.diagnosis(facts)
        #expect(diagnosis.cause == example.cause, "\(diagnosis)")
        #expect(diagnosis.isHealthy == (example.cause == nil))
        #expect((diagnosis.remedy == nil) == (example.cause == nil))
        let text = diagnosis.conclusion + " " + (diagnosis.remedy ?? "")
        #expect(text.contains(example.text), "\(text)")
        #expect(!text.contains("Optional"))
    }

    @Test("every cause has a case, but for those that no table needs")
    func everyCauseHasACase() {
        let named = Set(Self.cases.compactMap(\.cause))
        // By the same table of counters as wrong Ethernet addresses; a leg of an operator is not shut.
        let others: Set<Cause> = [.martianSource, .ownPackets, .legShut]
        #expect(named.union(others) == Set(Cause.allCases))
        #expect(named.isDisjoint(with: others))
    }
}

/// A flow in a scan: the healthy route's unless arguments say otherwise.
private func seen(
    destination: String = "239.1.1.1", udpPort: UInt16? = 5004, vlans: [UInt16] = [], source: String = "10.1.0.7",
    sourceUDPPort: UInt16? = 5004, ttl: UInt8 = 16, kind: PayloadKind = .rtp, isFragment: Bool = false,
    route: String? = nil, obstacle: ScannedFlow.Obstacle? = nil
) -> ScannedFlow {
    ScannedFlow(
        destination: destination, udpPort: udpPort, vlans: vlans, source: source, sourceUDPPort: sourceUDPPort,
        lowestTTL: ttl, highestTTL: ttl, isFragment: isFragment, hasOptions: false, packetRate: 100, bitRate: 160_000,
        kind: kind, protocolNumber: nil, payloadTypes: kind == .rtp ? [96] : [], ssrcs: kind == .rtp ? [7] : [],
        route: route, obstacle: obstacle)
}

private func looked(_ port: String, _ flows: [ScannedFlow]) -> ScanReport {
    ScanReport(
        port: port, seconds: 1, samples: 100, packetRate: 100, bitRate: 160_000, smallestSeenRate: 0, flows: flows,
        flowsNotHeld: 0, packetRateNotHeld: 0)
}

extension RouteFacts {
    /// A route of 100 packets of 200 bytes a second that all leave.
    fileprivate static var healthy: RouteFacts {
        let source = SourceSpecification(
            address: IPAddress(239, 1, 1, 1), udpPort: 5004, port: PortReference(interface: "eth0"))
        let leg = LegSpecification(
            address: IPAddress(10, 2, 0, 5), udpPort: 5004, port: PortReference(interface: "eth1"))
        let route = RouteReport(
            specification: RouteSpecification(name: "cam1", source: source, legs: [leg], clockRate: 90_000),
            owner: .operator, engine: "kernel", engineReason: "", membership: "joined",
            legs: [
                LegReport(
                    number: 1, specification: leg, state: .active, reason: nil,
                    nextHop: "10.2.0.5 at 02:00:00:00:00:05")
            ])
        func port(_ name: String) -> PortReport {
            PortReport(name: name, driver: "veth", isUp: true, mtu: 1500, queues: 1, speed: 10_000_000_000)
        }
        return RouteFacts(
            name: "cam1", routes: ["cam1", "cam2"], route: route, interfaces: [port("eth0"), port("eth1")],
            before: reading(packets: 0, at: 0), after: reading(packets: 100, at: 1_000_000_000),
            scan: looked("eth0", [seen(route: "cam1")]))
    }

    private static func reading(packets: UInt64, at time: UInt64) -> StatisticsSnapshot {
        func port(_ name: String) -> PortStatistics {
            PortStatistics(
                name: name, interfaceIndex: 2, receivedPackets: 0, forwardedPackets: 0, forwardedBytes: 0,
                requestedCopies: 0, transmittedCopies: 0, refusedCopies: 0, dropped: [:], passed: [:], undelivered: [:])
        }
        let rtp = RTPStatistics(
            ssrc: 7, payloadType: 96, expectedPackets: packets, receivedPackets: packets, lostPackets: 0, lossEvents: 0,
            reorderedPackets: 0, duplicatePackets: 0, latePackets: 0, ssrcChanges: 0, sourceChanges: 0,
            sequenceResets: 0, outages: 0, largestGapPackets: 0, largestGapNanoseconds: 0, extendedHighestSequence: 0,
            clockRate: 90_000, jitterNanoseconds: nil, jitterTimestampUnits: nil, largestJitterNanoseconds: nil)
        let leg = LegStatistics(
            leg: 1, to: "10.2.0.5:5004@eth1", packets: packets, bytes: packets * 200, refusedPackets: 0)
        return StatisticsSnapshot(
            node: "test", unixNanoseconds: time, monotonicNanoseconds: time, programVersion: "1",
            ports: [port("eth0"), port("eth1")],
            flows: [
                FlowStatistics(
                    route: "cam1", from: "239.1.1.1:5004@eth0", payload: "rtp", engine: "kernel", engineReason: "",
                    packets: packets, bytes: packets * 200, lastPacketAgeNanoseconds: packets == 0 ? nil : 1000,
                    rtp: rtp, rtcpPackets: 0, wrongSourcePackets: 0, invalidPackets: 0, legs: [leg])
            ])
    }

    /// Nothing arrives, the last packet so long ago.
    fileprivate mutating func stop(age: UInt64? = nil) {
        after?.flows = before?.flows ?? []
        after?.flows[0].lastPacketAgeNanoseconds = age
        scan?.flows = []
    }

    /// The scan has seen one more flow.
    fileprivate mutating func see(_ flow: ScannedFlow) { scan?.flows.append(flow) }

    /// Changes the flow of the second reading.
    fileprivate mutating func changeFlows(_ change: (inout FlowStatistics) -> Void) {
        if var flow = after?.flows.first {
            change(&flow)
            after?.flows = [flow]
        }
    }

    /// Nothing arrives but what the fast path remembers to have come otherwise.
    fileprivate mutating func sight(_ kind: FlowSighting.Kind, vlans: [UInt16] = []) {
        stop()
        after?.flows[0].sighting = FlowSighting(
            kind: kind, packets: 1, ageNanoseconds: 1, source: "10.1.0.7", port: "eth2", vlans: vlans, udpPort: 5006)
    }

    fileprivate mutating func changeLeg(_ state: LegReport.State, _ reason: String) {
        route?.legs[0].state = state
        route?.legs[0].reason = reason
    }
}
