// The commands on users, and how passwords get in.

@testable import CrosspointCommands
import ArgumentParser
import Authentication
import Glibc
import Node
import TestSupport
import Testing

@Suite("User commands", .timeLimit(.minutes(1)))
struct UserCommandTests {
    private func run(_ arguments: String...) async -> Int32 { await CrosspointProgram.run(arguments) }

    private func add(_ arguments: String..., password: String) throws {
        let command = try CrosspointCommand.parseAsRoot(["user", "add"] + arguments)
        try #require(command as? UserAddCommand).add(password: password)
    }

    @Test("A user is added, changed, listed and removed, without a daemon")
    func commands() async throws {
        let folder = try TemporaryDirectory()
        let file = folder.path + "/users"
        try add("anna", "--file", file, password: "secret")
        try add("anna", "--realm", "studio: 1", "--file", file, password: "other")
        try add("bert", "--file", file, "--json", password: "x")
        try add("anna", "--file", file, password: "new")
        let users = try UserFile.load(file)
        #expect(
            UserReport.all(in: users) == [
                UserReport(user: "anna", realm: "crosspoint", algorithms: [.sha256, .md5]),
                UserReport(user: "anna", realm: "studio: 1", algorithms: [.sha256, .md5]),
                UserReport(user: "bert", realm: "crosspoint", algorithms: [.sha256, .md5]),
            ])
        #expect(!users.text.contains("secret") && !users.text.contains("new"))
        var server = AuthenticationServer(realm: "crosspoint", users: users, key: Array(0..<32))
        for (password, isRight) in [("new", true), ("secret", false)] {
            let value = AuthenticationCredentials.basic(user: "anna", password: password).headerValue
            let verdict = server.check([value], method: "OPTIONS", uris: [], allowsBasic: true, now: 0)
            #expect(verdict == (isRight ? .authenticated(user: "anna") : .challenge(stale: false)))
        }
        #expect(await run("user", "list", "--file", file) == 0)
        #expect(await run("user", "list", "--file", file, "--json") == 0)
        #expect(await run("user", "remove", "anna", "--realm", "nope", "--file", file) == 1)
        #expect(await run("user", "remove", "anna", "--realm", "studio: 1", "--file", file) == 0)
        #expect(try UserFile.load(file).keys.map(\.user) == ["anna", "anna", "bert", "bert"])
    }

    @Test("The table and the JSON of the list")
    func list() throws {
        var users = UserDatabase()
        try users.set(user: "anna", realm: "studio", password: "x")
        let reports = UserReport.all(in: users)
        #expect(
            UserReport.table(reports).text(colour: false) == "USER  REALM   ALGORITHMS\nanna  studio  SHA-256, MD5\n")
        #expect(
            String(decoding: try JSONText.encode(reports), as: UTF8.self)
                == #"[{"algorithms":["SHA-256","MD5"],"realm":"studio","user":"anna"}]"#)
    }

    @Test("Wrong names are wrong arguments; a file that others may read is refused and left alone")
    func refusals() async throws {
        let folder = try TemporaryDirectory()
        let file = folder.path + "/users"
        #expect(await run("user", "remove", "a:b", "--file", file) == 64)
        #expect(await run("user", "add", "--file", file) == 64)
        #expect(await run("user", "list", "--file", file) == 1)
        try add("anna", "--file", file, password: "secret")
        let text = try UserFile.load(file).text
        #expect(chmod(file, 0o644) == 0)
        #expect(await run("user", "list", "--file", file) == 1)
        let error = try #require(throws: UserDatabaseError.self) { try add("bert", "--file", file, password: "x") }
        #expect(error.description.hasSuffix("run 'chmod 600 \(file)'"))
        #expect(chmod(file, 0o600) == 0)
        #expect(try UserFile.load(file).text == text)
    }

    @Test(
        "From a pipe, the password is the first line",
        arguments: [
            ("secret\n", "secret"), ("secret", "secret"), ("se cret \r\nmore\n", "se cret "),
            ("pässwörd\n", "pässwörd"),
            ("", "the password is empty; give one on standard input"),
            ("\nsecret\n", "the password is empty; give one on standard input"),
            (String(repeating: "a", count: 1025), "the password has more than 1024 bytes; use a shorter one"),
            ("a\0b\n", "the password is not UTF-8 text; use another one"),
        ])
    func pipe(text: String, result: String) throws {
        var ends: [Int32] = [-1, -1]
        try #require(Glibc.pipe(&ends) == 0)
        defer { close(ends[0]) }
        let bytes = Array(text.utf8)
        #expect(write(ends[1], bytes, bytes.count) == bytes.count)
        close(ends[1])
        let input = PasswordInput(file: ends[0]) { _ in Issue.record("nobody is asked") }
        let read: String
        do throws(CommandError) { read = try input.read(for: "anna", isNew: true) } catch { read = error.message }
        #expect(read == result)
    }

    @Test(
        "From a terminal, it is asked for twice and not shown; Control-C gives up; the terminal is as it was",
        arguments: [
            (["secret\n", "secret\n"], "secret"),
            (["secret\n", "Secret\n"], "the two passwords are not the same; type them again"),
            (["sec\u{3}"], "no password was given; nothing is changed"), (["sex\u{7f}cret\n", "secret\n"], "secret"),
        ])
    func terminal(typed: [String], result: String) throws {
        let person = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        try #require(person >= 0)
        defer { close(person) }
        // The kernel's TIOCSPTLCK and TIOCGPTN, which is how unlockpt and ptsname do it.
        var number: Int32 = 0
        try #require(ioctl(person, 0x4004_5431, &number) == 0 && ioctl(person, 0x8004_5430, &number) == 0)
        let terminal = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        try #require(terminal >= 0)
        defer { close(terminal) }
        var before = termios()
        tcgetattr(terminal, &before)
        let asked = Prompts()
        let input = PasswordInput(file: terminal) { text in
            asked.texts.append(text)
            if asked.texts.count <= typed.count {
                _ = write(person, typed[asked.texts.count - 1], typed[asked.texts.count - 1].utf8.count)
            }
        }
        let read: String
        do throws(CommandError) { read = try input.read(for: "anna", isNew: true) } catch { read = error.message }
        #expect(read == result)
        #expect(asked.texts == Array(["Password of anna: ", "\nThe same again: "].prefix(typed.count)) + ["\n"])
        var after = termios()
        tcgetattr(terminal, &after)
        #expect(after.c_lflag == before.c_lflag && after.c_lflag & tcflag_t(ECHO) != 0)
        // What a terminal echoes can be read at the other end.
        #expect(fcntl(person, F_SETFL, O_NONBLOCK) == 0)
        var shown = [UInt8](repeating: 0, count: 100)
        let count = Glibc.read(person, &shown, shown.count)
        #expect(!String(decoding: shown.prefix(max(count, 0)), as: UTF8.self).contains("e"))
    }

    /// What was asked.
    private final class Prompts {
        var texts: [String] = []
    }
}
