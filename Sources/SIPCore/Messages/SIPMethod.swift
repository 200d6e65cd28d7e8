// Methods of requests.

/// A method of SIP. Names are case-sensitive and never unescaped (RFC 3261 section 7.1).
public enum SIPMethod: Hashable, Sendable {
    case invite, ack, bye, cancel, options, register
    /// RFC 3262.
    case prack
    /// RFC 3311.
    case update
    /// RFC 6086.
    case info
    /// RFC 3428.
    case message
    /// RFC 3515.
    case refer
    /// RFC 6665.
    case subscribe, notify
    /// RFC 3903.
    case publish
    /// A method that no RFC above has.
    case other(String)

    /// The methods that have a name here.
    public static let known: [SIPMethod] = [
        .invite, .ack, .bye, .cancel, .options, .register, .prack, .update, .info, .message, .refer, .subscribe,
        .notify, .publish,
    ]

    private static let byName = Dictionary(uniqueKeysWithValues: known.map { ($0.name, $0) })

    /// The method that is written `name`.
    public init(_ name: String) { self = Self.byName[name] ?? .other(name) }

    /// The name as it is written in the request line and in CSeq.
    public var name: String {
        switch self {
        case .invite: "INVITE"
        case .ack: "ACK"
        case .bye: "BYE"
        case .cancel: "CANCEL"
        case .options: "OPTIONS"
        case .register: "REGISTER"
        case .prack: "PRACK"
        case .update: "UPDATE"
        case .info: "INFO"
        case .message: "MESSAGE"
        case .refer: "REFER"
        case .subscribe: "SUBSCRIBE"
        case .notify: "NOTIFY"
        case .publish: "PUBLISH"
        case .other(let name): name
        }
    }

    /// True if a request of this method, and its 2xx, replaces the remote target of a dialog
    /// (RFC 3261 section 6, "target refresh request", and RFC 3311).
    public var isTargetRefresh: Bool { self == .invite || self == .update }
}
