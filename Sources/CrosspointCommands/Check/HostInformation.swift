// Source of the information of `check` on this host.

import Glibc
import Netlink
import Node

/// The information on this host that is available without a daemon.
enum HostInformation {
    /// The host's interfaces but loopback, each as a port; a frame is sent through those that can, by `redirects`.
    static func ports(_ redirects: RedirectCheck) throws -> [PortReport] {
        try NetlinkHostNetwork().interfaces().filter { $0.name != "lo" }.map { interface in
            redirects.complete(PortReport(interface), interface)
        }
    }

    /// The kernel's release, as `uname -r` prints it.
    static var kernel: String {
        var names = utsname()
        guard uname(&names) == 0 else { return "unknown" }
        return withUnsafeBytes(of: &names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
