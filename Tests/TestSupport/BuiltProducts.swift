// Where the programs stand that were built together with the tests.

import Glibc

/// The build's own programs.
public enum BuiltProducts {
    /// The path of a program of this package, which must be a dependency of the test target.
    public static func path(of name: String) throws -> String {
        // The test bundle stands beside them: it is the running program itself, or one of its arguments.
        var room = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &room, room.count)
        let executable = String(decoding: room.prefix(max(length, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for candidate in [executable] + CommandLine.arguments {
            guard let end = candidate.range(ofBundle: ".xctest") else { continue }
            let bundle = candidate[..<end]
            guard let slash = bundle.lastIndex(of: "/") else { continue }
            let path = bundle[...slash] + name
            if access(String(path), X_OK) == 0 { return String(path) }
        }
        throw SystemFailure("find \(name) beside the tests", error: ENOENT)
    }
}

extension String {
    /// The end of the first path component that ends in `suffix`.
    fileprivate func range(ofBundle suffix: String) -> Index? {
        var end = startIndex
        for component in split(separator: "/", omittingEmptySubsequences: false) {
            end = component.endIndex
            if component.hasSuffix(suffix) { return end }
        }
        return nil
    }
}
