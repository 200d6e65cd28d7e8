// The file of users.

@testable import Authentication
import Glibc
import TestSupport
import Testing

@Suite("Authentication: users")
struct UserDatabaseTests {
    static let md5 = String(repeating: "0f", count: 16)
    static let sha256 = String(repeating: "Af", count: 32)

    @Test("Lines are read; comments and order stay")
    func text() throws {
        let text = "# users\n\nanna:studio:SHA-256:\(Self.sha256.lowercased())\n  # more\nbert:a:b:c:MD5:\(Self.md5)\n"
        var users = try UserDatabase(parsing: text, file: "users")
        #expect(users.text == text)
        #expect(users.keys.map(\.user) == ["anna", "bert"] && users.keys.map(\.realm) == ["studio", "a:b:c"])
        #expect(users.secret(user: "bert", realm: "a:b:c", algorithm: .md5) == Self.md5)
        try users.set(user: "anna", realm: "studio", password: "x")
        let lines = users.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(
            lines.count == 7 && lines[2].hasPrefix("anna:studio:SHA-256:") && lines[5].hasPrefix("anna:studio:MD5:"))
        #expect(users.accepts(user: "anna", realm: "studio", password: "x"))
        let removedOther = users.remove(user: "anna", realm: "a:b:c")
        let removed = users.remove(user: "anna", realm: "studio")
        #expect(
            !removedOther && removed && users.text == "# users\n\n  # more\nbert:a:b:c:MD5:\(Self.md5)\n")
        #expect(users.user(hash: DigestAlgorithm.md5.hash("anna:studio"), realm: "studio", algorithm: .md5) == nil)
        #expect(try UserDatabase(parsing: "", file: "users").text == "")
    }

    @Test(
        "An error names file, line and remedy",
        arguments: [
            ("anna", "users:1: is not 'user:realm:algorithm:hash'; let 'crosspoint user add' write it"),
            (":r:MD5:\(md5)", "users:1: is not 'user:realm:algorithm:hash'; let 'crosspoint user add' write it"),
            ("#\nanna:r:md5:\(md5)", "users:2: names the algorithm 'md5'; use SHA-256 or MD5"),
            (
                "anna:r:MD5:\(sha256)",
                "users:1: has no hash of 32 hexadecimal digits; let 'crosspoint user add' write it"
            ),
            (
                "anna:r:MD5:\(md5.dropLast())g",
                "users:1: has no hash of 32 hexadecimal digits; let 'crosspoint user add' write it"
            ),
            ("a:r:MD5:\(md5)\na:r:MD5:\(md5)", "users:2: user 'a' of realm 'r' has a second MD5; remove one"),
        ])
    func errors(text: String, message: String) throws {
        let error = try #require(throws: UserDatabaseError.self) { try UserDatabase(parsing: text, file: "users") }
        #expect(error.description == message)
    }

    @Test("Names that a line cannot hold are refused", arguments: ["", "a:b", "a\nb", " a", "#a", "a\u{85}", "a\0"])
    func names(name: String) {
        var users = UserDatabase()
        #expect(throws: UserDatabaseError.self) { try users.set(user: name, realm: "r", password: "p") }
        #expect(users.keys.isEmpty)
        #expect(throws: UserDatabaseError.self) { try users.set(user: "a", realm: "r\n", password: "p") }
    }

    @Test("The file is written for its owner alone, and refused when others may read it")
    func file() throws {
        let folder = try TemporaryDirectory()
        let path = folder.path + "/users"
        var users = UserDatabase()
        try users.set(user: "anna", realm: "studio:1", password: "p")
        try UserFile.save(users, to: path)
        #expect(try UserFile.load(path) == users)
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        for mode in [0o640, 0o604, 0o620, 0o601] as [mode_t] {
            #expect(chmod(path, mode) == 0)
            let error = try #require(throws: UserDatabaseError.self) { try UserFile.load(path) }
            let octal = String(mode, radix: 8)
            #expect(
                error.description
                    == "\(path): is open to others than its owner (mode 0\(octal)); run 'chmod 600 \(path)'")
        }
        let link = folder.path + "/link"
        #expect(symlink(path, link) == 0)
        _ = users.remove(user: "anna", realm: "studio:1")
        try UserFile.save(users, to: link)
        #expect(try UserFile.load(path) == users)
        #expect(lstat(link, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
    }

    @Test("What cannot be read or written is named")
    func failures() throws {
        let folder = try TemporaryDirectory()
        func message(_ body: () throws -> Void) throws -> String {
            try #require(throws: UserDatabaseError.self, performing: body).description
        }
        #expect(
            try message { _ = try UserFile.load(folder.path + "/none") }
                == "\(folder.path)/none: cannot be read: No such file or directory")
        #expect(try message { _ = try UserFile.load(folder.path) }.contains("is not a regular file"))
        #expect(
            try message { try UserFile.save(UserDatabase(), to: folder.path + "/none/users") }
                .hasSuffix("cannot be written: No such file or directory"))
        #expect(!UserFile.exists(folder.path + "/none") && UserFile.exists(folder.path))
    }
}
