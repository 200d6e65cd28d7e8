// Transport of messages.

/// A transport protocol of SIP (RFC 3261 section 18).
public enum SIPTransport: Hashable, Sendable, CustomStringConvertible {
    case udp, tcp, tls
    /// One that this node does not speak, in capitals.
    case other(String)

    /// Reads the name in a Via or a `transport` parameter, in any case.
    public init(_ name: some StringProtocol) {
        self =
            switch name.uppercased() {
            case "UDP": .udp
            case "TCP": .tcp
            case "TLS": .tls
            case let name: .other(name)
            }
    }

    public var description: String {
        switch self {
        case .udp: "UDP"
        case .tcp: "TCP"
        case .tls: "TLS"
        case .other(let name): name
        }
    }

    /// True if the transport repeats what is lost, so that transactions need not.
    public var isReliable: Bool { self != .udp }

    /// True if a request of this size must not go over UDP (RFC 3261 section 18.1.1).
    ///
    /// - Parameter pathMTU: bytes of the largest packet on the way; nil where it is not known.
    public static func isTooLargeForUDP(bytes: Int, pathMTU: Int?) -> Bool {
        bytes > pathMTU.map { $0 - 200 } ?? 1300
    }

    /// The UDP or TCP port where none is named.
    public var defaultPort: UInt16 { self == .tls ? 5061 : 5060 }
}
