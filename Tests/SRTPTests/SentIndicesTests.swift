// A key that both ends know, over restarts: gone on with where it was, or not at all.

import FoundationEssentials
import SRTP
import SRTPKeys
import Testing

@Suite final class SentIndicesTests {
    private let directory: String
    private var path: String { "\(directory)/key" }

    init() throws {
        directory =
            "\(FileManager.default.temporaryDirectory.path())/crosspoint-srtp-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private let key = try? SRTPKey.test(.aesCM128HMACSHA1_80)

    @Test func restartedSenderGoesOnAboveEverythingThatWasSent() throws {
        let key = try #require(key)
        var receiver = try SRTPReceiver([key])
        var sent: Set<[UInt8]> = []
        var count = 0
        // Over a wrap, with a restart after every 20 packets and some packets missing meanwhile.
        for start in stride(from: 65_400, to: 65_700, by: 25) {
            var sender = try SRTPSender(key, indices: try SentIndices(path: path, boot: (1, 2)))
            for number in start..<start + 20 {
                let packet = TestPacket.rtp(sequence: UInt16(truncatingIfNeeded: number), fill: 0)
                let protected = try sender.protected(packet)
                sent.insert(Array(protected[12..<172]))
                count += 1
                try #require(try receiver.unprotected(protected) == packet)
            }
            // RTCP has an index of its own.
            let report = TestPacket.report()
            let protected = try sender.protected(report, isControl: true)
            sent.insert(Array(protected[8..<28]))
            count += 1
            #expect(try receiver.unprotected(protected, isControl: true) == report)
        }
        #expect(sent.count == count)
    }

    @Test func whatWasSentBeforeARestartIsNotSentAgain() throws {
        let key = try #require(key)
        do {
            var sender = try SRTPSender(key, indices: try SentIndices(path: path, boot: (1, 2)))
            for sequence in [100, 101, 105] as [UInt16] { _ = try sender.protected(TestPacket.rtp(sequence: sequence)) }
        }
        var sender = try SRTPSender(key, indices: try SentIndices(path: path, boot: (1, 2)))
        for sequence in [100, 103, 105, 60_000] as [UInt16] {
            #expect(throws: SRTPError.replayTooOld, "\(sequence)") {
                try sender.protected(TestPacket.rtp(sequence: sequence))
            }
        }
        _ = try sender.protected(TestPacket.rtp(sequence: 106))
        #expect(throws: SRTPError.replayTooOld) { try sender.protected(TestPacket.rtp(sequence: 104)) }
        #expect(throws: SRTPError.replay) { try sender.protected(TestPacket.rtp(sequence: 106)) }
    }

    @Test func keyWhoseUseIsUnknownAfterTheMachinesEndIsRefused() throws {
        // Nobody came to an orderly end: the process's memory of the file is the machine's, and goes with it.
        let copy = "\(directory)/copy"
        do {
            let indices = try SentIndices(path: path, boot: (1, 2))
            try FileManager.default.copyItem(atPath: path, toPath: copy)
            withExtendedLifetime(indices) {}
        }
        #expect(throws: SentIndicesError.unknown) { try SentIndices(path: copy, boot: (3, 4)) }
        // The same run of the machine knows it all, and an orderly end is as good.
        _ = try SentIndices(path: copy, boot: (1, 2))
        _ = try SentIndices(path: path, boot: (3, 4))
    }

    @Test func keyIsInOneHand() throws {
        let indices = try SentIndices(path: path, boot: (1, 2))
        #expect(throws: SentIndicesError.self) { try SentIndices(path: self.path, boot: (1, 2)) }
        withExtendedLifetime(indices) {}
        #expect(throws: SentIndicesError.self) { try SentIndices(path: "\(self.directory)/none/key", boot: (1, 2)) }
    }
}
