// What cannot be is refused, with the part, its value and the remedy.

import RTPWire
import Routing
import Testing

@Suite("Refusals of specifications")
struct SpecificationErrorTests {
    /// The error that `body` throws.
    private func error(_ body: () throws -> Void) -> SpecificationError? {
        do { try body() } catch { return error as? SpecificationError }
        return nil
    }

    @Test(
        "A wrong source names the part that is wrong, and its value",
        arguments: [
            ("", .endpoint, ""), ("239.1.1.10:5004", .endpoint, "239.1.1.10:5004"),
            ("239.1.1.10@eth0", .endpoint, "239.1.1.10@eth0"), ("239.1.1.300:5004@eth0", .address, "239.1.1.300"),
            ("cam1:5004@eth0", .address, "cam1"), ("2001:db8::1:5004@eth0", .address, "2001:db8::1"),
            ("[2001:db8::1:5004@eth0", .address, "[2001:db8::1:5004"), ("[::1]@eth0", .endpoint, "[::1]@eth0"),
            ("239.1.1.10:0@eth0", .udpPort, "0"), ("239.1.1.10:65536@eth0", .udpPort, "65536"),
            ("239.1.1.10:-1@eth0", .udpPort, "-1"), ("239.1.1.10:@eth0", .udpPort, ""),
            ("239.1.1.10:+5@eth0", .udpPort, "+5"),
            ("239.1.1.10:99999999999999999999@eth0", .udpPort, "99999999999999999999"),
            ("239.1.1.10:5004@", .interface, ""), ("239.1.1.10:5004@eth 0", .interface, "eth 0"),
            ("239.1.1.10:5004@averylonginterface", .interface, "averylonginterface"),
            ("239.1.1.10:5004@eth0/1", .interface, "eth0/1"), ("239.1.1.10:5004@..", .interface, ".."),
            ("239.1.1.10:5004@eth0,sorce=10.1.0.7", .option("sorce"), "10.1.0.7"),
            ("239.1.1.10:5004@eth0,ttl=3", .option("ttl"), "3"), ("239.1.1.10:5004@eth0,", .option(""), ""),
            ("239.1.1.10:5004@eth0,join", .option("join"), "join"), ("239.1.1.10:5004@eth0,join=", .option("join"), ""),
            ("239.1.1.10:5004@eth0,join=yes", .option("join"), "yes"),
            ("239.1.1.10:5004@eth0,join=on,join=off", .option("join"), "off"),
            ("239.1.1.10:5004@eth0,source=x", .option("source"), "x"),
            ("239.1.1.10:5004@eth0,source=2001:db8::1", .option("source"), "2001:db8::1"),
            ("239.1.1.10:5004@eth0,source=239.1.1.1", .option("source"), "239.1.1.1"),
            ("239.1.1.10:5004@eth0,source=0.0.0.0", .option("source"), "0.0.0.0"),
            ("239.1.1.10:5004@eth0,source-port=0", .option("source-port"), "0"),
            ("224.0.0.251:5004@eth0", .address, "224.0.0.251"), ("[ff02::fb]:5004@eth0", .address, "ff02::fb"),
            ("224.0.1.129:5004@eth0", .address, "224.0.1.129"), ("224.0.1.132:5004@eth0", .address, "224.0.1.132"),
            ("[ff0e::181]:5004@eth0", .address, "ff0e::181"), ("239.1.1.10:319@eth0", .udpPort, "319"),
            ("239.1.1.10:320@eth0", .udpPort, "320"), ("0.0.0.0:5004@eth0", .address, "0.0.0.0"),
            ("[::]:5004@eth0", .address, "::"), ("127.0.0.1:5004@eth0", .address, "127.0.0.1"),
            ("[::1]:5004@eth0", .address, "::1"), ("255.255.255.255:5004@eth0", .address, "255.255.255.255"),
        ] as [(String, SpecificationError.Part, String)])
    func source(text: String, part: SpecificationError.Part, value: String) throws {
        let error = try #require(error { _ = try SourceSpecification(text) })
        #expect(error.part == part)
        #expect(error.value == value)
        #expect(!error.remedy.isEmpty && !error.problem.isEmpty)
        #expect(error.description.contains("'\(value)'"))
    }

    @Test(
        "Groups and UDP ports next to the reserved ones are allowed",
        arguments: [
            "224.0.1.128:5004@eth0", "224.0.1.133:5004@eth0", "[ff0e::182]:5004@eth0", "[ff1e::181]:5004@eth0",
            "239.1.1.10:318@eth0", "239.1.1.10:321@eth0", "224.0.1.1:5004@eth0", "[ff05::2]:5004@eth0",
        ])
    func neighboursOfReserved(text: String) throws { _ = try SourceSpecification(text) }

