// Counters of agents.

import AgentSupport
import Sessions
import Testing

@Suite("Counters of an agent") @AgentActor struct AgentCountersTests {
    private enum Fruit: String, AgentCounter {
        case apples = "apples_total"
        case pears = "pears_total"
        var name: String { rawValue }
        var help: String { "Fruit." }
    }

    @Test("What counted is reported by name and labels, and nothing else")
    func report() {
        let counters = AgentCounters<Fruit>()
        #expect(counters.report().isEmpty)
        counters.add(to: .pears)
        counters.add(2, to: .apples, ["kind": "red"])
        counters.add(to: .apples, ["kind": "green"])
        counters.add(to: .apples, ["kind": "red"])
        let report = counters.report()
        #expect(report.map(\.name) == ["apples_total", "apples_total", "pears_total"])
        #expect(report.map(\.labels) == [["kind": "green"], ["kind": "red"], [:]])
        #expect(report.map(\.value) == [1, 3, 1])
    }
}
