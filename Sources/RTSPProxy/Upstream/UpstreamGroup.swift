// Groups, as descriptions name them.

import AgentSupport
import RTPWire
import SDP

/// The group that a description names for a medium.
struct UpstreamGroup: Hashable {
    var address: IPAddress
    var udpPort: UInt16?
    var rtcpUDPPort: UInt16?
    /// The one source that its filter lets in.
    var source: IPAddress?

    init?(_ medium: MediaDescription, in description: SessionDescription) {
        guard let address = description.connection(of: medium)?.ipAddress, address.isMulticast else { return nil }
        self.address = address
        udpPort = medium.udpPort == 0 ? nil : medium.udpPort
        rtcpUDPPort = medium.rtcpUDPPort
        let filters = description.sourceFilters(of: medium).filter {
            $0.mode == .include && ($0.destination == "*" || IPAddress($0.destination) == address)
        }
        source = filters.first?.sources.lazy.compactMap { IPAddress($0) }.first { $0.family == address.family }
    }
}
