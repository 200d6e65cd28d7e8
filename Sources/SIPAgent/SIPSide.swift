// The two sides of a call.

/// A side of a call, which is two dialogs with this node between them.
public enum SIPSide: String, Hashable, Sendable, Codable, CaseIterable {
    /// The one who called.
    case caller
    /// The one who was called.
    case callee

    /// The other one.
    public var other: SIPSide { self == .caller ? .callee : .caller }
}
