// The configuration that a node ran with last: what it starts with while its file is broken.

import FoundationEssentials
import Glibc

/// The text of the configuration file as it was applied last, kept in the runtime directory, for the daemon alone. It goes with the host: at a
/// boot the file is the truth.
public struct LastConfiguration: Sendable {
    private let path: String

    /// The copy in a node's runtime directory.
    public init(runtimeDirectory: String) { path = "\(runtimeDirectory)/configuration.yaml" }

    /// The copy of the node whose configuration file has this text, which may be broken: the line that names the runtime directory may be
    /// whole all the same.
    public init(ofFile text: String, environment: [String: String]) {
        let key = "runtime-directory:"
        let named = text.split(separator: "\n").first { $0.hasPrefix(key) }.map { line in
            String(line.dropFirst(key.count).drop { $0 == " " }.prefix { $0 != " " && $0 != "#" })
                .filter { $0 != "\"" && $0 != "'" && !$0.isNewline }
        }
        let ofService = environment["RUNTIME_DIRECTORY"]?.split(separator: ":").first.map(String.init)
        self.init(runtimeDirectory: named ?? ofService ?? NodeConfiguration().runtimeDirectory)
    }

    /// The copy, read and checked as the file `file`; nil where there is none, or none that can be used.
    public func load(as file: String) -> NodeConfiguration? {
        guard let bytes = try? FileContents.read(path), let text = String(validating: bytes, as: UTF8.self) else {
            return nil
        }
        return try? ConfigurationFile.parse(text, file: file, checksFiles: true)
    }

    /// Keeps the text of the file `file`, if it still says what the node runs with.
    func keep(_ file: String, runningAs configuration: NodeConfiguration) throws(ConfigurationError) {
        let bytes: [UInt8]
        do { bytes = try FileContents.read(file) } catch {
            throw ConfigurationError(file: file, problem: "cannot be read: \(error.reason)")
        }
        guard let text = String(validating: bytes, as: UTF8.self),
            (try? ConfigurationFile.parse(text, file: file)) == configuration
        else { return }
        do { try FileContents.replace(path, with: text, isSecret: true) } catch {
            throw ConfigurationError(file: path, problem: "cannot be written: \(error.reason)")
        }
    }
}
