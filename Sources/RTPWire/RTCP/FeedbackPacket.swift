// Feedback that receivers ask of a sender at once.

/// A feedback packet (RFC 4585 section 6.1), or one of an application (RFC 3550 section 6.7), which has the same form but for the
/// second word: there it is the application's name.
public struct FeedbackPacket: Hashable, Sendable {
    /// The kinds, by packet type.
    public enum Kind: UInt8, Hashable, Sendable {
        case application = 204
        /// About the transport: NACK (format 1), TMMBR (3), …
        case transport = 205
        /// About the payload: PLI (format 1), FIR (4), …
        case payload = 206
    }

    public var kind: Kind
    /// The format of the feedback, or the application's subtype: 0 to 31.
    public var format: UInt8
    /// The SSRC of its sender.
    public var ssrc: UInt32
    /// The source that it is about, or the application's name.
    public var media: UInt32
    /// The request, in whole words.
    public var information: [UInt8]

    public init(kind: Kind, format: UInt8, ssrc: UInt32, media: UInt32, information: [UInt8] = []) {
        self.kind = kind
        self.format = format
        self.ssrc = ssrc
        self.media = media
        self.information = information
    }

    init?(_ reader: inout WireReader, kind: Kind, format: UInt8) {
        guard let ssrc = reader.word(), let media = reader.word() else { return nil }
        self.init(kind: kind, format: format, ssrc: ssrc, media: media, information: Array(reader.rest))
    }

    func write(to bytes: inout [UInt8]) {
        bytes.append(word: ssrc)
        bytes.append(word: media)
        bytes += information
        bytes.padToWord()
    }
}
