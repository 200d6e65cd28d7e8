// Plan of the requests to an upstream, stream by stream.

import AgentSupport
import RTSPCore
import Routing
import SDP

extension UpstreamSource {
    func plan(for medium: MediaDescription, in description: SessionDescription) -> ClientStreamPlan? {
        guard let profile = profile(of: medium) else { return nil }
        return ClientStreamPlan(
            control: medium.attribute("control"),
            transports: transports(
                isMulticast: UpstreamGroup(medium, in: description) != nil, isSecured: profile.isSecured),
            profile: profile)
    }

    /// The keys of an encrypted medium, which are taken over TLS only; nil for any other, and, with a note, where it has none that can
    /// be used.
    func keys(of medium: MediaDescription, in description: SessionDescription) -> UpstreamKeys? {
        guard session?.url.scheme == .rtsps else { return nil }
        do {
            return try UpstreamKeys(of: medium, in: description)
        } catch {
            note("m=\(medium.line.value): \(error)")
            return nil
        }
    }

    /// Nil where the node cannot receive it: SRTP without TLS, or no RTP at all.
    func profile(of medium: MediaDescription) -> TransportSpecification.Profile? {
        switch medium.transport.uppercased() {
        case "RTP/AVP", "RTP/AVP/UDP", "RTP/AVP/TCP": .avp
        case "RTP/AVPF", "RTP/AVPF/UDP", "RTP/AVPF/TCP": .avpf
        case "RTP/SAVP" where session?.url.scheme == .rtsps: .savp
        case "RTP/SAVPF" where session?.url.scheme == .rtsps: .savpf
        default: nil
        }
    }

    /// Anybody who asks for TLS does not want packets in the clear unless the route says so, and a program of this node
    /// does not meet the fast path by UDP to the node's own addresses.
    private func transports(isMulticast: Bool, isSecured: Bool = false) -> [ClientTransport] {
        switch transport {
        case .udp: [.udp]
        case .multicast: [.multicast]
        case .interleaved: [.interleaved]
        case .automatic:
            if session?.url.scheme == .rtsps && !isSecured || local?.isLocal == true {
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
