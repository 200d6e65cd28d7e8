// Programs of released versions, for tests of what comes after them.

import FoundationEssentials

/// The compiled `crosspoint.bpf.c` of a version whose tables had another layout than today's.
public enum ReleasedPrograms {
    /// The ELF file of the last programs with layout 6.
    public static func layoutSix() throws -> [UInt8] {
        let fixture =
            "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/Fixtures/layout-6.o.gz"
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/layout-6.o"
        try Command.run(["sh", "-c", "gzip -dc '\(fixture)' >'\(path)'"])
        guard let data = FileManager.default.contents(atPath: path) else {
            throw SystemFailure("reading \(path)")
        }
        return Array(data)
    }
}
