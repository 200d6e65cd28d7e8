// Names and addresses.

import AgentSupport
import NIOCore
import RTPWire
import Testing

@Suite("The resolver of the host") struct HostResolverTests {
    @Test("An address is itself, with the transport's port, and asks nobody")
    func numeric() async throws {
        let addresses = try await HostResolver().run { () throws(ResolverError) in
            try HostResolver.addresses(of: "2001:db8::1", transportPort: 5061, isNumeric: true)
        }
        #expect(addresses.compactMap { IPAddress($0) } == [IPAddress("2001:db8::1")])
        #expect(addresses.map(\.port) == [5061])
    }

    @Test("What is no address is refused by its name where no name may stand")
    func refused() {
        let error = #expect(throws: ResolverError.self) {
            try HostResolver.addresses(of: "camera", transportPort: 0, isNumeric: true)
        }
        #expect(error?.message.hasPrefix("camera: ") == true)
    }
}
