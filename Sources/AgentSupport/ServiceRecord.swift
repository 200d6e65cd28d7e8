// Service records, and the order to try them in.

import CrosspointShim

/// An SRV record (RFC 2782).
public struct ServiceRecord: Hashable, Sendable {
    public var priority: UInt16
    public var weight: UInt16
    /// The TCP or UDP port.
    public var transportPort: UInt16
    /// Without a dot at its end; empty where the domain says that it does not have the service.
    public var target: String

    public init(priority: UInt16, weight: UInt16, transportPort: UInt16, target: String) {
        self.priority = priority
        self.weight = weight
        self.transportPort = transportPort
        self.target = target
    }

    init(_ record: crosspoint_service) {
        let target = withUnsafeBytes(of: record.target) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        self.init(priority: record.priority, weight: record.weight, transportPort: record.port, target: target)
    }

    /// In the order of priorities, and within one at random by weight, those of weight 0 with the smallest chance (RFC 2782, page 4).
    public static func arranged(
        _ records: [ServiceRecord], using generator: inout some RandomNumberGenerator
    ) -> [ServiceRecord] {
        var arranged: [ServiceRecord] = []
        for priority in Set(records.map(\.priority)).sorted() {
            var rest = records.filter { $0.priority == priority }.sorted { $0.weight == 0 && $1.weight != 0 }
            while !rest.isEmpty {
                let total = rest.reduce(0) { $0 + Int($1.weight) }
                let choice = Int.random(in: 0...total, using: &generator)
                var sum = 0
                let index =
                    rest.firstIndex { record in
                        sum += Int(record.weight)
                        return sum >= choice
                    } ?? rest.startIndex
                arranged.append(rest.remove(at: index))
            }
        }
        return arranged
    }
}
