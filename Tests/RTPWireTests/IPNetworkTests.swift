// Networks in prefix notation.

import RTPWire
import Testing

@Suite("IP networks")
struct IPNetworkTests {
    @Test(
        "Texts are read and written in one form",
        arguments: [
            ("10.1.0.0/16", "10.1.0.0/16"), ("10.1.0.7", "10.1.0.7/32"), ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:DB8::/32", "2001:db8::/32"), ("::1", "::1/128"), ("10.1.0.2/31", "10.1.0.2/31"),
        ])
    func texts(text: String, written: String) throws {
        let network = try #require(IPNetwork(text))
        #expect(network.description == written)
        #expect(IPNetwork(written) == network)
    }

    @Test(
        "What is no network is refused",
        arguments: [
            "", "10.1.0.0/", "10.1.0.0/33", "10.1.0.1/16", "2001:db8::1/64", "2001:db8::/129", "10.1.0.0/-1",
            "10.1.0.0/+8", "10.1.0.0/16/16", "10.1/16", "studio",
        ])
    func refused(text: String) { #expect(IPNetwork(text) == nil) }

    @Test("A network has its addresses and no other")
    func contains() throws {
        let network = try #require(IPNetwork("10.1.2.128/25"))
        #expect(network.contains(IPAddress(10, 1, 2, 128)) && network.contains(IPAddress(10, 1, 2, 255)))
        #expect(!network.contains(IPAddress(10, 1, 2, 127)) && !network.contains(IPAddress(10, 1, 3, 128)))
        #expect(network.hostBits == 7)
        let all = try #require(IPNetwork("::/0"))
        #expect(all.contains(try #require(IPAddress("2001:db8::1"))) && !all.contains(IPAddress(10, 0, 0, 1)))
        #expect(IPNetwork(containing: IPAddress(10, 1, 2, 129), prefixLength: 25) == network)
        #expect(IPNetwork(containing: IPAddress(10, 1, 2, 129), prefixLength: 33) == nil)
    }
}
