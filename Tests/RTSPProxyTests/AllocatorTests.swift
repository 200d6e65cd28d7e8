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
        #expect(groups.destination(of: "a")?.group == IPAddress(239, 1, 1, 255))
        #expect(groups.destination(of: "b")?.group == IPAddress(239, 1, 2, 0))
        #expect(groups.destination(of: "a")?.group == IPAddress(239, 1, 1, 255))
        #expect(groups.destination(of: "c") == nil)
        groups.giveBack("a")
        #expect(groups.destination(of: "c")?.group == IPAddress(239, 1, 1, 255))
    }

    @Test("Each group has a pair of UDP ports of its own, as far as there are any")
    func udpPorts() {
        var pool = MulticastPool(first: IPAddress(239, 1, 0, 0), count: 65_536, port: PortReference(interface: "eth1"))
        #expect([0, 1, 2].map { pool.destination($0).udpPort } == [5004, 5006, 5008])
        #expect(pool.destination(30_265).udpPort == 65_534 && pool.destination(30_266).udpPort == 5004)
        #expect(pool.destination(65_535).group == IPAddress(239, 1, 255, 255))
        pool.udpPort = 65_534
        #expect(pool.destination(7).udpPort == 65_534)
    }

    @Test("A group that a stream had before a restart stays its own, and other addresses are none of the pool")
    func claim() {
        let pool = MulticastPool(first: IPAddress(239, 1, 1, 254), count: 4, port: PortReference(interface: "eth1"))
        let groups = GroupAllocator(pool: pool)
        groups.claim(IPAddress(239, 1, 2, 0), for: "a")
        groups.claim(IPAddress(239, 1, 2, 0), for: "b")
        groups.claim(IPAddress(239, 1, 2, 2), for: "c")
        groups.claim(IPAddress(239, 1, 1, 253), for: "c")
        #expect(groups.destination(of: "a")?.group == IPAddress(239, 1, 2, 0))
        #expect(groups.destination(of: "a")?.udpPort == 5008)
        #expect(
            ["b", "c", "d", "e"].map { groups.destination(of: $0)?.group } == [
                IPAddress(239, 1, 1, 254), IPAddress(239, 1, 1, 255), IPAddress(239, 1, 2, 1), nil,
            ])
    }
}
