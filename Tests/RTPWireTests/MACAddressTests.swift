// Ethernet addresses: text forms, and those of multicast groups.

import RTPWire
import Testing

@Suite("MAC addresses")
struct MACAddressTests {
    @Test(
        "text is read and written",
        arguments: [
            ("02:00:00:00:00:01", "02:00:00:00:00:01"), ("02-0A-ff-00-00-01", "02:0a:ff:00:00:01"),
            ("ff:ff:ff:ff:ff:ff", "ff:ff:ff:ff:ff:ff"),
        ])
    func text(written: String, canonical: String) throws {
        #expect(try #require(MACAddress(written)).description == canonical)
    }

    @Test(
        "what is no address is refused",
        arguments: [
            "", "02:00:00:00:00", "02:00:00:00:00:01:02", "2:0:0:0:0:1", "02:00:00:00:00:0g", "020000000001",
            "02:00:00:00:00:01 ", "+2:00:00:00:00:01", "02:00:00:00:00:-1",
        ])
    func refused(_ text: String) {
        #expect(MACAddress(text) == nil)
    }

    /// RFC 1112 section 6.4 (23 bits: 32 groups share one address) and RFC 2464 section 7.
    @Test(
        "a group's address follows from it",
        arguments: [
            ("239.1.1.10", "01:00:5e:01:01:0a"), ("239.129.1.10", "01:00:5e:01:01:0a"),
            ("224.127.255.255", "01:00:5e:7f:ff:ff"), ("239.128.0.0", "01:00:5e:00:00:00"),
            ("ff3e::8000:1", "33:33:80:00:00:01"), ("ff02::1:ff12:3456", "33:33:ff:12:34:56"),
        ])
    func groups(group: String, mac: String) throws {
        let parsed = try #require(IPAddress(group))
        let address = try #require(MACAddress(group: parsed))
        #expect(address.description == mac)
        #expect(address.isMulticast)
    }

    @Test("a unicast address has none", arguments: ["10.1.0.7", "2001:db8::1", "255.255.255.255"])
    func unicast(_ text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(MACAddress(group: address) == nil)
    }

    @Test("octets are in wire order")
    func octets() throws {
        let address = try #require(MACAddress(bytes: [2, 3, 4, 5, 6, 7]))
        #expect(address.value == 0x0203_0405_0607)
        #expect(address.bytes == [2, 3, 4, 5, 6, 7])
        #expect(!address.isMulticast)
        #expect(MACAddress(bytes: [1, 2, 3, 4, 5]) == nil)
        #expect(MACAddress.zero.bytes == [0, 0, 0, 0, 0, 0])
    }
}
