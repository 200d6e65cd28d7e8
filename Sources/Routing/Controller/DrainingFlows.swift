// Destinations that were ours, and whose sources may still send.

import FastPath
import RTPWire

/// Removed flows, in the order of their removal.
struct DrainingFlows {
    /// A destination that was ours, until nothing comes there any more.
    struct Entry {
        var key: FlowKey
        var port: Port
        /// The place that keeps other UDP ports of the group from the host meanwhile.
        var guarded: FlowController.GuardedPlace?
        /// Seconds since anything was dropped at the port.
        var quietSeconds = 0
        var lastCount: UInt64
        /// Seconds that it has been here.
        var seconds = 0
    }

    private var entries: [FlowKey: [Entry]] = [:]
    /// Keys as they came, with those that are gone since.
    private var order: [FlowKey] = []
    private(set) var count = 0

    /// After how many seconds without a packet at its port an entry is done, and after how many in any case: where calls come and go
    /// all the time, there is always somebody who sends a moment too long.
    private static let quiet = 10
    private static let longest = 30

    mutating func append(_ entry: Entry) {
        entries[entry.key, default: []].append(entry)
        order.append(entry.key)
        count += 1
    }

    /// Takes out those of a key: somebody else has the destination now.
    mutating func remove(_ key: FlowKey) -> [Entry] {
        guard let found = entries.removeValue(forKey: key) else { return [] }
        count -= found.count
        return found
    }

    /// True if one of them drains at the port.
    func uses(port name: String) -> Bool { entries.values.contains { $0.contains { $0.port.name == name } } }

    /// A second has passed: takes out those that are done, and the oldest beyond `room`.
    ///
    /// - Parameter dropped: How many packets were dropped at a port so far.
    mutating func tick(room: Int, dropped: (Port) -> UInt64) -> [Entry] {
        var done: [Entry] = []
        var counts: [UInt16: UInt64] = [:]
        for (key, list) in entries {
            var rest: [Entry] = []
            for var entry in list {
                let now = counts[entry.port.number] ?? dropped(entry.port)
                counts[entry.port.number] = now
                entry.quietSeconds = now == entry.lastCount ? entry.quietSeconds + 1 : 0
                entry.lastCount = now
                entry.seconds += 1
                if entry.quietSeconds >= Self.quiet || entry.seconds >= Self.longest {
                    done.append(entry)
                } else {
                    rest.append(entry)
                }
            }
            entries[key] = rest.isEmpty ? nil : rest
        }
        count -= done.count
        order.removeAll { entries[$0] == nil }
        var surplus = max(count - room, 0)
        var index = 0
        while surplus > 0, index < order.count {
            let removed = remove(order[index])
            done += removed
            surplus -= removed.count
            index += 1
        }
        order.removeFirst(index)
        return done
    }
}
