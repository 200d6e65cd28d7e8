// Captures of real traffic, which lie beside the checkout and never in it.

import Glibc

/// The folder `../shared/corpus` beside the checkout, or the one that `CROSSPOINT_CORPUS` names.
public enum Corpus {
    /// What to say where a capture is missing.
    public static let reason = "needs the captures in ../shared/corpus (or CROSSPOINT_CORPUS)"

    /// Whether the captures are there.
    public static let isPresent = access(path("README.md"), R_OK) == 0

    /// The path of a capture.
    public static func path(_ name: String) -> String {
        if let folder = getenv("CROSSPOINT_CORPUS") { return "\(String(cString: folder))/\(name)" }
        // This file is Tests/TestSupport/Corpus.swift.
        let checkout = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return "/\(checkout)/../shared/corpus/\(name)"
    }

    /// Reads a capture.
    public static func capture(_ name: String) throws -> CaptureFile { try CaptureFile(path: path(name)) }
}
