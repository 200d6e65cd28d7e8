// Purpose of a held socket, as a value and as text.

public import RTPWire

/// The purpose of a socket that is held for its effect on the kernel, not for its data.
///
/// The text is stable between versions: it is the name under which the socket is kept outside the daemon.
public enum SocketKey: Hashable, Sendable {
    /// Membership of a group on an interface; `source` for a source-specific one (RFC 4607).
    case join(group: IPAddress, source: IPAddress?, interface: String)
    /// A UDP port of this node, taken so that nobody else gets it; `interface` for a link-local address only.
    case reserve(address: IPAddress, udpPort: UInt16, interface: String? = nil)
}

extension SocketKey: LosslessStringConvertible {
    /// `join 239.1.1.10 source 10.1.0.7 on eth0`, `join ff3e::1 on eth0`, `reserve 10.1.0.1:5004`,
    /// `reserve [fe80::1]:5004 on eth0`.
    public var description: String {
        switch self {
        case .join(let group, let source, let interface):
            "join \(group)\(source.map { " source \($0)" } ?? "") on \(interface)"
        case .reserve(let address, let udpPort, let interface):
            "reserve \(address.bracketed):\(udpPort)\(interface.map { " on \($0)" } ?? "")"
        }
    }

    /// Reads what `description` writes. Nil for anything else.
    public init?(_ description: String) {
        // The kernel allows no white space in the name of an interface.
        let words = description.split(separator: " ", omittingEmptySubsequences: false)
        switch (words.first, words.count) {
        case ("join", 4) where words[2] == "on":
            guard let group = IPAddress(words[1]) else { return nil }
            self = .join(group: group, source: nil, interface: String(words[3]))
        case ("join", 6) where words[2] == "source" && words[4] == "on":
            guard let group = IPAddress(words[1]), let source = IPAddress(words[3]) else { return nil }
            self = .join(group: group, source: source, interface: String(words[5]))
        case ("reserve", 2):
            guard let (address, udpPort) = Self.endpoint(words[1]) else { return nil }
            self = .reserve(address: address, udpPort: udpPort)
        case ("reserve", 4) where words[2] == "on":
            guard let (address, udpPort) = Self.endpoint(words[1]) else { return nil }
            self = .reserve(address: address, udpPort: udpPort, interface: String(words[3]))
        default:
            return nil
        }
    }

    private static func endpoint(_ text: Substring) -> (IPAddress, UInt16)? {
        guard let colon = text.lastIndex(of: ":"), let udpPort = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        let isBracketed = host.first == "[" && host.last == "]"
        if isBracketed { host = host.dropFirst().dropLast() }
        guard let address = IPAddress(host), isBracketed == (address.family == .ipv6) else { return nil }
        return (address, udpPort)
    }
}
