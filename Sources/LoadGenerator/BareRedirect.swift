// The least that a router could do, to compare with.

import CrosspointShim
public import FastPath

extension LoadGenerator {
    /// Makes an interface redirect everything to others without touching a byte: what `bare` in the benchmark is.
    ///
    /// - Parameter copies: interfaces, one for each copy: 1, 2, 8 or 32 of them.
    public func attachBareRedirect(to interfaceIndex: UInt32, copies: [UInt32]) throws(FastPathError) {
        if copies.count == 1 {
            try setEntry("redirects", 1, copies[0])
            try attach(program: "redirect_only", to: interfaceIndex)
            return
        }
        for (key, copy) in copies.enumerated() { try setEntry("fan_\(copies.count)", UInt32(key), copy) }
        try attach(program: "broadcast_\(copies.count)", to: interfaceIndex)
    }
}
