// The kernel that tests run on.

import Glibc

/// The kernel's version, of which some tests need one.
public enum KernelRelease {
    /// Major and minor number, as in `6.12`; 0.0 where the kernel does not say.
    public static let current: (major: Int, minor: Int) = {
        var names = utsname()
        guard uname(&names) == 0 else { return (0, 0) }
        let release = withUnsafeBytes(of: names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        return numbers.count == 2 ? (numbers[0], numbers[1]) : (0, 0)
    }()

    public static func isAtLeast(_ major: Int, _ minor: Int) -> Bool { current >= (major, minor) }
}
