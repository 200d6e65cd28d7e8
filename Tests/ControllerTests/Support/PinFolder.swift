// A folder in bpffs for one test, which goes when the object goes.

import FastPath
import Glibc
import Synchronization
import TestSupport

/// `/sys/fs/bpf/crosspoint-PID-NUMBER`. One left behind by a test process that was killed is removed by the next.
final class PinFolder: Sendable {
    let pins: PinDirectory
    private static let count = Atomic<Int>(0)
    private static let leftoversAreGone: Void = removeLeftovers()

    init() {
        _ = Self.leftoversAreGone
        let number = Self.count.add(1, ordering: .relaxed).newValue
        pins = PinDirectory(path: "/sys/fs/bpf/crosspoint-\(getpid())-\(number)")
    }

    deinit { pins.removeAll() }

    private static func removeLeftovers() {
        let list = (try? Command.run(["ls", "/sys/fs/bpf"])) ?? ""
        for name in list.split(separator: "\n") {
            let parts = name.split(separator: "-")
            guard parts.count == 3, parts[0] == "crosspoint", let owner = pid_t(parts[1]), kill(owner, 0) != 0,
                errno == ESRCH
            else { continue }
            PinDirectory(path: "/sys/fs/bpf/\(name)").removeAll()
        }
    }
}
