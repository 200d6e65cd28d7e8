// A listener without descriptors pauses, and says so once.

import Glibc
import Logging
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import AgentSupport

@Suite struct AcceptPauseTests {
    @Test("After a failed accept nothing more is accepted at once, and one line of many says why")
    func pauses() throws {
        let lines = Lines()
        let channel = EmbeddedChannel()
        let reads = ReadCounter()
        // Reads go from the last handler to the first: the counter is before the pause.
        try channel.pipeline.syncOperations.addHandler(reads)
        let added = AcceptPause.add(to: channel, name: "rtsp listener 8554", logger: lines.logger)
        channel.embeddedEventLoop.run()
        try added.wait()
        try channel.pipeline.syncOperations.removeHandler(reads).wait()
        try channel.pipeline.syncOperations.addHandler(reads, position: .first)
        channel.read()
        #expect(reads.count == 1)
        for _ in 1...5 {
            channel.pipeline.fireErrorCaught(IOError(errnoCode: EMFILE, reason: "accept"))
            channel.read()
        }
        #expect(reads.count == 1)
        let texts = lines.texts.withLock { $0 }
        #expect(
            texts.count == 1 && texts[0].hasPrefix("rtsp listener 8554: no connection can be accepted")
                && texts[0].hasSuffix("raise LimitNOFILE of the service"), "\(texts)")
    }

    private final class Lines: Sendable {
        let texts = Mutex<[String]>([])
        var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }
    }

    private struct Handler: LogHandler {
        let lines: Lines
        var metadata = Logger.Metadata()
        var logLevel = Logger.Level.info
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) { lines.texts.withLock { $0.append("\(event.message)") } }
    }

    private final class ReadCounter: ChannelOutboundHandler, RemovableChannelHandler {
        typealias OutboundIn = Any
        var count = 0

        func read(context: ChannelHandlerContext) { count += 1 }
    }
}
