// The table of cases, docs/sip-cases.md, against the tests and scenarios that it names.

import TestSupport
import Testing

@Suite("The table of SIP's cases") struct CaseTableTests {
    private let table: CaseTable

    init() throws { table = try CaseTable("docs/sip-cases.md", of: #filePath) }

    @Test("Each case of SIP has a row, and each row a test or a reason")
    func complete() {
        let numbers: [(String, [Int])] = [
            ("S", Array(1...11) + Array(20...31)), ("O", Array(1...11)), ("A", [5, 6]), ("M", [9]),
            ("D", Array(1...14)),
        ]
        let expected = numbers.flatMap { letter, numbers in
            numbers.map { "\(letter)-\($0 < 10 ? "0" : "")\($0)" }
        }
        #expect(table.rows.map(\.id) == expected)
        for row in table.rows where row.evidence.isEmpty { #expect(row.text.count > 20, "\(row.id) says nothing") }
    }

    @Test("Each test and scenario of SIP that a row names is there, and a test has the case in its name")
    func shown() {
        for row in table.rows {
            for test in row.evidence {
                #expect(table.has(test), "\(row.id): \(test.file): \(test.name)")
                #expect(CaseTable.names(test, row.id), "\(row.id): \(test.file): \(test.name)")
            }
        }
    }
}
