// Errors of a file of users.

/// The reason for which a file of users cannot be used, or cannot hold a name.
public struct UserDatabaseError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file's path; empty if it is not about a file.
    public var file: String
    /// The line, from 1; nil for the file as a whole.
    public var line: Int?
    /// The problem and its remedy.
    public var problem: String

    init(file: String = "", line: Int? = nil, problem: String) {
        self.file = file
        self.line = line
        self.problem = problem
    }

    init(_ problem: String) { self.init(problem: problem) }

    /// One line: `/etc/crosspoint/users:3: names the algorithm 'SHA'; use SHA-256 or MD5`.
    public var description: String {
        if file.isEmpty { return problem }
        return file + (line.map { ":\($0)" } ?? "") + ": " + problem
    }
}
