// The table of cases, docs/rtsp-cases.md, against the tests that it names.

import TestSupport
import Testing

@Suite("The table of cases") struct CaseTableTests {
    private let table: CaseTable

    init() throws { table = try CaseTable("docs/rtsp-cases.md", of: #filePath) }

    @Test("Each case has a row, and each row a test or a reason")
    func complete() {
        let numbers: [(String, [Int])] = [
            ("R", Array(1...13) + Array(15...23) + Array(25...33) + Array(35...49)), ("F", Array(1...14)),
            ("A", Array(1...6)), ("M", [5, 6, 7, 9, 20]), ("C", Array(1...24)),
        ]
        let expected = numbers.flatMap { letter, numbers in
            numbers.map { "\(letter)-\($0 < 10 ? "0" : "")\($0)" }
        }
        #expect(table.rows.map(\.id) == expected)
        for row in table.rows where row.evidence.isEmpty { #expect(row.text.count > 20, "\(row.id) says nothing") }
    }

    @Test("Each test that a row names is there, and has the case in its name")
    func shown() {
        for row in table.rows {
            for test in row.evidence {
                #expect(table.has(test), "\(row.id): \(test.file): \(test.name)")
                #expect(CaseTable.names(test, row.id), "\(row.id): \(test.file): \(test.name)")
            }
        }
    }
}
