// The tables' bookkeeping that needs no kernel: block allocation, leg records, targets, shapes.

import CrosspointShim
import RTPWire
import TestSupport
import Testing

@testable import FastPath

@Suite("Tables")
struct TableTests {
    @Test("blocks are contiguous, aligned to their size and never overlap", arguments: 0..<20)
    func blocks(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var allocator = BlockAllocator(capacity: 1024, largest: 128)
        var owner = [Int?](repeating: nil, count: 1024)
        var blocks: [Int: (first: Int, count: Int)] = [:]
        for number in 0..<3000 {
            if Int.random(in: 0..<5, using: &random) < 3 {
                let count = Int.random(in: 1...128, using: &random)
                guard let first = allocator.allocate(count) else {
                    #expect(allocator.freeCount < 1024)
                    continue
                }
                let size = Self.rounded(count)
                #expect(first % size == 0 && first + size <= 1024)
                #expect(owner[first..<first + size].allSatisfy { $0 == nil })
                for index in first..<first + size { owner[index] = number }
                blocks[number] = (first, count)
            } else if let key = blocks.keys.sorted().randomElement(using: &random),
                let block = blocks.removeValue(forKey: key)
            {
                allocator.release(first: block.first, count: block.count)
                for index in block.first..<block.first + Self.rounded(block.count) { owner[index] = nil }
            }
            #expect(allocator.freeCount == owner.count { $0 == nil })
        }
        // The same state from what is in use, as another process finds it.
        var found = BlockAllocator(capacity: 1024, largest: 128)
        for block in blocks.values {
            let first = found.take(first: block.first, count: block.count)
            let second = found.take(first: block.first, count: block.count)
            #expect(first && !second)
        }
        #expect(found.freeCount == allocator.freeCount)
        for block in blocks.values { found.release(first: block.first, count: block.count) }
        // All halves have found each other again.
        let whole = (0..<9).map { _ in found.allocate(128) }
        #expect(whole.count { $0 != nil } == 8)
    }

    @Test("what is in use stays at the front")
    func lowestFirst() {
        var allocator = BlockAllocator(capacity: 1024, largest: 128)
        let singles = (0..<200).map { _ in allocator.allocate(1) }
        #expect(singles == Array(0..<200))
        let four = allocator.allocate(4)
        #expect(four == 200)
        allocator.release(first: 17, count: 1)
        allocator.release(first: 3, count: 1)
        let next = (0..<3).map { _ in allocator.allocate(1) }
        #expect(next == [3, 17, 204])
    }

    private static func rounded(_ count: Int) -> Int {
        var size = 1
        while size < count { size *= 2 }
        return size
    }

    @Test("blocks that make no sense are not taken")
    func nonsense() {
        var allocator = BlockAllocator(capacity: 64, largest: 16)
        for (first, count) in [(-1, 1), (64, 1), (60, 8), (1, 2), (0, 17)] {
            let isTaken = allocator.take(first: first, count: count)
            #expect(!isTaken, "\(count) from \(first)")
        }
        let tooLarge = allocator.allocate(17)
        #expect(tooLarge == nil)
        #expect(allocator.freeCount == 64)
    }

    private static func leg(source: IPAddress?, destination: IPAddress) throws -> LegParameters {
        LegParameters(
            port: 3, counter: 77, sourceMAC: try #require(MACAddress("02:00:00:00:01:01")),
            destinationMAC: try #require(MACAddress("02:00:00:00:01:02")), source: source, destination: destination,
            udpPort: 5004)
    }

    @Test("a leg's address sum is that of its addresses' bytes", arguments: 0..<50)
    func addressSum(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let count = seed % 2 == 0 ? 4 : 16
        func address() throws -> IPAddress {
            let byte: ClosedRange<UInt8> = seed < 4 ? 255...255 : 0...255
            return try #require(IPAddress(bytes: (0..<count).map { _ in .random(in: byte, using: &random) }))
        }
        let destination = try address()
        let source = seed % 3 == 0 ? nil : try address()
        let record = try Self.leg(source: source, destination: destination).record
        let sum = InternetChecksum.sum((source?.bytes ?? []) + destination.bytes)
        // Ones' complement has two zeros.
        #expect(record.address_sum.byteSwapped % 0xffff == UInt16(sum) % 0xffff)
        #expect((record.flags & CROSSPOINT_LEG_KEEP_SOURCE.rawValue != 0) == (source == nil))
    }

