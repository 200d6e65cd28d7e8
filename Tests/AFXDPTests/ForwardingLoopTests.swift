// The loop over rings in plain memory: copies, shared payload, room, and that no frame is ever lost to the memory.

import CrosspointShim
import EngineSupport
import RTPWire
import TestSupport
import Testing

@testable import AFXDP
@testable import FastPath

@Suite("Forwarding loop of the AF_XDP engine")
struct ForwardingLoopTests {
    private static let rtp = UInt32(14) | CROSSPOINT_FRAME_RTP.rawValue

    private static func leg(_ number: Int, port: UInt16) -> (crosspoint_leg, crosspoint_leg_detail) {
        let parameters = LegParameters(
            port: port, counter: UInt32(number), sourceMAC: .zero, destinationMAC: .zero,
            source: IPAddress(10, 2, 0, 1), destination: IPAddress(10, 2, 0, 5),
            udpPort: UInt16(20_000 + number))
        return (parameters.record, parameters.detail)
    }

    /// The packet as ingress notes it.
    private static func note(_ node: SyntheticNode, _ frame: [UInt8]) -> crosspoint_metadata {
        let without = frame.withUnsafeBytes { bytes in
            HeaderRewriter.fold(
                UInt64(~bytes.loadUnaligned(fromByteOffset: 26, as: UInt32.self))
                    + UInt64(~bytes.loadUnaligned(fromByteOffset: 30, as: UInt32.self)))
        }
        return node.note(frame: rtp | UInt32(without) << UInt32(CROSSPOINT_FRAME_WITHOUT.rawValue))
    }

    private static func packet(payload count: Int) -> Packet {
        var packet = Packet()
        packet.rtp?.payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        return packet
    }

    /// What the leg of the number must send.
    private static func expected(_ packet: Packet, _ number: Int) -> [UInt8] {
        var packet = packet
        packet.destinationMAC = "00:00:00:00:00:00"
        packet.sourceMAC = "00:00:00:00:00:00"
        packet.source = "10.2.0.1"
        packet.destination = "10.2.0.5"
        packet.destinationPort = UInt16(20_000 + number)
        packet.timeToLive -= 1
        return packet.bytes
    }

