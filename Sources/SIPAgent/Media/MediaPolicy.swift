// Treatment of the media of calls: the part of the configuration that is the same for all calls.

/// Limits and times of calls' media.
public struct MediaPolicy: Hashable, Sendable {
    /// The number of `m=` lines that a description may have.
    public var maximumMedia: Int
    /// Seconds without a packet after which a direction that should have media counts as silent.
    public var silence: Double
    /// Seconds without a packet in any direction that should have media after which the call is notified
    /// (`MediaEvent.abandoned`); nil: never.
    public var abandonment: Double?
    /// Seconds after an agreement in which a source may be learned.
    public var learning: Double

    public init(maximumMedia: Int = 16, silence: Double = 10, abandonment: Double? = nil, learning: Double = 10) {
        self.maximumMedia = maximumMedia
        self.silence = silence
        self.abandonment = abandonment
        self.learning = learning
    }
}

/// From whom media are taken.
public enum MediaSources: String, Hashable, Sendable, Codable, CaseIterable {
    /// From the address and UDP port that the description names: symmetric RTP (RFC 4961).
    case strict
    /// From the address that the description names, whatever the UDP port.
    case address
    /// From the address and UDP port that the description names, or else from the signalling peer's address: the first packet within
    /// ten seconds, with a negotiated payload type, decides, once.
    case learn
}
