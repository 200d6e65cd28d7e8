// Reading and writing the configuration file as a whole.

import Glibc
import Yams

/// A configuration file on disk.
public enum ConfigurationFile {
    /// Reads and checks the file at `path`. With `checksFiles`, also that the files which it names (certificates, keys, users) can be used:
    /// what the daemon asks for, and who only looks at the configuration may not read.
    public static func load(
        _ path: String, checksFiles: Bool = false
    ) throws(ConfigurationError) -> NodeConfiguration {
        let bytes: [UInt8]
        do { bytes = try FileContents.read(path) } catch {
            throw ConfigurationError(file: path, problem: "cannot be read: \(error.reason)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationError(file: path, problem: "is not UTF-8 text; save it as UTF-8")
        }
        // A file that a full disk has cut off must not pass for a node without routes.
        guard text.utf8.contains(where: { !" \t\r\n".utf8.contains($0) }) else {
            throw ConfigurationError(
                file: path,
                problem: "is empty, as if it could not be written; write '{}' into it for a node without routes"
            )
        }
        return try parse(text, file: path, checksFiles: checksFiles)
    }

    /// Reads and checks the text of a configuration file; `file` is its name in errors.
    public static func parse(
        _ text: String, file: String, checksFiles: Bool = false
    ) throws(ConfigurationError) -> NodeConfiguration {
        try checkEnd(of: text, file: file)
        let root: Yams.Node?
        do { root = try Yams.compose(yaml: text) } catch { throw syntaxError(error, text: text, file: file) }
        guard let root else { return NodeConfiguration() }
        let node = ConfigurationNode(file: file, key: "", node: root)
        return node.isEmpty ? NodeConfiguration() : try ConfigurationReader(root: node, checksFiles: checksFiles).read()
    }

    /// Writes `configuration` to `path`: whole or not at all, readers see the old file or the new one.
    ///
    /// A file that is there and cannot be read as a configuration is left alone unless `force` is set. A configuration with passwords has
    /// the mode 0600. Such a file, and a new one, belong to `reader`, the daemon's user, where this process may give files away.
    public static func save(
        _ configuration: NodeConfiguration, to path: String, force: Bool, reader: UInt32? = nil
    ) throws(ConfigurationError) {
        if !force, access(path, F_OK) == 0 {
            do { _ = try load(path) } catch {
                throw ConfigurationError(
                    file: path, line: error.line, key: error.key,
                    problem: "\(error.problem) (the file is left alone; mend it, or overwrite it with --force)")
            }
        }
        do {
            try FileContents.replace(
                path, with: ConfigurationWriter.text(of: configuration), isSecret: configuration.hasSecrets,
                reader: reader)
        } catch {
            throw ConfigurationError(file: path, problem: "cannot be written: \(error.reason)")
        }
    }

    /// A file that ends within a line is still being written, or was cut.
    private static func checkEnd(of text: String, file: String) throws(ConfigurationError) {
        guard let last = text.utf8.last, last != 0x0a else { return }
        let lines = text.utf8.count { $0 == 0x0a } + 1
        throw ConfigurationError(
            file: file, line: lines,
            problem:
                "the file ends in the middle of this line, as if half written; if it is complete, end it with a newline"
        )
    }

    /// The error that a YAML error means, with its line.
    private static func syntaxError(_ error: any Error, text: String, file: String) -> ConfigurationError {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        switch error as? YamlError {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let line = min(max(mark.line, 1), lines.count)
            let indent = lines[line - 1].prefix { $0 == " " || $0 == "\t" }
            if indent.contains("\t") {
                return ConfigurationError(file: file, line: line, problem: "is indented with a tab; YAML wants spaces")
            }
            let begin = context.map { " (\($0.text), begun on line \($0.mark.line))" } ?? ""
            return ConfigurationError(file: file, line: line, problem: "is not YAML: \(problem)\(begin)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let key = duplicates.first ?? ""
            let line = secondLine(of: key, after: context.mark, in: lines)
            return ConfigurationError(
                file: file, line: line, key: key, problem: "stands twice (first on line \(context.mark.line)); keep one"
            )
        case .reader(let problem, let offset, _, _):
            let line = offset.map { text.prefix($0).count { $0 == "\n" } + 1 }
            return ConfigurationError(file: file, line: line, problem: "is not YAML: \(problem)")
        default:
            return ConfigurationError(file: file, problem: "is not YAML that can be read")
        }
    }

    /// The line on which the key that is first at `mark` occurs again in the same column.
    private static func secondLine(of key: String, after mark: Mark, in lines: [Substring]) -> Int {
        for (index, line) in lines.enumerated().dropFirst(mark.line) {
            let word = line.dropFirst(mark.column - 1)
            let quoted = [key, "\"\(key)\"", "'\(key)'"].contains { word.hasPrefix($0 + ":") }
            if quoted, line.prefix(mark.column - 1).allSatisfy({ $0 == " " }) { return index + 1 }
        }
        return mark.line
    }
}
