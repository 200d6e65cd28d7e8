// The fast path's RTP accounting of one flow, compiled natively: exactly the kernel's lines.

import CrosspointShim

@testable import FastPath

/// A flow's record, to which packets are given one at a time.
struct Receiver {
    var flow = crosspoint_flow()
    var limits = crosspoint_flow_detail()
    var record = crosspoint_rtp()
    var detail = crosspoint_rtp_detail()
    let clockRate: UInt32
    /// The next packet's arrival, nanoseconds.
    var now: UInt64 = 1_000_000_000

    init(_ parameters: FlowParameters = FlowParameters(clockRate: 90_000)) {
        flow.nanoseconds_per_tick = parameters.tickWords
        flow.outage = parameters.outage
        flow.clock_mask = parameters.clockMask
        limits.max_dropout = parameters.maximumDropout
        limits.max_misorder = parameters.maximumMisorder
        clockRate = parameters.clockRate ?? 0
    }

    /// Accounts a packet; time goes on by `interval` first.
    mutating func receive(
        _ sequence: Int, timestamp: UInt32 = 0, ssrc: UInt32 = 1, source: UInt32 = 1, interval: UInt64 = 1000
    ) {
        now += interval
        crosspoint_native_account(
            &flow, &limits, &record, &detail, UInt16(truncatingIfNeeded: sequence), timestamp, ssrc, 96, source, now)
    }

    mutating func receive(_ sequences: some Sequence<Int>) {
        for sequence in sequences { receive(sequence) }
    }

    /// What the statistics dump says of it.
    var statistics: RTPStatistics { RTPStatistics(record, detail, clockRate: clockRate) }
}
