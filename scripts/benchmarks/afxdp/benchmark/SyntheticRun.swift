// The worker's own code without the kernel: the other side of the rings is played between two measurements.

import AFXDP
import AFXDPReference
import CrosspointShim
import EngineSupport
import FastPath
import RTPWire
import SRTP
import SRTPKeys

/// One loop over rings in plain memory.
struct SyntheticRun {
    private let node = SyntheticNode()
    private let input: SyntheticSocket
    private let output: SyntheticSocket
    private let pass: (UInt64) -> Void
    private let frame: [UInt8]
    /// The context that the leg encrypts with; it lives as long as the loop.
    private let protection: WorkerContext?
    private let note: crosspoint_metadata

    /// `key` has the leg encrypt; the loop is Swift's then.
    init(language: Language, legs: Int, key: SRTPKey? = nil) throws {
        let node = node
        protection = try key.map { key throws(SRTPError) in try .sending(key, indices: SentIndices()) }
        let isProtected = key != nil
        input = node.open(port: 0, receives: true)
        output = node.open(port: 1, receives: false)
        node.setLegs(
            (0..<legs).map { number in
                let leg = LegParameters(
                    port: 1, counter: UInt32(number), sourceMAC: .zero, destinationMAC: .zero,
                    source: IPAddress(10, 2, 0, 1), destination: IPAddress(10, 2, 0, 5),
                    udpPort: UInt16(20_000 + number), isProtected: isProtected)
                return leg.records
            })
        node.legContexts[0] = protection?.address
        var bytes = [UInt8](repeating: 0, count: 1442)
        bytes.replaceSubrange(12..<16, with: [0x08, 0x00, 0x45, 0x00])
        bytes.replaceSubrange(16..<18, with: [0x05, 0x94])
        bytes.replaceSubrange(22..<24, with: [64, 17])
        bytes.replaceSubrange(38..<40, with: [0x05, 0x80])
        bytes[40] = 1
        bytes[42] = 0x80
        frame = bytes
        note = node.note(frame: 14 | CROSSPOINT_FRAME_RTP.rawValue)
        switch language {
        case .swift: pass = { now in _ = node.loop.pointee.pass(now: now) }
        case .c:
            var tables = reference_tables(node)
            let worker = reference_create(&tables, node.base, UInt32(node.frames))
            for (socket, receives) in [(input, true), (output, false)] {
                let channel = socket.channel.pointee
                reference_add(
                    worker, channel.port, receives ? 1 : 0, .init(channel.receiveRing), .init(channel.transmitRing),
                    .init(channel.fillRing), .init(channel.completionRing), channel.counters)
            }
            pass = { now in _ = reference_pass(worker, now) }
        }
    }

    /// Has so many packets forwarded, 32 in each pass.
    func nanosecondsPerPacket(packets: Int) -> Double {
        var (time, done): (UInt64, Int) = (0, 0)
        var (frame, sequence) = (frame, UInt16(0))
        pass(0)
        while done < packets {
            var count = 0
            while count < 32, input.receive(frame, note: note) {
                count += 1
                sequence &+= 1
                frame[44] = UInt8(sequence >> 8)
                frame[45] = UInt8(sequence & 0xff)
            }
            let began = crosspoint_monotonic()
            pass(began)
            time += crosspoint_monotonic() - began
            done += count
            output.completeAll()
        }
        return Double(time) / Double(done)
    }
}

extension SyntheticRun {
    /// Nanoseconds that libsrtp alone takes for the same packets.
    static func libraryNanosecondsPerPacket(_ key: SRTPKey, packets: Int) throws -> Double {
        let packet = try SyntheticRun(language: .swift, legs: 1).frame.dropFirst(42)
        let time = reference_srtp_nanoseconds(
            Array(packet), UInt32(packet.count), key.masterKey + key.masterSalt, UInt32(packets))
        guard time > 0 else { throw SRTPError.library(0) }
        return time
    }
}

extension reference_tables {
    init(_ node: SyntheticNode) {
        self.init(
            flows: node.flows, flow_details: node.flowDetails, legs: node.legs, leg_details: node.legDetails,
            groups: node.groups, leg_counts: node.legCounts, leg_refusals: node.legRefusals, ports: node.ports,
            reasons: UnsafeMutableRawPointer(node.reasons).assumingMemoryBound(to: UInt64.self),
            flow_slots: UInt32(SyntheticNode.slots), leg_slots: UInt32(SyntheticNode.legCapacity),
            group_slots: UInt32(SyntheticNode.slots), leg_counters: UInt32(SyntheticNode.legCapacity),
            reason_slots: UInt32(MemoryLayout<crosspoint_reason_count>.stride / 8))
    }

    init(_ tables: WorkerTables) {
        self.init(
            flows: tables.flows, flow_details: tables.flowDetails, legs: tables.legs, leg_details: tables.legDetails,
            groups: tables.groups, leg_counts: tables.legCounts, leg_refusals: tables.legRefusals,
            ports: tables.ports,
            reasons: UnsafeMutableRawPointer(tables.reasons).assumingMemoryBound(to: UInt64.self),
            flow_slots: tables.flowSlots, leg_slots: tables.legSlots, group_slots: tables.groupSlots,
            leg_counters: tables.legCounters,
            reason_slots: UInt32(MemoryLayout<crosspoint_reason_count>.stride / 8))
    }
}
