// The names under which sockets are kept outside the daemon.

import RTPWire
import Testing

@testable import Routing

@Suite struct SocketKeys {
    @Test(arguments: [
        "join 239.1.1.10 on eth0",
        "join 239.1.1.10 source 10.1.0.7 on eth0",
        "join ff3e::8000:1 source 2001:db8::7 on eth0.100",
        "reserve 10.1.0.1:5004",
        "reserve [2001:db8::1]:5004",
        "reserve [fe80::1]:5004 on eth0",
    ])
    func textsReadBack(_ text: String) throws {
        let key = try #require(SocketKey(text))
        #expect(key.description == text)
        let encoded = try DescriptorName.encode(text)
        #expect(!encoded.contains(":"))
        #expect(DescriptorName.decode(encoded) == text)
    }

    @Test(arguments: [
        "", "join", "join 239.1.1.10", "join 239.1.1.10 on", "join x on eth0", "join 239.1.1.10 source x on eth0",
        "join 239.1.1.10 source 10.1.0.7 at eth0", "reserve 10.1.0.1", "reserve 10.1.0.1:", "reserve 10.1.0.1:65536",
        "reserve 2001:db8::1:5004", "reserve [10.1.0.1]:5004", "reserve 10.1.0.1:5004 on", "leave 239.1.1.10 on eth0",
    ])
    func otherTextsAreRefused(_ text: String) {
        #expect(SocketKey(text) == nil)
    }

    @Test func theLongestKeyFitsSystemd() throws {
        let address = try #require(IPAddress("fd00:1111:2222:3333:4444:5555:6666:7777"))
        let group = try #require(IPAddress("ff3e:1111:2222:3333:4444:5555:6666:7777"))
        let key = SocketKey.join(group: group, source: address, interface: "fifteen:letters")
        #expect(try DescriptorName.encode("\(key)").utf8.count <= 255)
    }

    @Test(arguments: ["held a%3", "held %41", "http.socket", "stored"])
    func foreignNamesAreNotOurs(_ name: String) {
        #expect(DescriptorName.decode(name) == nil)
    }

    @Test(arguments: ["line\nbreak", "gr\u{fc}n", String(repeating: "x", count: 251)])
    func namesThatCannotBeStored(_ name: String) {
        #expect(throws: RoutingError.self) { try DescriptorName.encode(name) }
    }
}
