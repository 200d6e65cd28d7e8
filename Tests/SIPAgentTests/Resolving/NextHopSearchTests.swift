// RFC 3263 as tables: what the DNS says, and where a request goes.

import AgentSupport
import RTPWire
import SIPCore
import TestSupport
import Testing

@testable import SIPAgent

@Suite struct NextHopSearchTests {
    private static let names = TableNames(
        authorities: [
            "naptr.example": [
                NamingAuthority(
                    order: 50, preference: 50, service: "SIPS+D2T", replacement: "_sips._tcp.naptr.example"),
                NamingAuthority(order: 90, preference: 50, service: "SIP+D2T", replacement: "_sip._tcp.naptr.example"),
                NamingAuthority(order: 100, preference: 50, service: "SIP+D2U", replacement: "_sip._udp.naptr.example"),
                NamingAuthority(order: 10, preference: 1, service: "SIP+D2S", replacement: "_sip._sctp.naptr.example"),
                NamingAuthority(order: 10, preference: 1, flags: "u", service: "E2U+sip", replacement: ""),
            ]
        ],
        services: [
            "_sips._tcp.naptr.example": [
                ServiceRecord(priority: 1, weight: 1, transportPort: 5061, target: "a.example")
            ],
            "_sip._tcp.naptr.example": [
                ServiceRecord(priority: 1, weight: 1, transportPort: 5070, target: "b.example")
            ],
            "_sip._udp.naptr.example": [
                ServiceRecord(priority: 2, weight: 1, transportPort: 5060, target: "c.example"),
                ServiceRecord(priority: 1, weight: 1, transportPort: 5080, target: "b.example"),
            ],
            "_sip._tcp.srv.example": [ServiceRecord(priority: 1, weight: 1, transportPort: 5090, target: "b.example")],
            "_sip._udp.none.example": [ServiceRecord(priority: 0, weight: 0, transportPort: 0, target: "")],
        ],
        hosts: [
            "a.example": ["192.0.2.1"], "b.example": ["192.0.2.2", "2001:db8::2"], "c.example": ["192.0.2.3"],
            "none.example": ["192.0.2.9"],
        ],
        silent: ["NAPTR silent.example", "SRV _sip._udp.silent.example", "A silent.example"])

    private func find(
        _ uri: String, _ transports: [SIPTransport] = [.udp, .tcp, .tls],
        families: Set<IPAddress.Family> = [.ipv4, .ipv6]
    ) throws(ResolutionError) -> [String] {
        var generator = SeededGenerator(seed: 1)
        guard let uri = try? SIPURI(uri) else { return ["no URI"] }
        return try NextHopSearch(names: Self.names, transports: transports, families: families)
            .destinations(for: uri, using: &generator).map {
                "\($0.transport) \($0.address.bracketed):\($0.transportPort)"
            }
    }

    @Test("Addresses, ports, transports and records lead to places in order")
    func table() throws {
        let table: [(uri: String, places: [String])] = [
            ("sip:x@192.0.2.7", ["UDP 192.0.2.7:5060"]),
            ("sip:x@192.0.2.7:5080;transport=tcp", ["TCP 192.0.2.7:5080"]),
            ("sip:x@[2001:db8::7]", ["UDP [2001:db8::7]:5060"]),
            ("sips:x@192.0.2.7", ["TLS 192.0.2.7:5061"]),
            ("sips:x@192.0.2.7;transport=tcp", ["TLS 192.0.2.7:5061"]),
            ("sip:x@a.example;maddr=192.0.2.8", ["UDP 192.0.2.8:5060"]),
            // A port: no NAPTR, no SRV.
            ("sip:b.example:5070", ["UDP 192.0.2.2:5070", "UDP [2001:db8::2]:5070"]),
            ("sip:b.example:5070;transport=tcp", ["TCP 192.0.2.2:5070", "TCP [2001:db8::2]:5070"]),
            // A transport: its SRV records.
            ("sip:srv.example;transport=tcp", ["TCP 192.0.2.2:5090", "TCP [2001:db8::2]:5090"]),
            ("sip:c.example;transport=tcp", ["TCP 192.0.2.3:5060"]),
            // Neither: NAPTR by order, then SRV by custom, then addresses.
            (
                "sip:naptr.example",
                [
                    "TLS 192.0.2.1:5061", "TCP 192.0.2.2:5070", "TCP [2001:db8::2]:5070", "UDP 192.0.2.2:5080",
                    "UDP [2001:db8::2]:5080", "UDP 192.0.2.3:5060",
                ]
            ),
            ("sips:naptr.example", ["TLS 192.0.2.1:5061"]),
            ("sip:srv.example", ["TCP 192.0.2.2:5090", "TCP [2001:db8::2]:5090"]),
            ("sip:a.example", ["UDP 192.0.2.1:5060"]),
        ]
        for row in table { #expect(try find(row.uri) == row.places, "\(row.uri)") }
        #expect(
            try find("sip:naptr.example", [.udp]) == [
                "UDP 192.0.2.2:5080", "UDP [2001:db8::2]:5080", "UDP 192.0.2.3:5060",
            ])
        #expect(try find("sip:b.example", families: [.ipv6]) == ["UDP [2001:db8::2]:5060"])
    }

    @Test("What cannot be reached is said with its reason")
    func failures() throws {
        let table: [(uri: String, transports: [SIPTransport], reason: ResolutionError.Reason)] = [
            ("sip:nobody.example", [.udp], .notFound),
            ("sip:none.example", [.udp], .notFound),
            ("sip:silent.example", [.udp], .unavailable),
            ("sips:a.example", [.udp, .tcp], .unsupported),
            ("sip:a.example;transport=tls", [.udp], .unsupported),
            ("sip:a.example;transport=sctp", [.udp], .unsupported),
            ("tel:123", [.udp], .unsupported),
        ]
        for row in table {
            let error = #expect(throws: ResolutionError.self) { _ = try find(row.uri, row.transports) }
            #expect(error?.reason == row.reason, "\(row.uri): \(String(describing: error))")
        }
        #expect(throws: ResolutionError.self) { _ = try find("sip:a.example", families: [.ipv6]) }
    }

    @Test("Records of one priority share calls by their weight")
    func weights() throws {
        let names = TableNames(
            services: [
                "_sip._udp.w.example": [
                    ServiceRecord(priority: 1, weight: 90, transportPort: 1, target: "a.example"),
                    ServiceRecord(priority: 1, weight: 10, transportPort: 2, target: "a.example"),
                ]
            ], hosts: ["a.example": ["192.0.2.1"]])
        var generator = SeededGenerator(seed: 7)
        let search = NextHopSearch(names: names, transports: [.udp], families: [.ipv4])
        let uri = try SIPURI("sip:w.example")
        var first = 0
        for _ in 0..<1000 {
            let found = try search.destinations(for: uri, using: &generator)
            #expect(found.count == 2)
            if found[0].transportPort == 1 { first += 1 }
        }
        #expect((850...950).contains(first))
    }
}
