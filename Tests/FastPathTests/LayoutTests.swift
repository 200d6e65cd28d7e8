// The description of a layout, and records that are carried from one to another.

import BPFPrograms
import CrosspointShim
import TestSupport
import Testing

@testable import FastPath

extension FastPathSuite {
    @Suite("Layout of tables")
    struct LayoutTests {
        @Test("the description has the sizes that this program was built with")
        func own() throws {
            let text = try LoadedObject.layoutText(of: .crosspoint, version: UInt32(CROSSPOINT_ABI_VERSION))
            let layout = try #require(TableLayout(text: text))
            let sizes = [
                "node": MemoryLayout<crosspoint_node>.stride, "flows": MemoryLayout<crosspoint_flow>.stride,
                "flow_details": MemoryLayout<crosspoint_flow_detail>.stride,
                "legs": MemoryLayout<crosspoint_leg>.stride,
                "leg_details": MemoryLayout<crosspoint_leg_detail>.stride,
                "groups": MemoryLayout<crosspoint_group>.stride, "lanes": MemoryLayout<crosspoint_lane>.stride,
                "rtp_details": MemoryLayout<crosspoint_rtp_detail>.stride,
                "reason_counts": MemoryLayout<crosspoint_reason_count>.stride,
            ]
            for (map, size) in sizes { #expect(layout.record(ofMap: map)?.size == size, "\(map)") }
            #expect(layout.reasons.count == DropReason.all.count)
            #expect(
                layout.record(ofMap: "flows")?.field("flags")
                    == .init(
                        name: "flags", offset: MemoryLayout<crosspoint_flow>.offset(of: \.flags) ?? 0, size: 4, count: 1
                    ))
            // Nothing of it is longer than a record, and the sums of a lane are those of its ports.
            #expect(layout.sums(ofMap: "lanes").count == 6 * Int(CROSSPOINT_MAX_PORTS))
        }

        @Test("layout 6 is described as its programs have it")
        func six() throws {
            let object = BPFObject(.crosspoint, version: "six", bytes: try ReleasedPrograms.layoutSix())
            let text = try LoadedObject.layoutText(of: object, version: LayoutSix.version)
            func withoutReasons(_ text: String) -> [Substring] {
                text.split(separator: "\n").filter { !$0.hasPrefix("reason") }
            }
            #expect(withoutReasons(text) == withoutReasons(LayoutSix.text))
            #expect(try #require(TableLayout(text: LayoutSix.text)).reasons.count == 37)
        }

        @Test("what packets write has the same records as in layout 6, so that both versions count in the same tables")
        func counted() throws {
            let six = try #require(TableLayout(text: LayoutSix.text))
            let own = try #require(TableLayout(text: try LoadedObject.layoutText(of: .crosspoint, version: 7)))
            for map in [
                "rtp", "rtp_details", "flow_counts", "leg_counts", "leg_refusals", "lanes", "reason_counts",
            ] {
                #expect(own.hasSameRecord(map, as: six), "\(map)")
            }
            #expect(!own.hasSameRecord("flows", as: six))
        }

        @Test("a reason keeps its number")
        func reasons() throws {
            let six = try #require(TableLayout(text: LayoutSix.text))
            let own = try #require(TableLayout(text: try LoadedObject.layoutText(of: .crosspoint, version: 7)))
            #expect(own.hasSameReasons(as: six))
            let others = try #require(TableLayout(text: "abi 9\nreason 1 pass_not_udp\nreason 2 pass_not_mine"))
            #expect(!others.hasSameReasons(as: six))
        }

        @Test(
            "a damaged description is none",
            arguments: [
                "", "map a r", "abi 7\nmap a r", "abi 7\nrecord r 8\nfield x 4 8 1", "abi 7\nfield x 0 4 1",
                "abi 7\nrecord r 8\nfield x 0 4 4611686018427387904", "abi 7\nrecord r 0", "abi 7\nrecord r -8",
                "abi 7\nrecord r 8\nfield x 0 4 1 missing", "abi 7\nrecord r 8\nfield x -1 4 1",
            ])
        func damaged(text: String) {
            #expect(TableLayout(text: text) == nil)
        }

