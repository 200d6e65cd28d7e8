// Tables and quantities as people see them.

@testable import CrosspointCommands
import FastPath
import Node
import Testing

@Suite("Tables")
struct TableTests {
    @Test("Columns are aligned, lines have no space at their end, control characters no effect")
    func alignment() {
        var table = Table([.left("NAME"), .right("N"), .left("NOTE")])
        table.add(["a", "1", "x\ny"])
        table.add(["µs-long", "12345", ""])
        table.add(["b"])
        #expect(
            table.text(colour: false) == """
                NAME         N  NOTE
                a            1  x y
                µs-long  12345
                b

                """)
    }

    @Test("Colour changes no width")
    func colour() {
        var table = Table([.left("A"), .left("B")])
        table.add([Table.Cell("ok", .good), "x"])
        #expect(table.text(colour: true) == "\u{1B}[1mA\u{1B}[0m   \u{1B}[1mB\u{1B}[0m\n\u{1B}[32mok\u{1B}[0m  x\n")
        #expect(table.text(colour: false) == "A   B\nok  x\n")
    }

    @Test(
        "Rates",
        arguments: [
            (0, "0 b/s"), (1, "1.00 b/s"), (999, "999 b/s"), (999.6, "1.00 kb/s"), (1000, "1.00 kb/s"),
            (2_660_000_000, "2.66 Gb/s"), (26_600_000, "26.6 Mb/s"), (266_000, "266 kb/s"), (1e12, "1.00 Tb/s"),
            (9_996, "10.0 kb/s"), (99_960, "100 kb/s"),
        ] as [(Double, String)])
    func rates(value: Double, text: String) { #expect(Quantity.bitRate(value) == text) }

    @Test(
        "Durations",
        arguments: [
            (0, "0 ns"), (999, "999 ns"), (12_300, "12.3 µs"), (4_000_000, "4.00 ms"), (1_500_000_000, "1.50 s"),
            (180_000_000_000, "3.00 min"), (7_200_000_000_000, "2.00 h"), (432_000_000_000_000, "5 d"),
        ] as [(UInt64, String)])
    func durations(nanoseconds: UInt64, text: String) { #expect(Quantity.duration(nanoseconds: nanoseconds) == text) }

    @Test("Statistics: a row per flow, one per leg, and the ports with their reasons")
    func statistics() {
        let rtp = RTPStatistics(
            ssrc: 0, payloadType: 96, expectedPackets: 1, receivedPackets: 1, lostPackets: -3, lossEvents: 0,
            reorderedPackets: 0, duplicatePackets: 3, latePackets: 0, ssrcChanges: 0, sourceChanges: 0,
            sequenceResets: 0,
            outages: 0, largestGapPackets: 0, largestGapNanoseconds: 0, extendedHighestSequence: 0, clockRate: 90_000,
            jitterNanoseconds: 12_300, jitterTimestampUnits: 1, largestJitterNanoseconds: 0)
        func snapshot(_ packets: UInt64, at nanoseconds: UInt64) -> StatisticsSnapshot {
            StatisticsSnapshot(
                node: "a", unixNanoseconds: 0, monotonicNanoseconds: nanoseconds, programVersion: "v1",
                ports: [
                    PortStatistics(
                        name: "eth0", interfaceIndex: 2, receivedPackets: packets, forwardedPackets: packets,
                        forwardedBytes: packets * 1000, requestedCopies: packets, transmittedCopies: 0,
                        refusedCopies: 0,
                        dropped: ["draining": 12, "wrong_source": 30, "runt": 0], passed: [:], undelivered: [:])
                ],
                flows: [
                    FlowStatistics(
                        route: "cam1", from: "239.1.1.10:5004@eth0", payload: "rtp", engine: "kernel", engineReason: "",
                        packets: packets, bytes: packets * 1000, lastPacketAgeNanoseconds: 4000, rtp: rtp,
                        rtcpPackets: 0, wrongSourcePackets: 0, invalidPackets: 0,
                        legs: [
                            LegStatistics(leg: 1, to: "10.2.0.5:5004@eth1", packets: 7, bytes: 7000, refusedPackets: 0)
                        ])
                ])
        }
        let measured = MeasuredStatistics(from: snapshot(0, at: 0), to: snapshot(250_000, at: 1_000_000_000))
        let text = StatisticsText(measured, colour: false).text
        #expect(
            text == """
                node a  1970-01-01T00:00:00.000Z  fast path v1

                ROUTE    STATE     ENGINE  ENDPOINT                   RATE   PACKETS/S  PACKETS  LOST  LAST LOSS  REORDERED  DUPLICATES   JITTER        SSRC      AGE  REASON
                cam1     ok        kernel  239.1.1.10:5004@eth0  2.00 Gb/s  250 kpkt/s   250000    -3          -          0           3  12.3 µs  0x00000000  4.00 µs
                  leg 1  not sent          > 10.2.0.5:5004@eth1      0 b/s     0 pkt/s        7

                PORT  RECEIVED/S  FORWARDED   SENT/S  RECEIVED  SENT  REFUSED  DROPPED  REASONS
                eth0  250 kpkt/s  2.00 Gb/s  0 pkt/s    250000     0        0       42  wrong_source 30, draining 12

                """)
        #expect(StatisticsText(measured.only(route: "x"), colour: false).text.contains("no flows\n"))
        // On a terminal of 80 columns all that matters is there.
        let narrow = StatisticsText(measured, isWide: false, heartbeat: 1_000_000_000, colour: false).text
        #expect(
            narrow.contains(
                """
                ROUTE    STATE          RATE  LOST  LAST LOSS   JITTER  TO
                cam1     ok        2.00 Gb/s    -3          -  12.3 µs  239.1.1.10:5004@eth0
                  leg 1  not sent      0 b/s                            > 10.2.0.5:5004@eth1

                """))
        #expect(narrow.contains("the daemon does not answer; it was last alive at 1970-01-01T00:00:01.000Z"))
        let longest = narrow.split(separator: Character("\n")).prefix(6).map(\.count).max() ?? 0
        #expect(longest <= 110)
    }
}
