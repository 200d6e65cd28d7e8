// Errors of a configuration file, with their line.

/// The first thing in a configuration file that cannot be.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file's path.
    public var file: String
    /// The line, from 1; nil if the file could not be read at all.
    public var line: Int?
    /// The key that the problem is with, `routes.cam1.from`; nil if it is with the file's syntax.
    public var key: String?
    /// The problem and its remedy.
    public var problem: String

    public init(file: String, line: Int? = nil, key: String? = nil, problem: String) {
        self.file = file
        self.line = line
        self.key = key
        self.problem = problem
    }

    /// One line: `crosspoint.yaml:12: routes.cam1.from: …`.
    public var description: String {
        file + (line.map { ":\($0)" } ?? "") + ": " + (key.map { "\($0): " } ?? "") + problem
    }
}