    @Test(
        "A wrong leg names the part that is wrong, and its value",
        arguments: [
            ("10.2.0.5:5004@eth1,ttl=0", "ttl", "0"), ("10.2.0.5:5004@eth1,ttl=256", "ttl", "256"),
            ("10.2.0.5:5004@eth1,ttl=x", "ttl", "x"), ("10.2.0.5:5004@eth1,dscp=64", "dscp", "64"),
            ("10.2.0.5:5004@eth1,dscp=AF51", "dscp", "AF51"), ("10.2.0.5:5004@eth1,dscp=CS8", "dscp", "CS8"),
            ("10.2.0.5:5004@eth1,source=host", "source", "host"),
            ("10.2.0.5:5004@eth1,source=2001:db8::1", "source", "2001:db8::1"),
            ("10.2.0.5:5004@eth1,source=127.0.0.1", "source", "127.0.0.1"),
            ("10.2.0.5:5004@eth1,source-port=70000", "source-port", "70000"),
            ("10.2.0.5:5004@eth1,mac=02:00", "mac", "02:00"),
            ("10.2.0.5:5004@eth1,mac=00:00:00:00:00:00", "mac", "00:00:00:00:00:00"),
            ("10.2.0.5:5004@eth1,pt=128", "pt", "128"), ("10.2.0.5:5004@eth1,ssrc=0x1ffffffff", "ssrc", "0x1ffffffff"),
            ("10.2.0.5:5004@eth1,ssrc=-1", "ssrc", "-1"),
            ("10.2.0.5:5004@eth1,sequence-offset=65536", "sequence-offset", "65536"),
            ("10.2.0.5:5004@eth1,packets=RTP", "packets", "RTP"),
            ("10.2.0.5:5004@eth1,timestamp-offset=x", "timestamp-offset", "x"),
            ("10.2.0.5:5004@eth1,join=on", "join", "on"),
        ])
    func leg(text: String, key: String, value: String) throws {
        let error = try #require(error { _ = try LegSpecification(text) })
        #expect(error.part == .option(key))
        #expect(error.value == value)
    }

    @Test("An unknown key is answered with the nearest known one")
    func suggestion() throws {
        let error = try #require(error { _ = try LegSpecification("10.2.0.5:5004@eth1,dcsp=34") })
        #expect(error.remedy == "did you mean 'dscp'?")
    }

    @Test("The message is one line with part, value, context, problem and remedy")
    func message() throws {
        let error = try #require(error { _ = try SourceSpecification("239.1.1.10:99999@eth0") })
        #expect(
            error.description
                == "UDP port '99999' of '239.1.1.10:99999@eth0' is out of range; use 1 to 65535")
        #expect(RoutingError(error) == RoutingError(.invalid, error.description))
    }

    @Test(
        "Names of routes",
        arguments: [
            ("cam1", true), ("1", true), ("a.b-c_d", true), (String(repeating: "a", count: 63), true), ("", false),
            (".a", false), ("-a", false), ("_a", false), ("a b", false), ("a/b", false), ("ä", false),
            (String(repeating: "a", count: 64), false),
        ])
    func names(name: String, isValid: Bool) {
        let error = error { try RouteSpecification.validate(name: name) }
        #expect((error == nil) == isValid)
        if let error { #expect(error.part == .name) }
    }

    private func route(legs: [String], payload: RouteSpecification.Payload = .rtp) throws -> RouteSpecification {
        RouteSpecification(
            name: "cam1", source: try SourceSpecification("239.1.1.10:5004@eth0"),
            legs: try legs.map { text in try LegSpecification(text) }, payload: payload)
    }

    @Test("A leg of another address family than the source cannot keep its source address")
    func families() throws {
        try route(legs: ["[2001:db8::5]:5004@eth1"]).validate()
        let keeping = try route(legs: ["[2001:db8::5]:5004@eth1,source=keep"])
        let error = try #require(error { try keeping.validate() })
        #expect(error.part == .option("source"))
        #expect(error.problem.contains("the leg is IPv6, but the source 239.1.1.10 is IPv4"))
    }

    @Test("A route whose packets go to the host has no legs")
    func delivery() throws {
        var route = try route(legs: [])
        route.delivery = .host
        try route.validate()
        let leg = try LegSpecification("10.2.0.5:5004@eth1")
        #expect(error { try route.validate(adding: leg) }?.part == .setting("delivery"))
        route.legs = [leg]
        #expect(error { try route.validate() }?.part == .setting("delivery"))
    }

    @Test("The same leg twice is refused; the same destination with other settings is not")
    func duplicates() throws {
        let twice = try route(legs: ["10.2.0.5:5004@eth1", "10.2.0.5:5004@eth1,ttl=decrement"])
        #expect(error { try twice.validate() }?.part == .legs)
        try route(legs: ["10.2.0.5:5004@eth1", "10.2.0.5:5004@eth1,ttl=3"]).validate()
    }

    @Test("512 legs, and not one more")
    func numberOfLegs() throws {
        var route = try route(legs: (1...512).map { "10.2.0.5:\(10_000 + $0)@eth1" })
        try route.validate()
        route.legs.append(try LegSpecification("10.2.0.6:5004@eth1"))
        #expect(error { try route.validate() }?.part == .legs)
    }

    @Test("What is not RTP has no RTP header to change, and no RTP clock")
    func rewriteOfRaw() throws {
        let rewrite = try route(legs: ["10.2.0.5:5004@eth1,pt=96"], payload: .raw)
        #expect(error { try rewrite.validate() }?.part == .setting("payload"))
        let divided = try route(legs: ["10.2.0.5:5004@eth1,packets=rtcp"], payload: .rtcp)
        #expect(error { try divided.validate() }?.part == .setting("payload"))
        var clock = try route(legs: [], payload: .raw)
        clock.clockRate = 90_000
        #expect(error { try clock.validate() }?.part == .setting("clock"))
    }

    @Test("Values that only a program can make are refused too")
    func programmatic() throws {
        var leg = try LegSpecification("10.2.0.5:5004@eth1")
        leg.dscp = 64
        #expect(error { try leg.validate() }?.part == .option("dscp"))
        leg.dscp = nil
        leg.rtp.payloadType = 200
        #expect(error { try leg.validate() }?.part == .option("pt"))
        leg.rtp.payloadType = nil
        leg.sourceUDPPort = 0
        #expect(error { try leg.validate() }?.part == .option("source-port"))
        leg.sourceUDPPort = nil
        leg.udpPort = 0
        #expect(error { try leg.validate() }?.part == .udpPort)
    }
}
