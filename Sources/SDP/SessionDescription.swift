// A session description, as SDP writes it.

/// A session description (RFC 8866).
public struct SessionDescription: Hashable, Sendable {
}
