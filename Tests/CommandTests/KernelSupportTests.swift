// What `check` says of kernels.

import Node
import Testing

@testable import CrosspointCommands

@Suite("Kernels")
struct KernelSupportTests {
    @Test(
        "a release is judged by its first two numbers",
        arguments: [
            ("6.1.0-50-cloud-amd64", KernelSupport.tested), ("6.11.9", .tested),
            ("6.12.117+deb13-cloud-amd64", .tested), ("7.3.4", .tested),
            ("6.18", .tested), ("6.0.19", .tooOld), ("5.10.0-33-amd64", .tooOld), ("4.19", .tooOld),
            ("7.4-rc1", .untested),
            ("10.0.0", .untested), ("unknown", .unknown), ("", .unknown), ("6", .unknown), ("6.x", .unknown),
        ])
    func series(release: String, support: KernelSupport) { #expect(KernelSupport(release: release) == support) }

    @Test("a kernel that is too old is a problem with its remedy; a newer one is only told")
    func problems() throws {
        func report(_ kernel: String) -> CheckReport {
            CheckReport(configuration: .init(), file: nil, kernel: kernel, ports: [])
        }
        #expect(
            report("5.10.0").problems == [
                "kernel 5.10.0: older than 6.1, the oldest that Crosspoint is tested on; boot a newer one"
            ])
        #expect(report("99.1").problems.isEmpty)
        #expect(report("99.1").text(colour: false).contains("99.1 (newer than 7.3"))
        #expect(report("6.18.5").text(colour: false).contains("6.18.5 (tested: 6.1 to 7.3)"))
        #expect(report("6.1.0").problems.isEmpty)
        #expect(report("6.1.0").text(colour: false).contains("6.1.0 (tested: 6.1 to 7.3)"))
    }
}
