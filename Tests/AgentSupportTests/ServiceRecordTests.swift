// SRV records: how they are read, and in which order they are tried.

import CrosspointShim
import Testing

@testable import AgentSupport

@Suite struct ServiceRecordTests {
    @Test("Records come by priority, and within one by weight")
    func order() {
        let records = [
            ServiceRecord(priority: 20, weight: 0, transportPort: 1, target: "c"),
            ServiceRecord(priority: 10, weight: 90, transportPort: 2, target: "a"),
            ServiceRecord(priority: 10, weight: 10, transportPort: 3, target: "b"),
            ServiceRecord(priority: 10, weight: 0, transportPort: 4, target: "d"),
        ]
        var generator = SystemRandomNumberGenerator()
        var first: [String: Int] = [:]
        for _ in 0..<2000 {
            let arranged = ServiceRecord.arranged(records, using: &generator)
            #expect(Set(arranged) == Set(records))
            #expect(arranged.last?.target == "c")
            first[arranged[0].target, default: 0] += 1
        }
        // 90 to 10; five standard deviations are 67 of 1800.
        #expect(abs((first["a"] ?? 0) - 1790) < 100)
        #expect((first["d"] ?? 0) < 100)
    }

    @Test("An answer is read with its compressed names; what is cut off or no answer is refused")
    func answer() throws {
        let name: [UInt8] = [5] + Array("_rtsp".utf8) + [4] + Array("_tcp".utf8) + [6] + Array("studio".utf8) + [0]
        func record(_ data: [UInt8], type: UInt8 = 33) -> [UInt8] {
            [0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, UInt8(data.count)] + data
        }
        // `b` and then the name at offset 23, `studio`; the root; an alias, which is skipped.
        let good = record([0, 10, 0, 5, 0x22, 0x6a, 1, UInt8(ascii: "b"), 0xc0, 23])
        let root = record([0, 20, 0, 0, 0, 0, 0])
        let alias = record([0xc0, 12], type: 5)
        let message =
            [0, 1, 0x81, 0x80, 0, 1, 0, 3, 0, 0, 0, 0] + name + [0, 33, 0, 1] + alias + good + root
        func parse(_ bytes: [UInt8]) -> [ServiceRecord]? {
            var records = [crosspoint_service](repeating: crosspoint_service(), count: 8)
            let count = crosspoint_dns_parse_services(bytes, bytes.count, &records, records.count)
            return count < 0 ? nil : records.prefix(Int(count)).map { ServiceRecord($0) }
        }
        #expect(
            parse(message) == [
                ServiceRecord(priority: 10, weight: 5, transportPort: 8810, target: "b.studio"),
                ServiceRecord(priority: 20, weight: 0, transportPort: 0, target: ""),
            ])
        for length in 0..<message.count { #expect(parse(Array(message.prefix(length))) == nil) }
    }
}
