// A reading in which everything has a value, for tests.

import FastPath

enum SampleStatistics {
    /// Two ports, one RTP flow with two legs.
    static func full(
        packets: UInt64 = 1000, at nanoseconds: UInt64 = 5_000_000_000, route: String = "cam1"
    ) -> StatisticsSnapshot {
        let rtp = RTPStatistics(
            ssrc: 0x1234_abcd, payloadType: 96, expectedPackets: packets + 2, receivedPackets: packets, lostPackets: 2,
            lossEvents: 1, reorderedPackets: 3, duplicatePackets: 4, latePackets: 5, ssrcChanges: 6, sourceChanges: 7,
            sequenceResets: 8, outages: 9, largestGapPackets: 10, largestGapNanoseconds: 11_000,
            extendedHighestSequence: 70_000, clockRate: 90_000, jitterNanoseconds: 12_300, jitterTimestampUnits: 1,
            largestJitterNanoseconds: 45_600)
        let legs = [
            LegStatistics(leg: 1, to: "10.2.0.5:5004@eth1", packets: packets, bytes: packets * 1442, refusedPackets: 0),
            LegStatistics(
                leg: 2, to: "10.2.0.6:5004@eth1", packets: packets, bytes: packets * 1442, refusedPackets: 13),
        ]
        let flow = FlowStatistics(
            route: route, from: "239.1.1.10:5004@eth0", payload: "rtp", engine: "kernel", engineReason: "because",
            packets: packets, bytes: packets * 1442, lastPacketAgeNanoseconds: 4000, rtp: rtp,
            rtcpPackets: 14, wrongSourcePackets: 15, invalidPackets: 16, legs: legs)
        let ports = ["eth0", "eth1"].map { name in
            PortStatistics(
                name: name, interfaceIndex: 2, receivedPackets: packets, forwardedPackets: packets - 17,
                forwardedBytes: packets * 1442, requestedCopies: packets * 2, transmittedCopies: packets * 2,
                refusedCopies: 18, dropped: ["drop_draining": 10, "drop_wrong_source": 7], passed: ["pass_not_udp": 19],
                undelivered: ["copy_interface_down": 20],
                sockets: [
                    SocketStatistics(
                        queue: 0, worker: 0, mode: "copy", isMultiBuffer: true, counters: ["tx_packets": packets])
                ])
        }
        return StatisticsSnapshot(
            node: "studio-a", unixNanoseconds: 1_795_227_378_123_000_000, monotonicNanoseconds: nanoseconds,
            programVersion: "1a2b3c", ports: ports, flows: [flow])
    }
}
