// Groups of the pool.

import AgentSupport
import RTPWire
import Routing
import Testing

@testable import RTSPProxy

@Suite("Pools of groups") @AgentActor struct AllocatorTests {
    @Test("A stream keeps its group until it is given back")
    func groups() {
        let pool = MulticastPool(first: IPAddress(239, 1, 1, 255), count: 2, port: PortReference(interface: "eth1"))
        let groups = GroupAllocator(pool: pool)
        #expect(groups.group(for: "a") == IPAddress(239, 1, 1, 255))
        #expect(groups.group(for: "b") == IPAddress(239, 1, 2, 0))
        #expect(groups.group(for: "a") == IPAddress(239, 1, 1, 255))
        #expect(groups.group(for: "c") == nil)
        groups.giveBack("a")
        #expect(groups.group(for: "c") == IPAddress(239, 1, 1, 255))
    }
}
