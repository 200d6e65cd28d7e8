// The least that a router could do, to compare with.

import CrosspointShim
public import FastPath

extension LoadGenerator {
    /// Makes an interface redirect everything to others without touching a byte: what `bare` in the benchmark is.
    ///
    /// - Parameters:
    ///   - copies: interfaces, one for each copy: 1, 2, 8 or 32 of them.
    ///   - callsEgress: Whether each copy of several runs an egress program, one that does nothing.
    public func attachBareRedirect(
        to interfaceIndex: UInt32, copies: [UInt32], callsEgress: Bool = false
    ) throws(FastPathError) {
        if copies.count == 1 {
            try setEntry("redirects", 1, copies[0])
            try attach(program: "redirect_only", to: interfaceIndex)
            return
        }
        let egress = callsEgress ? try loaded.program("leave") : nil
        for (key, copy) in copies.enumerated() {
            try setEntry("fan_\(copies.count)", UInt32(key), copy, egress: egress)
        }
        try attach(program: "broadcast_\(copies.count)", to: interfaceIndex)
    }
}
