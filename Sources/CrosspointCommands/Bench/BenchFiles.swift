// The report as files.

import FoundationEssentials
import Node
import Qualification

/// Writes a report as JSON and as a picture.
struct BenchFiles {
    let prefix: String

    /// Refuses a prefix whose folder is not there, before minutes have passed.
    func check() throws {
        let folder = URL(filePath: prefix).deletingLastPathComponent().path
        var isFolder = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder else {
            throw CommandError.usage("--output \(prefix): there is no folder \(folder)")
        }
    }

    func write(_ report: QualificationReport) throws {
        let files = [
            (".json", try JSONText.encode(report, pretty: true) + Data("\n".utf8)),
            (".svg", Data(QualificationPlot.svg(report).utf8)),
        ]
        for (ending, data) in files {
            do {
                try data.write(to: URL(filePath: prefix + ending), options: .atomic)
            } catch {
                throw CommandError("\(prefix)\(ending): cannot be written; check the folder's mode and space")
            }
        }
    }
}
