// Every counter of the agent is documented.

import Foundation
import Testing

@testable import SIPAgent

@Suite struct CounterNamesTests {
    @Test("Every counter, and every reason of a refusal, stands in docs/statistics.md")
    func names() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let document = try String(contentsOf: root.appending(path: "docs/statistics.md"), encoding: .utf8)
        for name in SIPCounter.allCases.map(\.name) + AccessCounter.allCases.map(\.name) {
            #expect(document.contains("| `crosspoint_\(name)` |"), "\(name) is not documented")
        }
        for reason in CallAccess.Reason.allCases {
            #expect(document.contains("`\(reason.rawValue)`"), "\(reason.rawValue) is not documented")
        }
    }
}
