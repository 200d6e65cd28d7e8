// Events of a call's media for its signalling.

/// Something that nobody asked for.
public enum MediaEvent: Hashable, Sendable {
    /// `CallMedia.record` has changed otherwise than by a call of signalling: it is to be journalled.
    case recordChanged
    /// The state of the media has changed: if they come as they were negotiated.
    case state(MediaState)
    /// No media have come from anybody who should send, for as long as the policy says.
    case abandoned
}

/// The state of the media: if they come as they were negotiated.
public enum MediaState: String, Hashable, Sendable, Codable, CaseIterable {
    /// From everybody who should send; also where nobody should.
    case ok
    /// From one side only, of two that should send.
    case oneWay = "one-way"
    /// From nobody, though somebody should send.
    case noMedia = "no media"
}
