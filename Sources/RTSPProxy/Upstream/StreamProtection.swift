// SRTP in the daemon: of packets that do not pass the fast path as they came.

import AgentSupport
import NIOCore
import SRTP
import SRTPKeys

/// Decrypts what comes interleaved from an encrypted upstream, and encrypts what the daemon sends to it.
@AgentActor
final class StreamProtection {
    private var receiver: SRTPReceiver
    private var sender: SRTPSender

    init(_ keys: UpstreamKeys) throws(SRTPError) {
        receiver = try SRTPReceiver(keys.peer)
        sender = try SRTPSender(keys.own, indices: SentIndices())
    }

    /// The packet in clear; nil for one that is not the upstream's.
    func unprotect(_ packet: [UInt8], isRTCP: Bool, now: UInt64) -> [UInt8]? {
        var packet = packet
        let count = try? packet.withUnsafeMutableBytes { bytes throws(SRTPError) -> Int? in
            guard let base = bytes.baseAddress else { return nil }
            return try receiver.unprotect(base, length: bytes.count, isControl: isRTCP, now: now)
        }
        guard let count else { return nil }
        return Array(packet[..<count])
    }

    /// The RTCP packet encrypted; nil where the key may not be used any more.
    func protect(_ packet: ByteBuffer) -> ByteBuffer? {
        let length = packet.readableBytes
        var bytes = Array(packet.readableBytesView) + [UInt8](repeating: 0, count: sender.controlOverhead)
        let count = try? bytes.withUnsafeMutableBytes { bytes throws(SRTPError) -> Int? in
            guard let base = bytes.baseAddress else { return nil }
            return try sender.protect(base, length: length, isControl: true)
        }
        guard let count else { return nil }
        return ByteBuffer(bytes: bytes[..<count])
    }
}
