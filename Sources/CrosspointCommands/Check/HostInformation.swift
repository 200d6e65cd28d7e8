// Where `check` learns what this host is.

import Glibc
import Node

/// What is known of this host without a daemon.
enum HostInformation {
    /// What describes the host's interfaces.
    static func source(configuration: NodeConfiguration) -> any NodeInformationSource { HostPorts() }

    /// The kernel's release, as `uname -r` prints it.
    static var kernel: String {
        var names = utsname()
        guard uname(&names) == 0 else { return "unknown" }
        return withUnsafeBytes(of: &names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
