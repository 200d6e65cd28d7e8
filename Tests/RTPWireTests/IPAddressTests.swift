// IP addresses: text forms, families, kinds.

import RTPWire
import Testing

@Suite("IP addresses")
struct IPAddressTests {
    /// RFC 5952 sections 1, 2 and 4: what people write, and the one form to write it in.
    static let canonical: [(String, String)] = [
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8::1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:0db8::1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8:0:0:1::1", "2001:db8::1:0:0:1"),
        ("2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"),
        ("2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"),
        ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"),
        // 4.2.2: one group of zeros is not shortened.
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        // 4.2.3: the longest run, and the first of equal ones.
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("0:0:0:0:0:0:0:0", "::"),
        ("::1", "::1"),
        ("1::", "1::"),
        ("0:1:0:0:0:0:0:0", "0:1::"),
        ("FF3E:0:0:0:0:0:8000:1", "ff3e::8000:1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ("10.1.0.7", "10.1.0.7"),
        ("0.0.0.0", "0.0.0.0"),
        ("255.255.255.255", "255.255.255.255"),
    ]

    @Test("text is read, and written in the canonical form (RFC 5952)", arguments: canonical)
    func text(written: String, canonical: String) throws {
        let address = try #require(IPAddress(written))
        #expect(address.description == canonical)
        #expect(IPAddress(canonical) == address)
    }

    @Test(
        "what is no address is refused",
        arguments: [
            "", ".", ":", ":::", "1", "10.1.0", "10.1.0.7.8", "10.1.0.256", "10.1.0.-1", "10.1.0.07", "010.1.0.7",
            "10.1.0.7 ", " 10.1.0.7", "10.1.0.7/24", "10.1.0.7:5004", "10.1.0.x", "10..0.7", "+1.2.3.4", "1:2",
            "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "::1%eth0", "[::1]", "12345::", "g::", "::1:", ":1::",
            "1:2:3:4:5:6:7::8", "1.2.3.4::", "::1.2.3", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "٣.1.1.1", "::ｆ",
        ])
    func refused(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("bytes and words are those of the wire")
    func representations() throws {
        let v4 = IPAddress(10, 1, 0, 7)
        #expect(v4.bytes == [10, 1, 0, 7])
        #expect(v4.words.3 == UInt32(0x0a01_0007).bigEndian)
        #expect(v4.words.2 == UInt32(0xffff).bigEndian)
        #expect(v4.words.0 == 0 && v4.words.1 == 0)
        #expect(IPAddress(words: v4.words) == v4)
        let v6 = try #require(IPAddress("2001:db8:102:304:506:708:90a:b0c"))
        #expect(v6.bytes == [0x20, 1, 0x0d, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
        #expect(IPAddress(bytes: v6.bytes) == v6)
        #expect(IPAddress(words: v6.words) == v6)
        for count in [0, 3, 5, 15, 17] { #expect(IPAddress(bytes: [UInt8](repeating: 1, count: count)) == nil) }
    }

    @Test("every address survives its text")
    func everyText() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            // Many zeros, for runs of them.
            let bytes = (0..<8).flatMap { _ -> [UInt8] in
                Bool.random(using: &generator) ? [0, 0] : [.random(in: 0...255), .random(in: 0...255)]
            }
            let address = try #require(IPAddress(bytes: bytes))
            #expect(IPAddress(address.description) == address)
        }
    }

    @Test(
        "kinds of addresses",
        arguments: [
            ("239.1.1.10", "multicast"), ("224.0.0.1", "multicast linklocalgroup"), ("224.0.1.129", "multicast"),
            ("223.255.255.255", ""), ("240.0.0.1", ""), ("ff02::1", "multicast linklocalgroup"),
            ("ff01::1", "multicast linklocalgroup"), ("ff12::1", "multicast linklocalgroup"), ("ff3e::1", "multicast"),
            ("127.9.9.9", "loopback"), ("::1", "loopback"), ("0.0.0.0", "unspecified"), ("::", "unspecified"),
            ("255.255.255.255", "broadcast"), ("fe80::1", "linklocal"), ("febf::1", "linklocal"), ("fec0::1", ""),
            ("10.0.0.1", ""), ("2001:db8::1", ""),
        ])
    func kinds(text: String, kinds: String) throws {
        let address = try #require(IPAddress(text))
        let words = Set(kinds.split(separator: " ").map(String.init))
        #expect(address.isMulticast == words.contains("multicast"))
        #expect(address.isLinkLocalMulticast == words.contains("linklocalgroup"))
        #expect(address.isLoopback == words.contains("loopback"))
        #expect(address.isUnspecified == words.contains("unspecified"))
        #expect(address.isLimitedBroadcast == words.contains("broadcast"))
        #expect(address.isLinkLocalUnicast == words.contains("linklocal"))
    }

    @Test(
        "networks",
        arguments: [
            ("10.1.0.7", "10.1.0.200", 24, true), ("10.1.0.7", "10.1.1.7", 24, false),
            ("10.1.0.7", "10.1.1.7", 23, true),
            ("10.1.0.7", "11.0.0.0", 0, true), ("10.1.0.7", "10.1.0.7", 32, true), ("10.1.0.7", "10.1.0.6", 32, false),
            ("2001:db8::1", "2001:db8::ffff", 64, true), ("2001:db8::1", "2001:db8:0:1::1", 64, false),
            ("2001:db8::1", "2001:db8::3", 126, true), ("2001:db8::1", "2001:db8::3", 127, false),
            ("2001:db8::1", "2001:db8::3", 128, false), ("2001:db8::1", "::", 0, true), ("10.1.0.7", "::", 0, false),
        ])
    func networks(a: String, b: String, prefix: Int, together: Bool) throws {
        let (first, second) = (try #require(IPAddress(a)), try #require(IPAddress(b)))
        #expect(first.isInSameNetwork(as: second, prefixLength: prefix) == together)
        #expect(second.isInSameNetwork(as: first, prefixLength: prefix) == together)
    }
}
