// Observation of a flow's own packets: rate and RTP clock.

import Timing

/// Learns a flow's packet rate and, if nobody has given it, its RTP clock rate, from one look a second.
struct FlowObservation {
    /// One look at a flow's counters.
    struct Sample {
        var packets: UInt64
        var bytes: UInt64
        /// When the last packet came, nanoseconds.
        var arrival: UInt64
        /// Its RTP timestamp.
        var timestamp: UInt32
    }

    private var last: (sample: Sample, time: UInt64)?
    private var clockStart: Sample?
    private var candidate: (rate: UInt32, count: Int)?

    /// Packets and bytes (Ethernet header to payload) per second in the last interval.
    private(set) var packetRate: UInt64 = 0
    private(set) var byteRate: UInt64 = 0
    /// The mean length of the packets when there last were any, Ethernet header to payload, bytes; 0 before.
    private(set) var frameLength: UInt64 = 0
    /// The clock rate that was recognised, Hz.
    private(set) var clockRate: UInt32?

    /// Clock rates that are in use: RFC 3551, AES67, ST 2110, ST 2022-6.
    private static let knownClockRates: [UInt32] = [
        8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 90_000, 96_000, 176_400, 192_000, 27_000_000,
    ]

    /// The rate on the wire, bits per second: with preamble, FCS and inter-frame gap, 24 bytes a packet.
    var wireRate: UInt64 { (byteRate + 24 * packetRate) * 8 }

    /// Takes a look at `now` (nanoseconds).
    mutating func take(_ sample: Sample, at now: UInt64) {
        if let last, now > last.time, sample.packets >= last.sample.packets {
            let elapsed = Double(now.subtractingSaturating(last.time))
            packetRate = UInt64(Double(sample.packets - last.sample.packets) * 1e9 / elapsed)
            byteRate = UInt64(Double(sample.bytes - last.sample.bytes) * 1e9 / elapsed)
            let packets = sample.packets - last.sample.packets
            if packets > 0 { frameLength = (sample.bytes - last.sample.bytes) / packets }
            if packets == 0 { clockStart = nil }
        }
        last = (sample, now)
        if clockRate == nil { recogniseClock(sample) }
    }

    /// The rate that fits timestamps against arrivals over at least four seconds, twice in a row. Half a percent
    /// distinguishes 88.2 kHz from 90 kHz, and a video frame's packets of one timestamp from a drifting clock.
    private mutating func recogniseClock(_ sample: Sample) {
        guard let start = clockStart, sample.arrival > start.arrival else {
            clockStart = sample
            return
        }
        let seconds = Double(sample.arrival.subtractingSaturating(start.arrival)) / 1e9
        guard seconds >= 4 else { return }
        let rate = Double(sample.timestamp &- start.timestamp) / seconds
        guard let nearest = Self.knownClockRates.min(by: { abs(Double($0) - rate) < abs(Double($1) - rate) }),
            abs(Double(nearest) / rate - 1) < 0.01
        else {
            // A jump of timestamps, or a sender restart: begin again.
            clockStart = sample
            candidate = nil
            return
        }
        let count = candidate?.rate == nearest ? (candidate?.count ?? 0) + 1 : 1
        candidate = (nearest, count)
        if count >= 2 { clockRate = nearest }
    }

    /// The clock rate that RFC 3551 section 6 gives a static payload type; nil for dynamic ones.
    static func clockRate(ofPayloadType payloadType: UInt8) -> UInt32? {
        switch payloadType {
        case 0, 3, 4, 5, 7, 8, 9, 12, 13, 15, 18: 8000
        case 6: 16_000
        case 10, 11: 44_100
        case 14, 25, 26, 28, 31, 32, 33, 34: 90_000
        case 16: 11_025
        case 17: 22_050
        default: nil
        }
    }
}
