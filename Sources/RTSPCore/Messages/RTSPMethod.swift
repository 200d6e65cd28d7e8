// Methods of requests.

/// A method of RTSP 1.0 (RFC 2326 section 10). Names are case-sensitive.
public enum RTSPMethod: Hashable, Sendable {
    case options, describe, announce, setup, play, pause, teardown, record, redirect
    case getParameter, setParameter
    /// A method that RFC 2326 does not have.
    case other(String)

    /// The methods of RFC 2326, in the order in which they are listed to a client.
    public static let known: [RTSPMethod] = [
        .options, .describe, .announce, .setup, .play, .pause, .teardown, .record, .redirect, .getParameter,
        .setParameter,
    ]

    public init(_ name: String) {
        self = Self.known.first { $0.name == name } ?? .other(name)
    }

    /// The name as it is written in the request line.
    public var name: String {
        switch self {
        case .options: "OPTIONS"
        case .describe: "DESCRIBE"
        case .announce: "ANNOUNCE"
        case .setup: "SETUP"
        case .play: "PLAY"
        case .pause: "PAUSE"
        case .teardown: "TEARDOWN"
        case .record: "RECORD"
        case .redirect: "REDIRECT"
        case .getParameter: "GET_PARAMETER"
        case .setParameter: "SET_PARAMETER"
        case .other(let name): name
        }
    }
}
