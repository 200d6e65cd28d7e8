// Present flows, and their counters.

import CrosspointShim
import FoundationEssentials
import RTPWire

extension FastPath {
    /// The flows in the table, as an earlier process left them.
    public func foundFlows() -> [FoundFlow] {
        var legs: [UInt32: [FoundFlow.Leg]] = [:]
        for counter in 0..<legLabels.count where legLabels[counter].pointee.in_use != 0 {
            let label = legLabels[counter].pointee
            legs[label.flow, default: []].append(
                FoundFlow.Leg(counter: UInt32(counter), number: label.number, to: Self.text(label.to)))
        }
        return (0..<flowTable.slots.count).compactMap { slot in
            let flow = flowTable.slots[slot].pointee
            guard FlowTable.isUsed(flow.kind), flow.kind != UInt8(CROSSPOINT_SLOT_GUARD.rawValue) else { return nil }
            let label = flowLabels[Int(flow.index)].pointee
            let isUsed = label.in_use != 0
            let identifier = UUID(uuid: flowDetails[slot].pointee.route)
            return FoundFlow(
                handle: FlowHandle(slot: slot, generation: flowDetails[slot].pointee.generation),
                route: isUsed ? Self.text(label.route) : "", from: isUsed ? Self.text(label.from) : "",
                identifier: isUsed && identifier != UUID(uuid: Self.zeroIdentifier) ? identifier : nil,
                sourceNumber: flowDetails[slot].pointee.route_source,
                isDraining: flow.flags & CROSSPOINT_FLOW_DRAINING.rawValue != 0,
                isForwarding: !targets(at: slot).allSatisfy(\.isNone),
                legs: isUsed ? (legs[flow.index] ?? []).sorted { $0.number < $1.number } : [])
        }
    }

    /// The handle of a flow that is installed under the key already; nil if it is not, or belongs to a route of another name than the
    /// wanted ones.
    public func findFlow(_ key: FlowKey, where isWanted: (String) -> Bool) -> FlowHandle? {
        let candidates = [FlowTable.Key(sourceOf: key), FlowTable.Key(destinationOf: key)]
        for candidate in candidates {
            guard let slot = flowTable.find(candidate) else { continue }
            let flow = flowTable.slots[slot].pointee
            let label = flowLabels[Int(flow.index)].pointee
            guard label.in_use != 0, isWanted(Self.text(label.route)) else { continue }
            let filters = flow.flags & CROSSPOINT_FLOW_FILTER_SOURCE.rawValue != 0
            let filtersPort = flow.flags & CROSSPOINT_FLOW_FILTER_SOURCE_PORT.rawValue != 0
            guard filters == (key.source != nil), filtersPort == (key.sourceUDPPort != nil),
                key.source.map({ $0 == IPAddress(words: flowDetails[slot].pointee.source) }) ?? true,
                key.sourceUDPPort.map({ $0 == UInt16(bigEndian: flow.source_port) }) ?? true
            else { continue }
            return FlowHandle(slot: slot, generation: flowDetails[slot].pointee.generation)
        }
        return nil
    }

    /// When the flow's last packet came (CLOCK_MONOTONIC, ns), and how many came; nil before the first.
    public func activity(of handle: FlowHandle) -> (last: UInt64, packets: UInt64, timestamp: UInt32)? {
        let index = counters(of: handle)
        let packets = (0..<lanes).reduce(UInt64(0)) {
            $0 + flowCounts[$1 * flowLabels.count + index].pointee.packets
        }
        let record = rtp[index].pointee
        return packets == 0 ? nil : (record.last_arrival, packets, record.last_timestamp)
    }

    /// The progress of the flow: the records as they lie in memory, with the sums over all CPUs.
    public func progress(of handle: FlowHandle) -> FlowRecords {
        let index = counters(of: handle)
        let detail = rtpDetails[index].pointee
        let record = rtp[index].pointee
        let counts = (0..<lanes).reduce(into: (packets: UInt64(0), bytes: UInt64(0))) { sum, lane in
            let count = flowCounts[lane * flowLabels.count + index].pointee
            sum.packets &+= count.packets
            sum.bytes &+= count.bytes
        }
        let rate = flowLabels[index].pointee.clock_rate
        return FlowRecords(
            packets: counts.packets, bytes: counts.bytes, rtcpPackets: detail.rtcp_packets,
            hasRTP: record.state & UInt8(CROSSPOINT_RTP_STARTED.rawValue) != 0,
            // The fast path begins at 2^32 (bpf/rtp_stats.h); wraps are counted from 0.
            extendedHighestSequence: record.highest &- 1 << 32, timestamp: record.last_timestamp, ssrc: record.ssrc,
            payloadType: record.payload_type, lastArrival: record.last_arrival, clockRate: rate == 0 ? nil : rate,
            expected: record.highest &- detail.base &+ 1, received: record.received, jitter: record.jitter >> 4)
    }

    /// The payload type of the flow's last RTP packet.
    public func payloadType(of handle: FlowHandle) -> UInt8 { rtp[counters(of: handle)].pointee.payload_type }

    /// Packets dropped at the port because their flow was removed (`drop_draining`).
    public func drainedPackets(at port: Port) -> UInt64 {
        (0..<lanes).reduce(0) { sum, lane in
            let index = lane * Int(CROSSPOINT_MAX_PORTS) + Int(port.number)
            return sum
                + withUnsafeBytes(of: reasonCounts[index].pointee.packets) {
                    $0.load(fromByteOffset: Int(CROSSPOINT_DROP_DRAINING.rawValue) * 8, as: UInt64.self)
                }
        }
    }

    /// The RTP clock rate that an installed flow is accounted with; nil if unknown.
    public func clockRate(of handle: FlowHandle) -> UInt32? {
        let rate = flowLabels[counters(of: handle)].pointee.clock_rate
        return rate == 0 ? nil : rate
    }

    /// Bytes of the flow so far, Ethernet header to payload.
    public func bytes(of handle: FlowHandle) -> UInt64 {
        let index = counters(of: handle)
        return (0..<lanes).reduce(0) { $0 + flowCounts[$1 * flowLabels.count + index].pointee.bytes }
    }

    /// The number of flows that there can be at once, those that drain included.
    public var flowCapacity: Int { flowLabels.count }
}
