// The way of packets that the host port cannot carry, from a source on TCP to its players on TCP.

import AgentSupport
import NIOCore
import RTPWire

/// One stream's short way within the daemon. It is taken from the first packet on that is longer than the host port takes: then players on
/// TCP get every packet as the source sent it, and the fast path gets what it can carry, for all others.
@AgentActor
final class DirectWay {
    /// Formats of the stream's payload types that may be split.
    var formats: [UInt8: FragmentablePayload] = [:]
    /// The players on TCP; nil while there are none.
    weak var fanOut: InterleavedFanOut?
    private(set) var isUsed = false
    /// The length of the longest packet that could not be split: it is for players on TCP alone. 0: there was none.
    private(set) var longestUnsplit = 0
    /// Packets that splitting has added: the fast path's sequence numbers are so many higher.
    private(set) var added: UInt64 = 0
    /// The last packet that the source sent, by its own number.
    private(set) var lastSequence: UInt16?

    /// RTP or RTCP that the host port, whose MTU is 9000, takes whole behind IPv4 and UDP headers.
    static let longestPacket = 9000 - 28
    /// The length of the parts of a longer one, which ways of 1500 bytes take.
    private static let partLength = 1400

    /// Forgets a source that is gone.
    func reset() {
        if isUsed { fanOut?.leaveDirectWay() }
        (isUsed, longestUnsplit, added, lastSequence) = (false, 0, 0, nil)
    }

    /// Takes an RTP packet of the source, and returns what is to go through the host port: it, or its parts, under their numbers there.
    func pass(_ packet: ByteBuffer) -> [ByteBuffer] {
        let isLong = packet.readableBytes > Self.longestPacket
        if isLong, !isUsed {
            isUsed = true
            fanOut?.takeDirectWay(after: lastSequence)
        }
        let sequence = packet.getInteger(at: packet.readerIndex + 2, as: UInt16.self)
        lastSequence = sequence ?? lastSequence
        guard isUsed else { return [packet] }
        fanOut?.take(direct: packet)
        guard let sequence else { return isLong ? [] : [packet] }
        guard isLong else { return [renumbered(packet, sequence)] }
        let type = packet.getInteger(at: packet.readerIndex + 1, as: UInt8.self) ?? 0
        let bytes = Array(renumbered(packet, sequence).readableBytesView)
        guard let parts = formats[type & 0x7f]?.split(bytes, limit: Self.partLength) else {
            longestUnsplit = max(longestUnsplit, packet.readableBytes)
            return []
        }
        added += UInt64(parts.count - 1)
        return parts.map { ByteBuffer(bytes: $0) }
    }

    private func renumbered(_ packet: ByteBuffer, _ sequence: UInt16) -> ByteBuffer {
        guard added > 0 else { return packet }
        var packet = packet
        packet.setInteger(sequence &+ UInt16(truncatingIfNeeded: added), at: packet.readerIndex + 2)
        return packet
    }

    /// The reason for which the stream is not for players on UDP; nil where it is.
    var misfit: String? {
        longestUnsplit == 0
            ? nil
            : "packets of \(longestUnsplit) bytes cannot be split; more than \(Self.longestPacket) are for players on TCP"
    }
}
