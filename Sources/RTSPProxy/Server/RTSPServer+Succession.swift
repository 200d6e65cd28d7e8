// Dead sessions give way: a peer that crashed, and asks again, does not wait for its own session to expire.

import AgentSupport
import RTSPCore
import Timing

extension RTSPServer {
    /// The time without a packet after which a publisher counts as silent.
    private static let silence: UInt64 = 1_000_000_000

    /// Ends the session of a path's publisher if it is dead, so that another one can begin: its connection is gone and nothing comes, or
    /// the same user at the same address asks again.
    func yieldPath(_ path: Path, to connection: ClientConnection, user: String?) async {
        guard let old = publishers[path.path], !old.isEnded else { return }
        let isGone = old.isDisconnected
        let isSamePeer = old.core.peer == connection.peer && old.core.user == user
        let last = await old.publisher?.lastArrival()
        let isSilent = last.map { Deadline(Self.silence, after: $0).hasPassed(at: MonotonicClock.now) } ?? true
        guard isGone && isSilent || isSamePeer && (isGone || isSilent && last != nil) else { return }
        await end(old, reason: "its publisher is gone, and \(connection.peerText) publishes there")
    }

    /// Ends the sessions that have UDP ports which a SETUP asks for, where they can only be dead: the UDP ports are those of one program
    /// at one address, and the same user at that address asks for them on another connection, the earlier one being gone.
    func yieldEndpoints(askedFor request: RTSPRequest, of session: ProxySession, on connection: ClientConnection) async
    {
        for specification in TransportHeader(request.headers)?.specifications ?? [] {
            guard let pair = specification.clientUDPPorts else { continue }
            for udpPort in [pair.rtp, pair.second].compactMap({ $0 }) {
                guard let owner = endpoints[Endpoint(address: connection.peer, udpPort: udpPort)],
                    let old = sessions[owner.session], old !== session, !old.isEnded,
                    old.core.peer == connection.peer, old.core.user == session.core.user,
                    old.isDisconnected
                else { continue }
                await end(old, reason: "its player is gone: \(connection.peerText) receives at its UDP ports now")
            }
        }
    }
}
