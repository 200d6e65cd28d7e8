// Direction in which media flow.

/// The direction of media, as the description's author sees it (RFC 8866 section 6.7).
public enum MediaDirection: String, Hashable, Sendable, CaseIterable {
    case sendReceive = "sendrecv"
    case sendOnly = "sendonly"
    case receiveOnly = "recvonly"
    case inactive

    /// The same direction, as the other side sees it (RFC 3264 section 6.1).
    public var reversed: MediaDirection {
        switch self {
        case .sendOnly: .receiveOnly
        case .receiveOnly: .sendOnly
        case .sendReceive, .inactive: self
        }
    }

    /// True if the author sends.
    public var sends: Bool { self == .sendReceive || self == .sendOnly }
    /// True if the author receives.
    public var receives: Bool { self == .sendReceive || self == .receiveOnly }
}

extension SDPSection {
    /// The direction that this section states itself; nil if it states none. To set it replaces the statement.
    public var direction: MediaDirection? {
        get { lines.lazy.compactMap(\.attribute).compactMap { MediaDirection(rawValue: $0.name.lowercased()) }.first }
        set {
            let line = newValue.map { SDPLine(attribute: $0.rawValue) }
            set("a", to: line) { line in
                MediaDirection.allCases.contains { line.isAttribute($0.rawValue) }
            }
        }
    }
}
