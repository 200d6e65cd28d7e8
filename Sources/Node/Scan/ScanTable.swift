// The samples of a scan, added up: a fixed number of rows, in which the flows with the most packets stay.

import FastPath

/// Adds up samples. Pure; its memory is bounded whatever arrives.
struct ScanTable: Sendable {
    /// Rows at most.
    static let capacity = 1024
    /// Payload types and SSRCs that a row remembers at most.
    static let variety = 8

    struct Row: Sendable {
        var packets: UInt64 = 0
        var bytes: UInt64 = 0
        /// The packets that the row may have had at most: those of the row that it replaced are among them. By it the rows that are
        /// replaced are chosen, so that a flow with many packets stays however many others come and go (Metwally's space saving).
        var rank: UInt64 = 0
        var timeToLive: ClosedRange<UInt8>?
        var kinds: [PayloadKind: UInt64] = [:]
        var payloadTypes: Set<UInt8> = []
        var ssrcs: Set<UInt32> = []
    }

    private(set) var rows: [SampledPacket.Key: Row] = [:]
    private(set) var samples: UInt64 = 0
    private(set) var packets: UInt64 = 0
    private(set) var bytes: UInt64 = 0
    /// The rows that were given up for others, and their packets.
    private(set) var replacedRows: UInt64 = 0
    private(set) var replacedPackets: UInt64 = 0

    init() { rows.reserveCapacity(Self.capacity) }

    mutating func add(_ sample: FrameSample) {
        guard let packet = SampledPacket(sample) else { return }
        let weight = UInt64(sample.weight)
        samples += 1
        packets += weight
        bytes += weight * UInt64(sample.length)
        var row = rows[packet.key] ?? Row(rank: makeRoom())
        row.packets += weight
        row.rank += weight
        row.bytes += weight * UInt64(sample.length)
        row.kinds[packet.kind, default: 0] += weight
        if let ttl = packet.timeToLive {
            let known = row.timeToLive ?? ttl...ttl
            row.timeToLive = min(known.lowerBound, ttl)...max(known.upperBound, ttl)
        }
        if let type = packet.payloadType, row.payloadTypes.count < Self.variety { row.payloadTypes.insert(type) }
        if let ssrc = packet.ssrc, row.ssrcs.count < Self.variety { row.ssrcs.insert(ssrc) }
        rows[packet.key] = row
    }

    /// Gives up the row with the least rank where there is no room; its rank, or 0.
    private mutating func makeRoom() -> UInt64 {
        guard rows.count >= Self.capacity, let least = rows.min(by: { $0.value.rank < $1.value.rank }) else { return 0 }
        replacedRows += 1
        replacedPackets += least.value.packets
        rows[least.key] = nil
        return least.value.rank
    }
}
