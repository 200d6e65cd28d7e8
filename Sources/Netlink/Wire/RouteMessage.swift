// RTM_GETROUTE and its answer (rtnetlink(7), linux/rtnetlink.h).

import CrosspointShim
import Glibc
import RTPWire

/// Asks for routes and reads them.
enum RouteMessage {
    /// The content of an answer: the route's type (`RTN_*`), and the next hop if it has one.
    struct Answer: Equatable {
        var type: UInt8
        var interfaceIndex: UInt32?
        var gateway: IPAddress?
        var preferredSource: IPAddress?
        /// RTAX_MTU, bytes.
        var mtu: UInt32?
    }

    /// The route to one destination, through an interface if it is given.
    ///
    /// - Parameter matchesTable: ask for the table's entry instead of the outcome. Told an interface and finding no
    ///   route, IPv4 takes the destination to be on the link (`ip_route_output_key_hash_rcu`); only the question for
    ///   the entry is refused then.
    static func get(
        _ destination: IPAddress, through interfaceIndex: UInt32?, matchesTable: Bool = false
    ) -> NetlinkRequest {
        NetlinkRequest(type: RTM_GETROUTE, flags: NLM_F_REQUEST) { message in
            var header = rtmsg()
            header.rtm_family = UInt8(destination.family == .ipv4 ? AF_INET : AF_INET6)
            header.rtm_dst_len = destination.family == .ipv4 ? 32 : 128
            header.rtm_flags = matchesTable ? UInt32(RTM_F_FIB_MATCH) : 0
            message.put(header)
            message.put(RTA_DST.rawValue, destination)
            if let interfaceIndex { message.put(RTA_OIF.rawValue, interfaceIndex) }
        }
    }

    /// The destinations of an RTM_NEWROUTE or RTM_DELROUTE; nil for a default route, and where it does not say.
    static func prefix(_ payload: ArraySlice<UInt8>) -> RoutePrefix? {
        guard let length = payload.integer(UInt8.self, at: 1),
            let attributes = NetlinkAttributes(payload.dropFirst(MemoryLayout<rtmsg>.size)),
            let address = attributes.address(RTA_DST.rawValue)
        else { return nil }
        return RoutePrefix(address, length: length)
    }

    /// The content of an RTM_NEWROUTE.
    static func answer(_ payload: ArraySlice<UInt8>) -> Answer? {
        guard let type = payload.integer(UInt8.self, at: 7),
            let attributes = NetlinkAttributes(payload.dropFirst(MemoryLayout<rtmsg>.size))
        else { return nil }
        // RTA_VIA is a family in two bytes and an address: an IPv4 route by way of an IPv6 gateway.
        let via = attributes[RTA_VIA.rawValue].flatMap { IPAddress(bytes: $0.dropFirst(2)) }
        return Answer(
            type: type, interfaceIndex: attributes.integer(RTA_OIF.rawValue),
            gateway: attributes.address(RTA_GATEWAY.rawValue) ?? via,
            preferredSource: attributes.address(RTA_PREFSRC.rawValue),
            mtu: attributes[RTA_METRICS.rawValue].flatMap { NetlinkAttributes($0)?.integer(RTAX_MTU) })
    }
}
