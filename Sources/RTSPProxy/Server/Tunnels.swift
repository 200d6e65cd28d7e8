// Connections that carry RTSP within HTTP.

import AgentSupport
import RTPWire
import RTSPCore

/// The tunnels whose GET is there, by what their POST names.
@AgentActor
final class Tunnels {
    /// A client chooses its cookie; it is taken only from the client's own address, and as safely as the tunnel began.
    struct Key: Hashable {
        var peer: IPAddress
        var isSecure: Bool
        var cookie: String
    }

    private var ends: [Key: ClientConnection] = [:]

    /// Registers the connection that answers go on; false where the cookie is in use.
    func open(_ key: Key, _ connection: ClientConnection) -> Bool {
        guard ends[key] == nil else { return false }
        ends[key] = connection
        return true
    }

    func close(_ key: Key) { ends[key] = nil }

    subscript(key: Key) -> ClientConnection? { ends[key] }
}

/// The part that a connection has in a tunnel.
@AgentActor
enum TunnelPart {
    /// Nothing is decided before its first bytes are there.
    case undecided(TunnelOpening)
    /// RTSP, on itself.
    case none
    /// GET: answers go on it, and what the other end brings is its own.
    case answers(Tunnels.Key)
    /// POST.
    case requests(TunnelDecoder, to: Tunnels.Key)
    case refused
}
