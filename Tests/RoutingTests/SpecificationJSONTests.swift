// Routes as JSON: the keys of the configuration file, and nothing unknown.

import Foundation
import Routing
import Testing

@Suite("JSON of routes")
struct SpecificationJSONTests {
    private func decode(_ text: String) throws -> RouteSpecification {
        try JSONDecoder().decode(RouteSpecification.self, from: Data(text.utf8))
    }

    @Test("Only name and source are needed")
    func minimal() throws {
        let route = try decode(#"{"name": "cam1", "from": "239.1.1.10:5004@eth0"}"#)
        #expect(route == RouteSpecification(name: "cam1", source: try SourceSpecification("239.1.1.10:5004@eth0")))
    }

    @Test("All keys, encoded and decoded")
    func roundTrip() throws {
        let route = RouteSpecification(
            name: "cam1", source: try SourceSpecification("239.1.1.10:5004@eth0,source=10.1.0.7"),
            legs: [try LegSpecification("10.2.0.5:5004@eth1,dscp=34")], payload: .rtp, accounting: .sampled,
            clockRate: 90_000, wireRate: 2_660_000_000, isForced: true)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(route), as: UTF8.self)
        #expect(
            text
                == #"{"accounting":"sampled","clock":90000,"force":true,"from":"239.1.1.10:5004@eth0,source=10.1.0.7","#
                + #""name":"cam1","payload":"rtp","rate":"2.66Gb/s","to":["10.2.0.5:5004@eth1,dscp=34"]}"#)
        #expect(try decode(text) == route)
    }

    @Test("A rate may be a number")
    func numericRate() throws {
        #expect(try decode(#"{"name": "a", "from": "239.1.1.10:5004@eth0", "rate": 1000}"#).wireRate == 1000)
    }

    @Test(
        "A wrong value keeps its own error",
        arguments: [
            (#"{"name": "a", "from": "239.1.1.10:5004"}"#, "names no interface"),
            (#"{"name": "a", "from": "239.1.1.10:5004@eth0", "form": 1}"#, "did you mean 'from'?"),
            (#"{"name": "a", "from": "239.1.1.10:5004@eth0", "payload": "rpt"}"#, "use rtp, rtcp, raw"),
            (#"{"name": "a b", "from": "239.1.1.10:5004@eth0"}"#, "route name"),
            (
                #"{"name": "a", "from": "239.1.1.10:5004@eth0", "to": ["[2001:db8::1]:1@eth1,source=keep"]}"#,
                "the leg is"
            ),
        ])
    func refusals(text: String, words: String) throws {
        let error = try #require(throws: SpecificationError.self) { try decode(text) }
        #expect(error.description.contains(words))
    }

    @Test("A report carries the specification and what became of it")
    func report() throws {
        let leg = LegReport(
            number: 3, specification: try LegSpecification("10.2.0.5:5004@eth1"), state: .linkDown,
            reason: "eth1 is down",
            nextHop: nil)
        let report = RouteReport(
            specification: RouteSpecification(
                name: "cam1", source: try SourceSpecification("239.1.1.10:5004@eth0"), legs: [leg.specification]),
            owner: .operator, engine: "kernel", engineReason: "nothing needs another", membership: "joined", legs: [leg]
        )
        let data = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(RouteReport.self, from: data) == report)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(object["name"] as? String == "cam1")
        #expect(object["owner"] as? String == "operator")
        let legs = try #require(object["legs"] as? [[String: Any]])
        #expect(legs.first?["state"] as? String == "link-down")
        #expect(legs.first?["to"] as? String == "10.2.0.5:5004@eth1")
    }
}