    @Test("a leg's record says what was asked for, in the ABI's byte order")
    func record() throws {
        var leg = try Self.leg(source: IPAddress(10, 2, 0, 1), destination: IPAddress(10, 2, 0, 5))
        leg.vlans = [0x123, 0x456]
        leg.dscp = 46
        leg.timeToLive = .set(9)
        leg.sourceUDPPort = 7000
        leg.payloadType = 97
        leg.ssrc = 0x0102_0304
        leg.gate = .init(sequence: 9, deadline: 10)
        let record = leg.record
        #expect(record.port == 3 && record.counter == 77)
        #expect(record.tag_count == 2)
        #expect(record.tags.0 == UInt32(0x88a8_0123).bigEndian && record.tags.1 == UInt32(0x8100_0456).bigEndian)
        #expect(record.dscp_keep == 3 && record.dscp_set == 0xb8)
        #expect(record.ttl_keep == 0 && record.ttl_add == 9)
        #expect(record.l3_offset == 22)
        #expect(record.source_port == UInt16(7000).bigEndian && record.destination_port == UInt16(5004).bigEndian)
        #expect(record.payload_type == 97 && record.ssrc == UInt32(0x0102_0304).bigEndian)
        #expect(record.gate_sequence == 9 && leg.detail.gate_deadline == 10)
        #expect(
            record.flags
                == CROSSPOINT_LEG_RTP.rawValue | CROSSPOINT_LEG_SET_PAYLOAD_TYPE.rawValue
                | CROSSPOINT_LEG_SET_SSRC.rawValue | CROSSPOINT_LEG_GATED.rawValue | CROSSPOINT_LEG_TAGGED.rawValue
                | CROSSPOINT_LEG_REMARK.rawValue)
        // What nearly all legs are has the short way through egress.
        let usual = try Self.leg(source: IPAddress(10, 2, 0, 1), destination: IPAddress(10, 2, 0, 5)).record
        #expect(usual.flags & (CROSSPOINT_LEG_SPECIAL.rawValue | CROSSPOINT_LEG_REMARK.rawValue) == 0)
        #expect(try Self.leg(source: nil, destination: IPAddress(10, 2, 0, 5)).rewritesRTP == false)
    }

    @Test("a flow's target survives its 64 bits")
    func target() {
        let target = FlowTarget(index: 0xdead_beef, shape: 4095, legCount: 512)
        #expect(target.encoded == 0x0200_0fff_dead_beef)
        #expect(FlowTarget(encoded: target.encoded) == target)
        #expect(FlowTarget.none.encoded == 0)
    }

    @Test("a shape's devmap has its ports in order, as often as they have legs")
    func shape() {
        let shape = Shape(legs: [.init(port: 1, count: 2), .init(port: 4, count: 1), .init(port: 63, count: 3)])
        #expect(shape.ports == [1, 1, 4, 63, 63, 63])
    }

    /// Values computed once by an implementation in another language, from the definition in `bpf/fastpath_abi.h`.
    @Test("the hash of a flow key does not change")
    func hash() {
        #expect(crosspoint_flow_hash(0, 0, 0, 0) == 0)
        #expect(crosspoint_flow_hash(0, 0x0a01_01ef_ffff_0000, 3, 0x0001_8c13) == 0x638b98ad)
        #expect(
            crosspoint_flow_hash(0x1234_5678_9abc_def0, 0x0fed_cba9_8765_4321, 7 << 48 | 9, 0x0003_8c13) == 0x14c4d501)
        #expect(crosspoint_source_place(3, 0, 0x0700_010a_ffff_0000, 0x8813) == 0x80bff0026c2f69d9)
    }
}