    @Test(arguments: [
        (1, 1200, false), (8, 1200, false), (8, 1200, true), (3, 8900, false), (3, 8900, true), (512, 60, false),
    ])
    func everyLegGetsItsCopy(legs: Int, payload: Int, shares: Bool) throws {
        let node = SyntheticNode()
        let input = node.open(port: 0, receives: true, sharesPayload: shares, mtu: 9000)
        let output = node.open(port: 1, receives: false, sharesPayload: shares, mtu: 9000)
        node.setLegs((0..<legs).map { Self.leg($0, port: $0 % 4 == 3 ? 0 : 1) })
        let packet = Self.packet(payload: payload)
        let frame = packet.bytes
        _ = node.loop.pointee.pass(now: 1)
        for round in 1...20 {
            try #require(input.receive(frame, note: Self.note(node, frame)))
            #expect(node.loop.pointee.pass(now: UInt64(round)) == 1)
            let sent = output.takeSent() + input.takeSent()
            #expect(sent.count == legs)
            let wanted = (0..<legs).map { Self.expected(packet, $0) }
            #expect(Set(sent.map(\.bytes)) == Set(wanted))
            if shares, legs > 1 { #expect(sent.contains { $0.buffers > (payload > 3840 ? 3 : 1) }) }
        }
        _ = node.loop.pointee.pass(now: 100)
        #expect(node.memory.pointee.freeCount + input.waitingFrames == node.frames, "frames are missing")
        for number in 0..<legs {
            #expect(node.legCounts[number].packets == 20)
            #expect(node.legCounts[number].bytes == UInt64(20 * Self.expected(packet, number).count))
        }
        #expect(node.ports[0].transmitted_copies + node.ports[1].transmitted_copies == UInt64(20 * legs))
    }

    @Test func packetsOfAFlowThatIsGoneAreNotSent() throws {
        let node = SyntheticNode()
        let input = node.open(port: 0, receives: true)
        node.setLegs([Self.leg(0, port: 0)])
        let frame = Self.packet(payload: 100).bytes
        _ = node.loop.pointee.pass(now: 1)
        #expect(input.receive(frame, note: Self.note(node, frame)))
        node.flowDetails[0].generation += 1
        #expect(node.loop.pointee.pass(now: 2) == 1)
        #expect(input.takeSent().isEmpty)
        #expect(input.counter(CROSSPOINT_SOCKET_RX_STALE) == 1)
        _ = node.loop.pointee.pass(now: 3)
        #expect(node.memory.pointee.freeCount + input.waitingFrames == node.frames)
    }

    @Test func whatFindsNoRoomIsCountedAndLost() throws {
        let node = SyntheticNode()
        let input = node.open(port: 0, receives: true)
        let output = node.open(port: 1, receives: false)
        node.setLegs([Self.leg(0, port: 1), Self.leg(1, port: 1)])
        let frame = Self.packet(payload: 100).bytes
        // Nobody takes what is sent: first the ring is full, then there are no frames.
        for round in 1...3000 {
            _ = node.loop.pointee.pass(now: UInt64(round))
            _ = input.receive(frame, note: Self.note(node, frame))
        }
        _ = node.loop.pointee.pass(now: 5000)
        let refused = output.counter(CROSSPOINT_SOCKET_TX_RING_FULL) + output.counter(CROSSPOINT_SOCKET_TX_NO_FRAME)
        let packets = input.counter(CROSSPOINT_SOCKET_RX_PACKETS)
        #expect(refused > 0)
        #expect(output.counter(CROSSPOINT_SOCKET_TX_PACKETS) + refused == 2 * packets)
        #expect(output.takeSent().count == Int(output.counter(CROSSPOINT_SOCKET_TX_PACKETS)))
        _ = node.loop.pointee.pass(now: 6000)
        #expect(node.memory.pointee.freeCount + input.waitingFrames == node.frames)
        let counted = withUnsafeBytes(of: node.reasons[1].packets) { bytes in
            [CROSSPOINT_COPY_REFUSED, CROSSPOINT_COPY_NO_MEMORY].reduce(UInt64(0)) {
                $0 + bytes.load(fromByteOffset: 8 * Int($1.rawValue), as: UInt64.self)
            }
        }
        #expect(counted == refused)
    }

    @Test func shutAndGatedLegsWait() throws {
        let node = SyntheticNode()
        let input = node.open(port: 0, receives: true)
        var gated = Self.leg(0, port: 0)
        gated.0.flags |= CROSSPOINT_LEG_GATED.rawValue
        gated.0.gate_sequence = 10
        gated.1.gate_deadline = 1000
        var shut = Self.leg(1, port: 0)
        shut.0.flags |= CROSSPOINT_LEG_SHUT.rawValue
        node.setLegs([gated, shut])
        let frame = Self.packet(payload: 100).bytes
        _ = node.loop.pointee.pass(now: 1)
        func send(_ sequence: UInt32, at now: UInt64) -> Int {
            var note = Self.note(node, frame)
            note.sequence = sequence
            note.frame |= CROSSPOINT_FRAME_SEQUENCE.rawValue
            guard input.receive(frame, note: note) else { return -1 }
            _ = node.loop.pointee.pass(now: now)
            return input.takeSent().count
        }
        #expect(send(9, at: 2) == 0)
        #expect(send(10, at: 3) == 1)
        #expect(send(9, at: 1000) == 1, "the deadline opens the gate")
        #expect(node.legCounts[1].packets == 0)
    }

    @Test func framesLongerThanTheInterfaceTakesAreNotSent() throws {
        let node = SyntheticNode()
        let input = node.open(port: 0, receives: true, mtu: 9000)
        let output = node.open(port: 1, receives: false, mtu: 1000)
        node.setLegs([Self.leg(0, port: 1), Self.leg(1, port: 0)])
        let frame = Self.packet(payload: 1200).bytes
        _ = node.loop.pointee.pass(now: 1)
        #expect(input.receive(frame, note: Self.note(node, frame)))
        _ = node.loop.pointee.pass(now: 2)
        #expect(output.takeSent().isEmpty)
        #expect(input.takeSent().count == 1)
    }
}
