// Limits of the part of a peer's description that is kept.

/// The largest description that is accepted.
public struct SDPLimits: Hashable, Sendable {
    /// Bytes of the whole text.
    public var bytes: Int
    /// Lines that are not empty.
    public var lines: Int
    /// Media.
    public var media: Int

    public init(bytes: Int = 131_072, lines: Int = 4096, media: Int = 128) {
        self.bytes = bytes
        self.lines = lines
        self.media = media
    }
}
