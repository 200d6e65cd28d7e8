// Encoding of a payload type.

/// An encoding, its clock rate and its channels (RFC 8866 section 6.6).
public struct RTPMap: Hashable, Sendable {
    /// The encoding's name, as it is written: `H264`, `L24`, `raw`.
    public var encodingName: String
    /// The rate of RTP timestamps in hertz.
    public var clockRate: UInt32
    /// The channels of audio; 1 if they are not said.
    public var channels: Int

    public init(_ encodingName: String, clockRate: UInt32, channels: Int = 1) {
        self.encodingName = encodingName
        self.clockRate = clockRate
        self.channels = channels
    }

    /// Reads `L16/48000/2`; nil without a clock rate.
    init?(_ text: String) {
        let parts = text.split(atAny: [UInt8(ascii: "/")])
        guard parts.count >= 2, let clockRate = UInt32(parts[1]), clockRate > 0 else { return nil }
        self.init(
            parts[0], clockRate: clockRate,
            channels: parts.count > 2 ? max(UInt16(parts[2]).map(Int.init) ?? 1, 1) : 1)
    }

    /// The encoding that RFC 3551 section 6 (tables 4 and 5) assigns to a payload type; nil if it assigns nothing.
    public static func assigned(to payloadType: UInt8) -> RTPMap? {
        switch payloadType {
        case 0: RTPMap("PCMU", clockRate: 8000)
        case 3: RTPMap("GSM", clockRate: 8000)
        case 4: RTPMap("G723", clockRate: 8000)
        case 5: RTPMap("DVI4", clockRate: 8000)
        case 6: RTPMap("DVI4", clockRate: 16_000)
        case 7: RTPMap("LPC", clockRate: 8000)
        case 8: RTPMap("PCMA", clockRate: 8000)
        // G.722 samples at 16 kHz; its RTP clock is 8 kHz for historical reasons (section 4.5.2).
        case 9: RTPMap("G722", clockRate: 8000)
        case 10: RTPMap("L16", clockRate: 44_100, channels: 2)
        case 11: RTPMap("L16", clockRate: 44_100)
        case 12: RTPMap("QCELP", clockRate: 8000)
        case 13: RTPMap("CN", clockRate: 8000)
        case 14: RTPMap("MPA", clockRate: 90_000)
        case 15: RTPMap("G728", clockRate: 8000)
        case 16: RTPMap("DVI4", clockRate: 11_025)
        case 17: RTPMap("DVI4", clockRate: 22_050)
        case 18: RTPMap("G729", clockRate: 8000)
        case 25: RTPMap("CelB", clockRate: 90_000)
        case 26: RTPMap("JPEG", clockRate: 90_000)
        case 28: RTPMap("nv", clockRate: 90_000)
        case 31: RTPMap("H261", clockRate: 90_000)
        case 32: RTPMap("MPV", clockRate: 90_000)
        case 33: RTPMap("MP2T", clockRate: 90_000)
        case 34: RTPMap("H263", clockRate: 90_000)
        default: nil
        }
    }
}
