// Keys in the texts of sources and legs: names, never secrets.

import Routing
import Testing

@Suite struct KeyReferenceTests {
    @Test(arguments: [
        ("studio-b", KeyReference(key: "studio-b")), ("wan/cam1", KeyReference(key: "wan", flow: "cam1")),
    ])
    func namesStandInBothKindsOfEndpoint(text: String, reference: KeyReference) throws {
        let source = try SourceSpecification("239.1.1.10:5004@eth0,srtp=\(text)")
        #expect(source.srtp == reference)
        #expect(source.description == "239.1.1.10:5004@eth0,srtp=\(text)")
        let leg = try LegSpecification("10.2.0.5:5004@eth1,ttl=16,srtp=\(text)")
        #expect(leg.srtp == reference)
        #expect(try LegSpecification(leg.description) == leg)
        #expect(leg.description == "10.2.0.5:5004@eth1,ttl=16,srtp=\(text)")
    }

    @Test(arguments: ["", "/", "wan/", "/cam1", "../etc/passwd", "a/b/c", "inline:AAECAwQFBgc=", "-x"])
    func whatIsNoNameIsRefused(text: String) {
        #expect(throws: SpecificationError.self) { try SourceSpecification("239.1.1.10:5004@eth0,srtp=\(text)") }
        #expect(throws: SpecificationError.self) { try LegSpecification("10.2.0.5:5004@eth1,srtp=\(text)") }
    }

    @Test func routesThatEncryptNeedWorkersAndRTP() throws {
        var route = RouteSpecification(
            name: "cam", source: try SourceSpecification("239.1.1.10:5004@eth0"),
            legs: [try LegSpecification("10.2.0.5:5004@eth1,srtp=key")])
        #expect(route.usesSRTP)
        try route.validate()
        route.engine = .kernel
        #expect(throws: SpecificationError.self) { try route.validate() }
        route.engine = .afxdp
        try route.validate()
        route.payload = .rtcp
        try route.validate()
        route.payload = .raw
        #expect(throws: SpecificationError.self) { try route.validate() }
        // A leg that comes later is looked at in the same way.
        route.legs = []
        try route.validate()
        #expect(throws: SpecificationError.self) {
            try route.validate(adding: try LegSpecification("10.2.0.5:5004@eth1,srtp=key"))
        }
        // What goes to the host goes as it comes.
        var hosted = RouteSpecification(
            name: "rtcp", source: try SourceSpecification("10.1.0.1:5005@eth0,srtp=key"), payload: .rtcp)
        hosted.delivery = .host
        try hosted.validate()
        #expect(!hosted.usesSRTP)
    }
}
