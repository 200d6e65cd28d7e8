// Session descriptions of scripted peers.

import RTPWire
import SDP

/// Audio from a device at `host` of a network that media may use.
enum TestSDP {
    static func audio(
        host: Int, udpPort: UInt16 = 4000, version: Int = 1, payloadTypes: String = "0", direction: String? = nil,
        more: [String] = []
    ) -> [UInt8] {
        var lines = [
            "v=0", "o=- \(host) \(version) IN IP4 10.9.0.\(host)", "s=-", "c=IN IP4 10.9.0.\(host)", "t=0 0",
            "m=audio \(udpPort) RTP/AVP \(payloadTypes)",
        ]
        if let direction { lines.append("a=\(direction)") }
        return Array(((lines + more).joined(separator: "\r\n") + "\r\n").utf8)
    }

    static func parsed(_ body: [UInt8]) throws -> SessionDescription { try SessionDescription(parsing: body) }
}
