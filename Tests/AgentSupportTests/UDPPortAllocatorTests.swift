// Pairs of UDP ports of the pool.

import RTPWire
import Testing

@testable import AgentSupport

@Suite("Pools of UDP ports") @AgentActor struct UDPPortAllocatorTests {
    private let here = IPAddress(10, 0, 0, 1)

    @Test("R-36: pairs begin with an even UDP port and lie within the range")
    func pairs() {
        let ports = UDPPortAllocator(range: 5001...5006)
        #expect([ports.take(at: here), ports.take(at: here), ports.take(at: here)] == [5002, 5004, nil])
    }

    @Test("Addresses have pairs of their own, and a pair is free again when it is given back")
    func reuse() {
        let ports = UDPPortAllocator(range: 6000...6001)
        #expect(ports.take(at: here) == 6000)
        #expect(ports.take(at: IPAddress(10, 0, 0, 2)) == 6000)
        #expect(ports.take(at: here) == nil)
        ports.giveBack(6000, at: here)
        #expect(ports.take(at: here) == 6000)
    }

    @Test("A pair that was just given back is the last to be used again")
    func rotation() {
        let ports = UDPPortAllocator(range: 7000...7005)
        let first = ports.take(at: here)
        ports.giveBack(7000, at: here)
        #expect([first, ports.take(at: here), ports.take(at: here), ports.take(at: here)] == [7000, 7002, 7004, 7000])
    }

    @Test("A claimed pair is not handed out")
    func claim() {
        let ports = UDPPortAllocator(range: 8000...8003)
        ports.claim(8000, at: here)
        #expect([ports.take(at: here), ports.take(at: here)] == [8002, nil])
    }

    @Test("The last UDP port of all does not overflow")
    func end() {
        let ports = UDPPortAllocator(range: 65_534...65_535)
        #expect([ports.take(at: here), ports.take(at: here)] == [65_534, nil])
    }
}
