// A table of cases in docs, and the tests that it names.

import Foundation

/// A table of cases as docs/rtsp-cases.md and docs/sip-cases.md have it: one row a case, with the tests that show it, or the reason why
/// none does.
public struct CaseTable {
    /// What shows a case: a test of a Swift file, or a scenario of a script in scripts/tests.
    public struct Evidence: Hashable {
        public let file: String
        public let name: String
    }

    public struct Row {
        public let id: String
        public let evidence: [Evidence]
        public let text: String
    }

    public let rows: [Row]
    private let names: [String: Set<String>]

    /// Reads a table, and the names of all tests of the checkout that `file` (`#filePath`) belongs to.
    public init(_ table: String, of file: String) throws {
        var root = URL(filePath: file)
        while !FileManager.default.fileExists(atPath: root.appending(path: "Package.swift").path), root.path != "/" {
            root.deleteLastPathComponent()
        }
        let text = try String(contentsOf: root.appending(path: table), encoding: .utf8)
        rows = text.split(separator: "\n").compactMap { line in
            guard let row = line.wholeMatch(of: /\| ([A-Z]-\d\d) \| (.+) \|/) else { return nil }
            let evidence = row.output.2.matches(of: /`([\w-]+\.(?:swift|sh))`: “([^”]+)”/)
            return Row(
                id: String(row.output.1),
                evidence: evidence.map { Evidence(file: String($0.output.1), name: String($0.output.2)) },
                text: String(row.output.2))
        }
        names = try Self.tests(in: root.appending(path: "Tests")).merging(
            Self.scenarios(in: root.appending(path: "scripts/tests"))
        ) { $1 }
    }

    /// Whether there is such a test.
    public func has(_ evidence: Evidence) -> Bool { names[evidence.file]?.contains(evidence.name) == true }

    /// Whether a test bears the name of its case; scenarios have names of their own.
    public static func names(_ evidence: Evidence, _ id: String) -> Bool {
        evidence.file.hasSuffix(".sh") || evidence.name.contains(id)
    }

    /// The names of all tests, by file.
    private static func tests(in directory: URL) throws -> [String: Set<String>] {
        var names: [String: Set<String>] = [:]
        for file in FileManager.default.enumerator(at: directory, includingPropertiesForKeys: nil)?.allObjects ?? [] {
            guard let file = file as? URL, file.pathExtension == "swift" else { continue }
            let source = try String(contentsOf: file, encoding: .utf8)
            let found = source.matches(of: /@Test\(\s*"((?:[^"\\]|\\.)*)"/).map { String($0.output.1) }
            names[file.lastPathComponent, default: []].formUnion(found)
        }
        return names
    }

    /// The scenarios that scripts list in `scenarios=(…)`, by script.
    private static func scenarios(in directory: URL) throws -> [String: Set<String>] {
        var names: [String: Set<String>] = [:]
        for file in try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
        where file.pathExtension == "sh" {
            let source = try String(contentsOf: file, encoding: .utf8)
            guard let list = source.firstMatch(of: /\nscenarios=\(([^)]*)\)/)?.output.1 else { continue }
            names[file.lastPathComponent] = Set(list.split(whereSeparator: \.isWhitespace).map(String.init))
        }
        return names
    }
}
