// The two sides of a call.

import SIPAgent
import Testing

@Suite("Sides of a call") struct SIPSideTests {
    @Test("Each side's other one is the other one")
    func other() {
        #expect(SIPSide.allCases.map(\.other) == [.callee, .caller])
    }
}
