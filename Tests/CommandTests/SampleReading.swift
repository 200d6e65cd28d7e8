// Readings of the counters in which the routes of the sample sessions have carried something.

import FastPath

enum SampleReading {
    static let empty = snapshot([])

    /// The route `cam1`, whose leg 1 lost two packets of its own, and `cam1-rtcp` with its leg 7.
    static let cam1 = snapshot([
        flow(
            "cam1", packets: 1000, lost: 4,
            leg: LegStatistics(leg: 1, to: "x", packets: 100, bytes: 1, refusedPackets: 2)),
        flow(
            "cam1-rtcp", packets: 10, lost: nil,
            leg: LegStatistics(leg: 7, to: "y", packets: 10, bytes: 1, refusedPackets: 0)),
    ])

    private static func snapshot(_ flows: [FlowStatistics]) -> StatisticsSnapshot {
        StatisticsSnapshot(
            node: "a", unixNanoseconds: 1, monotonicNanoseconds: 1, programVersion: "v1", ports: [], flows: flows)
    }

    private static func flow(_ route: String, packets: UInt64, lost: Int64?, leg: LegStatistics) -> FlowStatistics {
        let rtp = lost.map { lost in
            RTPStatistics(
                ssrc: 1, payloadType: 96, expectedPackets: packets, receivedPackets: packets, lostPackets: lost,
                lossEvents: 0, reorderedPackets: 0, duplicatePackets: 0, latePackets: 0, ssrcChanges: 0,
                sourceChanges: 0, sequenceResets: 0, outages: 0, largestGapPackets: 0, largestGapNanoseconds: 0,
                extendedHighestSequence: 0, clockRate: nil, jitterNanoseconds: nil, jitterTimestampUnits: nil,
                largestJitterNanoseconds: nil)
        }
        return FlowStatistics(
            route: route, from: "239.1.1.10:5004@eth0", payload: lost == nil ? "rtcp" : "rtp", engine: "kernel",
            engineReason: "",
            packets: packets, bytes: packets, lastPacketAgeNanoseconds: nil, rtp: rtp, rtcpPackets: 0,
            wrongSourcePackets: 0, invalidPackets: 0, legs: [leg])
    }
}