        /// Translates the bytes of a map `m` of one text's records to another's.
        private func translate(_ bytes: [UInt8], _ from: String, _ to: String) throws -> [UInt8] {
            let source = try #require(TableLayout(text: "abi 1\nmap m r\n" + from))
            let target = try #require(TableLayout(text: "abi 2\nmap m r\n" + to))
            let translation = try #require(RecordTranslation(ofMap: "m", from: source, to: target))
            #expect(translation.fromSize == bytes.count)
            var result = [UInt8](repeating: 0xee, count: translation.toSize)
            bytes.withUnsafeBytes { from in
                result.withUnsafeMutableBytes { to in
                    guard let from = from.baseAddress, let to = to.baseAddress else { return }
                    translation.write(from, to: to)
                }
            }
            return result
        }

        @Test("fields move, widen and narrow by their names; what is new is 0, what is unknown is left out")
        func names() throws {
            #expect(
                try translate(
                    [1, 2, 3, 4, 5, 6, 7, 8], "record r 8\nfield a 0 2 1\nfield b 2 2 1\nfield gone 4 4 1",
                    "record r 12\nfield b 0 4 1\nfield new 4 4 1\nfield a 8 1 1\n") == [
                        3, 4, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
                    ])
        }

        @Test("arrays have as many elements as both have, of either's size")
        func arrays() throws {
            #expect(
                try translate(
                    [1, 0, 2, 0, 3, 0], "record r 6\nfield a 0 2 3", "record r 8\nfield a 0 2 2\nfield b 4 4 1")
                    == [1, 0, 2, 0, 0, 0, 0, 0])
            #expect(
                try translate([1, 0, 2, 0], "record r 4\nfield a 0 2 2", "record r 8\nfield a 0 4 2")
                    == [1, 0, 0, 0, 2, 0, 0, 0])
        }

        @Test("a number in parts is the same number")
        func parts() throws {
            #expect(
                try translate([1, 2, 3, 4, 5, 6, 7, 8], "record r 8\nfield a 0 8 1", "record r 6\nfield a 0 2 3")
                    == [1, 2, 3, 4, 5, 6])
            #expect(
                try translate([1, 2, 3, 4, 5, 6], "record r 6\nfield a 0 2 3", "record r 8\nfield a 0 8 1")
                    == [1, 2, 3, 4, 5, 6, 0, 0])
        }

        @Test("records within records")
        func nested() throws {
            #expect(
                try translate(
                    [1, 2, 3, 4], "record r 4\nfield a 0 2 2 s\nrecord s 2\nfield x 0 1 1\nfield y 1 1 1",
                    "record r 6\nfield a 0 3 2 t\nrecord t 3\nfield y 0 1 1\nfield z 1 1 1\nfield x 2 1 1")
                    == [2, 0, 1, 4, 0, 3])
        }

        @Test("a record that holds itself ends")
        func recursion() throws {
            let text = "record r 4\nfield a 0 4 1 r"
            #expect(try translate([1, 2, 3, 4], text, text) == [0, 0, 0, 0])
        }

        @Test("the records of layout 6 become this layout's")
        func flow() throws {
            let six = try #require(TableLayout(text: LayoutSix.text))
            let own = try #require(TableLayout(text: try LoadedObject.layoutText(of: .crosspoint, version: 7)))
            let translation = try #require(RecordTranslation(ofMap: "flows", from: six, to: own))
            #expect(translation.fromSize == 64)
            let record = try #require(six.record(ofMap: "flows"))
            var bytes = [UInt8](repeating: 0, count: 64)
            func set(_ name: String, _ value: [UInt8]) throws {
                let field = try #require(record.field(name))
                #expect(field.size * field.count == value.count)
                bytes.replaceSubrange(field.offset..<field.offset + value.count, with: value)
            }
            try set("destination", Array(1...16))
            try set("flags", [0x34, 0x92])
            try set("nanoseconds_per_tick", [1, 2, 3, 4, 5, 6, 0, 0])
            try set("ingress_mac", [2, 0, 0, 0, 1, 9])
            try set("outage", [7, 0, 0, 0])
            try set("index", [9, 1, 0, 0])
            try set("port", [5])
            try set("kind", [2])
            var flow = crosspoint_flow()
            bytes.withUnsafeBytes { from in
                withUnsafeMutableBytes(of: &flow) { to in
                    guard let from = from.baseAddress, let to = to.baseAddress else { return }
                    translation.write(from, to: to)
                }
            }
            #expect(flow.destination.3 == 0x100f_0e0d && flow.kind == 2 && flow.port == 5 && flow.index == 0x109)
            #expect(flow.flags == 0x9234 && flow.outage == 7)
            #expect(flow.nanoseconds_per_tick == (0x201, 0x403, 0x605))
            #expect(flow.ingress_mac.5 == 9 && flow.ingress_mac.0 == 2)
        }
    }
}
