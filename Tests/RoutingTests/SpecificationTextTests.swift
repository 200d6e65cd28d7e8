// Endpoints are read as operators write them, and printed in their shortest form.

import RTPWire
import Routing
import Testing

@Suite("Text of endpoints")
struct SpecificationTextTests {
    @Test(
        "A source that is in its shortest form is printed as it was read",
        arguments: [
            "239.1.1.10:5004@eth0", "239.1.1.10:5004@eth0,source=10.1.0.7", "10.1.0.1:65535@eth0,source-port=1",
            "239.1.1.10:5004@eth0.100", "239.1.1.10:5004@eth0.100.200", "[ff3e::1]:5004@ens1f0np0,source=2001:db8::7",
            "[2001:db8::1]:5004@br.lan,join=off", "239.1.1.10:5004@eth0,source=10.1.0.7,source-port=5004,join=off",
        ])
    func sourceRoundTrip(text: String) throws {
        let source = try SourceSpecification(text)
        #expect(source.description == text)
        #expect(try SourceSpecification(source.description) == source)
    }

    @Test(
        "A leg that is in its shortest form is printed as it was read",
        arguments: [
            "10.2.0.5:5004@eth1", "239.9.9.1:5004@eth1,ttl=16,dscp=34", "10.2.0.5:5004@eth1.7,ttl=keep",
            "10.2.0.5:5004@eth1,source=keep,source-port=6000", "10.2.0.5:5004@eth1,source=10.2.0.1",
            "10.2.0.5:5004@eth1,mac=02:00:00:00:00:01", "10.2.0.5:5004@eth1,pt=0,ssrc=0x00000000",
            "10.2.0.5:5004@eth1,dscp=0,pt=96,ssrc=0x1234abcd,sequence-offset=65535,timestamp-offset=4294967295",
            "[2001:db8::5]:5004@eth2,source=2001:db8::1", "[ff3e::1]:5004@eth2.1.4094",
            "10.2.0.5:5004@eth1,packets=rtp", "10.2.0.5:5005@eth1,source-port=7,packets=rtcp",
        ])
    func legRoundTrip(text: String) throws {
        let leg = try LegSpecification(text)
        #expect(leg.description == text)
        #expect(try LegSpecification(leg.description) == leg)
    }

    @Test(
        "Defaults, other notations and other orders are printed in the shortest form",
        arguments: [
            ("10.2.0.5:5004@eth1,ttl=decrement,dscp=keep,source=interface,source-port=keep", "10.2.0.5:5004@eth1"),
            ("10.2.0.5:5004@eth1,dscp=AF41,ttl=1", "10.2.0.5:5004@eth1,ttl=1,dscp=34"),
            ("10.2.0.5:5004@eth1,dscp=ef", "10.2.0.5:5004@eth1,dscp=46"),
            ("10.2.0.5:5004@eth1,dscp=CS0", "10.2.0.5:5004@eth1,dscp=0"),
            ("10.2.0.5:5004@eth1,dscp=CS7", "10.2.0.5:5004@eth1,dscp=56"),
            ("10.2.0.5:5004@eth1,dscp=AF13", "10.2.0.5:5004@eth1,dscp=14"),
            ("10.2.0.5:5004@eth1,ssrc=4096", "10.2.0.5:5004@eth1,ssrc=0x00001000"),
            ("10.2.0.5:5004@eth1,ssrc=0XFF", "10.2.0.5:5004@eth1,ssrc=0x000000ff"),
            ("10.2.0.5:5004@eth1,sequence-offset=-1", "10.2.0.5:5004@eth1,sequence-offset=65535"),
            ("10.2.0.5:5004@eth1,timestamp-offset=-1", "10.2.0.5:5004@eth1,timestamp-offset=4294967295"),
            ("[2001:DB8:0::5]:5004@eth1,source=[2001:db8::1]", "[2001:db8::5]:5004@eth1,source=2001:db8::1"),
            ("10.2.0.5:5004@eth1,mac=02-00-00-00-00-0A", "10.2.0.5:5004@eth1,mac=02:00:00:00:00:0a"),
        ])
    func shortestForm(text: String, shortest: String) throws {
        #expect(try LegSpecification(text).description == shortest)
    }

    @Test(
        "Last parts of an interface that are VLAN identifiers are VLANs; other dots belong to the name",
        arguments: [
            ("eth0", "eth0", []), ("eth0.100", "eth0", [100]), ("eth0.100.200", "eth0", [100, 200]),
            ("eth0.4094", "eth0", [4094]), ("eth0.4095", "eth0.4095", []), ("eth0.0", "eth0.0", []),
            ("eth0.0100", "eth0.0100", []), ("br.lan", "br.lan", []), ("br.lan.7", "br.lan", [7]),
            ("a.1.2.3", "a.1", [2, 3]), ("eth0.4095.7", "eth0.4095", [7]),
        ] as [(String, String, [UInt16])])
    func ports(text: String, interface: String, vlans: [UInt16]) throws {
        let port = try PortReference(text)
        #expect(port == PortReference(interface: interface, vlans: vlans))
        #expect(port.description == text)
    }

    @Test("Every key ends in its property")
    func properties() throws {
        let source = try SourceSpecification("239.1.1.10:5004@eth0.9,source=10.1.0.7,source-port=6,join=off")
        #expect(
            source
                == SourceSpecification(
                    address: IPAddress(239, 1, 1, 10), udpPort: 5004,
                    port: PortReference(interface: "eth0", vlans: [9]),
                    source: IPAddress(10, 1, 0, 7), sourceUDPPort: 6, joins: false))
        let leg = try LegSpecification(
            "10.2.0.5:1@eth1,ttl=255,dscp=63,source=10.2.0.1,source-port=7,mac=02:00:00:00:00:01,pt=127,ssrc=9,"
                + "sequence-offset=3,timestamp-offset=4")
        #expect(
            leg
                == LegSpecification(
                    address: IPAddress(10, 2, 0, 5), udpPort: 1, port: PortReference(interface: "eth1"),
                    source: .set(IPAddress(10, 2, 0, 1)), sourceUDPPort: 7, timeToLive: .set(255), dscp: 63,
                    mac: MACAddress("02:00:00:00:00:01"),
                    rtp: .init(payloadType: 127, ssrc: 9, sequenceOffset: 3, timestampOffset: 4)))
    }
}
