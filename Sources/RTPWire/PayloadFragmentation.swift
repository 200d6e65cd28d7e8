// RTP packets of video that are split into several, by the payload formats that have a standard way.

/// A payload format whose units may come in fragments.
public enum FragmentablePayload: Hashable, Sendable {
    /// RFC 6184: FU-A.
    case h264
    /// RFC 7798: fragmentation units, without DONL.
    case h265

    /// The format of an encoding name of `a=rtpmap`; nil where it has no standard fragmentation.
    public init?(encodingName: String) {
        switch encodingName.lowercased() {
        case "h264": self = .h264
        case "h265", "hevc": self = .h265
        default: return nil
        }
    }

    /// Bytes of the header of each unit.
    private var headerLength: Int { self == .h264 ? 1 : 2 }

    /// The same media in packets of no more than `limit` bytes: the sequence numbers follow on that of `packet`, and the last one alone
    /// has its marker. Nil for what is not RTP of the format.
    ///
    /// - Parameters:
    ///   - packet: A whole RTP packet.
    ///   - limit: In bytes, with the RTP header; 200 or more.
    public func split(_ packet: [UInt8], limit: Int) -> [[UInt8]]? {
        guard let layout = RTPLayout(packet), limit >= 200, layout.payload.count > headerLength else { return nil }
        let room = limit - layout.payload.lowerBound
        guard room > headerLength + 1, let payloads = payloads(of: packet[layout.payload], room: room) else {
            return nil
        }
        let sequence = UInt16(packet[2]) << 8 | UInt16(packet[3])
        return payloads.enumerated().map { index, payload in
            var header = Array(packet[..<layout.payload.lowerBound])
            header[0] &= ~0x20
            if index + 1 < payloads.count { header[1] &= 0x7f }
            let number = sequence &+ UInt16(truncatingIfNeeded: index)
            (header[2], header[3]) = (UInt8(number >> 8), UInt8(truncatingIfNeeded: number))
            return header + payload
        }
    }

    private func payloads(of payload: ArraySlice<UInt8>, room: Int) -> [[UInt8]]? {
        let type = type(of: payload)
        if type == (self == .h264 ? 24 : 48) { return units(of: payload)?.flatMap { fragments(of: $0, room: room) } }
        if type == (self == .h264 ? 28 : 49) { return smallerFragments(of: payload, room: room) }
        // FU-B, STAP-B, MTAP and PACI have fields of their own.
        guard type < (self == .h264 ? 24 : 48) else { return nil }
        return fragments(of: payload, room: room)
    }

    private func type(of payload: ArraySlice<UInt8>) -> UInt8 {
        let first = payload.first ?? 0
        return self == .h264 ? first & 0x1f : first >> 1 & 0x3f
    }

    /// The units that an aggregation packet has; nil where their lengths do not add up.
    private func units(of payload: ArraySlice<UInt8>) -> [ArraySlice<UInt8>]? {
        var rest = payload.dropFirst(headerLength)
        var units: [ArraySlice<UInt8>] = []
        while !rest.isEmpty {
            guard rest.count > 2 else { return nil }
            let length = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
            rest = rest.dropFirst(2)
            guard length > headerLength, length <= rest.count else { return nil }
            units.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return units
    }

    private func fragments(of unit: ArraySlice<UInt8>, room: Int) -> [[UInt8]] {
        guard unit.count > room else { return [Array(unit)] }
        return cut(
            unit.dropFirst(headerLength), header: fragmentHeader(of: unit), type: type(of: unit), isStart: true,
            isEnd: true, room: room)
    }

    private func smallerFragments(of payload: ArraySlice<UInt8>, room: Int) -> [[UInt8]]? {
        guard payload.count > headerLength + 1 else { return nil }
        let flags = payload[payload.startIndex + headerLength]
        return cut(
            payload.dropFirst(headerLength + 1), header: Array(payload.prefix(headerLength)),
            type: flags & (self == .h264 ? 0x1f : 0x3f), isStart: flags & 0x80 != 0, isEnd: flags & 0x40 != 0,
            room: room)
    }

    /// The header of the fragments of a unit: its own, with their type.
    private func fragmentHeader(of unit: ArraySlice<UInt8>) -> [UInt8] {
        let first = unit.first ?? 0
        return self == .h264
            ? [first & 0xe0 | 28] : [first & 0x81 | 49 << 1, unit.dropFirst().first ?? 0]
    }

    private func cut(
        _ body: ArraySlice<UInt8>, header: [UInt8], type: UInt8, isStart: Bool, isEnd: Bool, room: Int
    ) -> [[UInt8]] {
        let step = room - header.count - 1
        return stride(from: body.startIndex, to: body.endIndex, by: step).map { start in
            let end = min(start + step, body.endIndex)
            let first: UInt8 = isStart && start == body.startIndex ? 0x80 : 0
            let last: UInt8 = isEnd && end == body.endIndex ? 0x40 : 0
            return header + [first | last | type] + body[start..<end]
        }
    }
}

/// The place of the payload in an RTP packet (RFC 3550 section 5.1).
private struct RTPLayout {
    let payload: Range<Int>

    init?(_ packet: [UInt8]) {
        guard packet.count >= 12, packet[0] >> 6 == 2 else { return nil }
        var start = 12 + Int(packet[0] & 0x0f) * 4
        if packet[0] & 0x10 != 0 {
            guard packet.count >= start + 4 else { return nil }
            start += 4 + (Int(packet[start + 2]) << 8 | Int(packet[start + 3])) * 4
        }
        var end = packet.count
        if packet[0] & 0x20 != 0 { end -= Int(packet[packet.count - 1]) }
        guard start < end else { return nil }
        payload = start..<end
    }
}
