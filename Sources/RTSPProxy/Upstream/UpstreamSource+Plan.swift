// What an upstream is asked for, stream by stream.

import AgentSupport
import RTSPCore
import Routing
import SDP

extension UpstreamSource {
    func plan(for medium: MediaDescription, in description: SessionDescription) -> ClientStreamPlan? {
        guard let profile = profile(of: medium) else { return nil }
        return ClientStreamPlan(
            control: medium.attribute("control"),
            transports: transports(isMulticast: UpstreamGroup(medium, in: description) != nil), profile: profile)
    }

    /// Nil where the node cannot receive it: SRTP without keys, or no RTP at all.
    func profile(of medium: MediaDescription) -> TransportSpecification.Profile? {
        switch medium.transport.uppercased() {
        case "RTP/AVP", "RTP/AVP/UDP", "RTP/AVP/TCP": .avp
        case "RTP/AVPF", "RTP/AVPF/UDP", "RTP/AVPF/TCP": .avpf
        default: nil
        }
    }

    /// Who asks for TLS does not want packets in the clear unless the route says so, and a program of this node does not meet the fast
    /// path by UDP to the node's own addresses.
    private func transports(isMulticast: Bool) -> [ClientTransport] {
        switch transport {
        case .udp: [.udp]
        case .multicast: [.multicast]
        case .interleaved: [.interleaved]
        case .automatic:
            if session?.url.scheme == .rtsps || local?.isLocal == true {
                [.interleaved]
            } else {
                (isMulticast ? [.multicast] : []) + [.udp, .interleaved]
            }
        }
    }

    /// Counts a session that is interleaved although its route would rather have it by UDP.
    func countFallback(_ granted: [ClientStream]) {
        guard transports(isMulticast: false).first != .interleaved,
            granted.contains(where: { $0.transport == .interleaved })
        else { return }
        context.counters.add(to: .upstreamFallbacks, ["reason": wasSilent ? "silent" : "refused"])
    }
}
