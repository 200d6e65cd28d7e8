// Cases that are measured, and the setup of the node for them.

import FastPath
import LoadGenerator
import RTPWire
import TestSupport

/// One thing to measure.
enum Case: Hashable {
    /// An XDP program that only redirects, without an egress program.
    case bare
    /// One leg, everything on.
    case forward
    /// One leg, the clock read for every 8th sequence number.
    case forwardSampled
    /// One leg, packets and bytes only.
    case forwardCounters
    /// So many flows with one leg each, a power of two, traffic over all.
    case forwardMany(Int)
    /// The same, made in another order than their packets come in: nothing of one lies beside what the next packet needs.
    case forwardScattered(Int)
    /// A broadcast that only redirects.
    case fanoutBare(Int)
    /// The same with an egress program that does nothing.
    case fanoutEmpty(Int)
    /// Legs of one flow, everything on.
    case fanout(Int)
    /// Legs of one flow, packets and bytes only.
    case fanoutCounters(Int)
    /// nftables DNAT.
    case kernelNAT

    static let all: [Case] =
        [
            .bare, .forward, .forwardSampled, .forwardCounters, .forwardMany(4096), .kernelNAT,
        ] + [2, 8, 32].flatMap { [.fanoutBare($0), .fanout($0)] } + [.fanoutEmpty(8), .fanoutCounters(8)]

    var name: String {
        switch self {
        case .bare: "bare"
        case .forward: "forward"
        case .forwardSampled: "forward_sampled"
        case .forwardCounters: "forward_counters"
        case .forwardMany(let flows): "forward_\(flows)"
        case .forwardScattered(let flows): "forward_scattered_\(flows)"
        case .fanoutBare(let legs): "fanout_bare_\(legs)"
        case .fanoutEmpty(let legs): "fanout_empty_\(legs)"
        case .fanout(let legs): "fanout_\(legs)"
        case .fanoutCounters(let legs): "fanout_counters_\(legs)"
        case .kernelNAT: "kernel_nat"
        }
    }

    /// Copies of each packet.
    var legs: Int {
        switch self {
        case .fanoutBare(let legs), .fanoutEmpty(let legs), .fanout(let legs), .fanoutCounters(let legs): legs
        default: 1
        }
    }

    /// Interfaces that the copies are spread over: a veth's ring holds 256 frames, a poll brings a whole batch.
    var egressPorts: Int {
        switch legs {
        case 16...: 8
        case 4...: 4
        default: 1
        }
    }

    /// The egress port of a leg. Single legs have a port of their own, as where no route has several.
    func egressPort(ofLeg number: Int) -> Int { legs == 1 ? 8 : number % egressPorts }

    var batch: Int { legs >= 64 ? 16 : legs >= 32 ? 32 : 64 }

    var flows: Int {
        switch self {
        case .forwardMany(let flows), .forwardScattered(let flows): flows
        default: 1
        }
    }

    /// The order in which the flows are made: how far the next one's number is from one's own, modulo their number.
    var order: Int {
        // Odd, so that each number comes once; far from a power of two.
        if case .forwardScattered = self { 40_503 } else { 1 }
    }

    /// Packets that give a figure: a third of a second or so.
    var packets: Int {
        switch self {
        case .kernelNAT: 1 << 20
        case .fanoutBare(let legs), .fanoutEmpty(let legs), .fanout(let legs), .fanoutCounters(let legs):
            legs >= 16 ? (1 << 22) / legs : 1 << 19
        default: 1 << 22
        }
    }

    /// The accounting of the case's flows; nil where nothing of ours runs.
    var parameters: FlowParameters? {
        var parameters = FlowParameters(clockRate: 90_000, packetRate: 260_000, reportsFirstPacket: false)
        switch self {
        case .bare, .fanoutBare, .fanoutEmpty, .kernelNAT: return nil
        case .forwardSampled: parameters.clockMask = 7
        case .forwardCounters, .fanoutCounters:
            parameters.accounts = false
            parameters.clockMask = 63
        default: break
        }
        return parameters
    }
}
