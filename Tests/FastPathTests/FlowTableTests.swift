// The table that leads packets to their flows, as its one writer keeps it.

import CrosspointShim
import RTPWire
import TestSupport
import Testing

@testable import FastPath

extension FastPathSuite {
    @Suite("Flow table")
    struct FlowTableTests {
        private static func table(_ bench: TestBench) throws -> FlowTable {
            func array<Record>(_ name: String) throws -> MappedArray<Record> {
                try MappedArray(try #require(try bench.tables.open(.maps, name)), name: name, writable: true)
            }
            return FlowTable(
                slots: try array("flows"), details: try array("flow_details"), lines: try array("flow_lines"))
        }

        private static func key(_ number: Int) -> FlowTable.Key {
            FlowTable.Key(
                destinationOf: FlowKey(
                    interfaceIndex: UInt32(number % 3 + 1), destination: IPAddress(239, 1, UInt8(number / 7), 1),
                    udpPort: UInt16(5000 + number)))
        }

        /// Every entry of the table, free ones as 0.
        private static func entries(_ bench: TestBench) throws -> [UInt32] {
            let lines: MappedArray<crosspoint_flow_line> = try MappedArray(
                try #require(try bench.tables.open(.maps, "flow_lines")), name: "flow_lines", writable: false)
            return (0..<lines.count).flatMap { index in
                withUnsafeBytes(of: lines[index].pointee) { Array($0.bindMemory(to: UInt32.self)) }
            }
        }

        @Test("what is in the table is found, whatever came and went, and by the next process too", arguments: 0..<4)
        func changes(seed: Int) throws {
            var random = SeededGenerator(seed: UInt64(seed))
            // 256 slots.
            let bench = try TestBench(limits: .init(flows: 64, legs: 64))
            var table = try Self.table(bench)
            var model: [Int: Int] = [:]
            for step in 0..<4000 {
                let number = Int.random(in: 0..<400, using: &random)
                if let slot = model[number] {
                    table.remove(at: slot)
                    model[number] = nil
                } else if model.count < 180, let slot = table.place(for: Self.key(number)) {
                    #expect(!model.values.contains(slot))
                    table.publish(Self.key(number), crosspoint_flow(), crosspoint_flow_detail(), at: slot)
                    model[number] = slot
                }
                if step % 7 == 0 {
                    table.beginGracePeriod()
                    table.endGracePeriod()
                }
                if step % 500 == 499 { table = try Self.table(bench) }
                guard step % 50 == 0 else { continue }
                #expect(table.usedCount == model.count)
                for other in 0..<400 { #expect(table.find(Self.key(other)) == model[other], "\(other)") }
            }
            for slot in model.values { table.remove(at: slot) }
            // Nobody is led on in an empty table.
            #expect(try Self.entries(bench).allSatisfy { $0 == 0 })
        }

        @Test("a slot is not used again before a grace period has passed")
        func grace() throws {
            let bench = try TestBench(limits: .init(flows: 64, legs: 64))
            var table = try Self.table(bench)
            let first = try #require(table.place(for: Self.key(1)))
            #expect(first == 1, "slots are used from the front, but for 0")
            table.publish(Self.key(1), crosspoint_flow(), crosspoint_flow_detail(), at: first)
            table.remove(at: first)
            #expect(table.find(Self.key(1)) == nil)
            #expect(table.place(for: Self.key(1)) == 2)
            table.beginGracePeriod()
            #expect(table.hasRemoved)
            #expect(table.place(for: Self.key(1)) == 2)
            table.endGracePeriod()
            #expect(!table.hasRemoved)
            #expect(table.place(for: Self.key(1)) == 1)
        }

        @Test("after a process that was killed between two stores, every slot has its entry and every entry a slot")
        func halfWritten() throws {
            let bench = try TestBench(limits: .init(flows: 64, legs: 64))
            var table = try Self.table(bench)
            for number in 1...3 {
                let slot = try #require(table.place(for: Self.key(number)))
                table.publish(Self.key(number), crosspoint_flow(), crosspoint_flow_detail(), at: slot)
            }
            let lines: MappedArray<crosspoint_flow_line> = try MappedArray(
                try #require(try bench.tables.open(.maps, "flow_lines")), name: "flow_lines", writable: true)
            // As before the last store of an insertion: the slot is there, and nothing leads to it.
            let place = Int(Self.key(2).hash) & (table.slots.count - 1)
            let entries = Int(CROSSPOINT_FLOW_LINE_ENTRIES)
            lines[place / entries].withMemoryRebound(to: UInt32.self, capacity: entries) {
                #expect($0[place % entries] & 0xff == 2)
                $0[place % entries] = 0
            }
            #expect(table.find(Self.key(2)) == nil)
            // As after the first store of a removal: an entry leads to a slot that is none.
            table.slots[3].pointee.kind = UInt8(CROSSPOINT_SLOT_FREE.rawValue)

            let adopted = try Self.table(bench)
            #expect(adopted.usedCount == 2)
            #expect(adopted.find(Self.key(1)) == 1)
            #expect(adopted.find(Self.key(2)) == 2)
            #expect(adopted.find(Self.key(3)) == nil)
            #expect(adopted.place(for: Self.key(3)) == 3)
            #expect(try Self.entries(bench).count { $0 != 0 } == 2)
        }
    }
}
