// One of the sides that were called.

/// A callee of a call, or one dialog of several that a callee's INVITE has made (RFC 3261 section 12.1).
public struct MediaBranch: Hashable, Sendable, Codable {
    let number: Int
}
