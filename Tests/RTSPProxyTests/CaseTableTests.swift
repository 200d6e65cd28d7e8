// The table of cases, docs/rtsp-cases.md, against the tests that it names.

import Foundation
import Testing

@Suite("The table of cases") struct CaseTableTests {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private struct Row {
        var id: String
        /// The tests that show it.
        var tests: [(file: String, name: String)]
        var text: String
    }

    private static func rows() throws -> [Row] {
        let table = try String(contentsOf: root.appending(path: "docs/rtsp-cases.md"), encoding: .utf8)
        return table.split(separator: "\n").compactMap { line in
            guard let row = line.wholeMatch(of: /\| ([RFAM]-\d\d) \| (.+) \|/) else { return nil }
            let tests = row.output.2.matches(of: /`(\w+\.swift)`: “([^”]+)”/)
            return Row(
                id: String(row.output.1), tests: tests.map { (String($0.output.1), String($0.output.2)) },
                text: String(row.output.2))
        }
    }

    /// The names of all tests, by file.
    private static func names() throws -> [String: Set<String>] {
        let tests = root.appending(path: "Tests")
        var names: [String: Set<String>] = [:]
        for case let path as String in try #require(FileManager.default.enumerator(atPath: tests.path))
        where path.hasSuffix(".swift") {
            let source = try String(contentsOf: tests.appending(path: path), encoding: .utf8)
            let found = source.matches(of: /@Test\(\s*"((?:[^"\\]|\\.)*)"/).map { String($0.output.1) }
            names[(path as NSString).lastPathComponent, default: []].formUnion(found)
        }
        return names
    }

    @Test("Each case has a row, and each row a test or a reason")
    func complete() throws {
        let rows = try Self.rows()
        let numbers: [(String, [Int])] = [
            ("R", Array(1...13) + Array(15...23) + Array(25...33) + Array(35...49)), ("F", Array(1...14)),
            ("A", Array(1...6)), ("M", [5, 6, 7, 9, 20]),
        ]
        let expected = numbers.flatMap { letter, numbers in
            numbers.map { "\(letter)-\($0 < 10 ? "0" : "")\($0)" }
        }
        #expect(rows.map(\.id) == expected)
        for row in rows where row.tests.isEmpty { #expect(row.text.count > 20, "\(row.id) says nothing") }
    }

    @Test("Each test that a row names is there, and has the case in its name")
    func shown() throws {
        let names = try Self.names()
        for row in try Self.rows() {
            for test in row.tests {
                #expect(names[test.file]?.contains(test.name) == true, "\(row.id): \(test.file): \(test.name)")
                #expect(test.name.contains(row.id), "\(row.id): \(test.file): \(test.name)")
            }
        }
    }
}
