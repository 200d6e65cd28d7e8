// The parent of all suites here that talk to the kernel, in namespaces of their own.

import TestSupport
import Testing

@Suite(.serialized, .enabled(if: hasPrivileges, "\(privilegesReason)"), .timeLimit(.minutes(2)))
enum KernelTests {}

extension KernelTests {
    /// What the tests' own scaffolding promises.
    @Suite struct Scaffolding {
        @Test func namespacesAreSeparateAndGoAway() async throws {
            let a = try NetworkNamespace("a")
            let b = try NetworkNamespace("b")
            try a.addVeth(
                VethEnd("v0", addresses: ["10.0.0.1/24", "2001:db8::1/64"], mtu: 3000),
                to: VethEnd("v1", addresses: ["10.0.0.2/24"], mtu: 3000), in: b)
            #expect(try a.run(["ip", "-6", "address", "show", "dev", "v0"]).contains("2001:db8::1/64"))
            #expect(try b.run(["ethtool", "-k", "v1"]).contains("generic-receive-offload: on"))
            #expect(try await a.perform { 5 } == 5)
            a.close()
            b.close()
            let left = try Command.run(["ip", "netns", "list"])
            #expect(!left.contains(a.name) && !left.contains(b.name))
        }
    }
}
