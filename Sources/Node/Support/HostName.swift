// The name that the kernel gives this host.

import Glibc

/// The host's name.
public enum HostName {
    /// The name that `uname -n` prints, or `localhost` if there is none.
    public static var current: String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let result = buffer.withUnsafeMutableBytes { bytes in
            gethostname(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count - 1)
        }
        let name = String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
        return result == 0 && !name.isEmpty ? name : "localhost"
    }
}
