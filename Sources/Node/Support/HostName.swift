// The name that the kernel gives this host.

import Glibc

/// The host's name.
public enum HostName {
    /// The name that `uname -n` prints, or `localhost` if there is none.
    public static var current: String {
        var buffer = [CChar](repeating: 0, count: 256)
        let result = gethostname(&buffer, buffer.count - 1)
        let name = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return result == 0 && !name.isEmpty ? name : "localhost"
    }
}
