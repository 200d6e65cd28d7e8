// RTM_NEWLINK and RTM_DELLINK (rtnetlink(7), linux/if_link.h).

import CrosspointShim
import Glibc
import RTPWire

/// Reads and asks for interfaces.
enum LinkMessage {
    /// All interfaces, without their counters.
    static func dump() -> NetlinkRequest {
        NetlinkRequest(type: RTM_GETLINK, flags: NLM_F_REQUEST | NLM_F_DUMP) { message in
            message.put(ifinfomsg())
            message.put(IFLA_EXT_MASK, UInt32(RTEXT_FILTER_SKIP_STATS))
        }
    }

    /// The index of the interface that a message is about; nil for what is not an interface.
    ///
    /// Bridges announce their ports with the same message types and the family AF_BRIDGE; an RTM_DELLINK of that
    /// family says that an interface left its bridge, not that it went.
    static func index(_ payload: ArraySlice<UInt8>) -> UInt32? {
        guard payload.integer(UInt8.self, at: 0) == unspecifiedFamily else { return nil }
        return payload.integer(UInt32.self, at: 4)
    }

    /// The interface that an RTM_NEWLINK describes, as far as rtnetlink does.
    static func interface(_ payload: ArraySlice<UInt8>) -> NetworkInterface? {
        guard let index = index(payload), let flags = payload.integer(UInt32.self, at: 8),
            let attributes = NetlinkAttributes(payload.dropFirst(MemoryLayout<ifinfomsg>.size)),
            let name = attributes.text(IFLA_IFNAME)
        else { return nil }
        let information = attributes.nested(IFLA_LINKINFO)
        let kind = information?.text(IFLA_INFO_KIND)
        let isVLAN = kind == "vlan"
        return NetworkInterface(
            index: index, name: name, kind: kind,
            isUp: flags & IFF.up != 0,
            isRunning: flags & IFF.running != 0 && flags & IFF.lowerUp != 0,
            mtu: attributes.integer(IFLA_MTU) ?? 0,
            mac: attributes.mac(IFLA_ADDRESS).flatMap { $0 == .zero ? nil : $0 },
            // A veth has IFLA_LINK too: its peer, and in another namespace.
            parentIndex: isVLAN ? attributes.integer(IFLA_LINK) : nil,
            vlanID: isVLAN
                ? information?.nested(IFLA_INFO_DATA)?.integer(IFLA_VLAN_ID) : nil,
            peerIndex: kind == "veth" && attributes[IFLA_LINK_NETNSID] == nil ? attributes.integer(IFLA_LINK) : nil,
            alias: attributes.text(IFLA_IFALIAS),
            receiveQueues: attributes.integer(IFLA_NUM_RX_QUEUES) ?? 1,
            xdp: attributes.nested(IFLA_XDP).flatMap(attachment))
    }

    /// Makes a veth pair, both ends down.
    static func createPair(near: String, far: String, mtu: UInt32) -> NetlinkRequest {
        NetlinkRequest(
            type: RTM_NEWLINK, flags: NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL
        ) { message in
            func putEnd(_ message: inout NetlinkRequest.Builder, _ name: String) {
                message.put(ifinfomsg())
                message.put(IFLA_IFNAME, name)
                message.put(IFLA_MTU, mtu)
                message.put(IFLA_NUM_TX_QUEUES, UInt32(1))
                message.put(IFLA_NUM_RX_QUEUES, UInt32(1))
            }
            putEnd(&message, near)
            message.nest(IFLA_LINKINFO) { message in
                message.put(IFLA_INFO_KIND, "veth")
                message.nest(IFLA_INFO_DATA) { message in
                    message.nest(VETH_INFO_PEER) { putEnd(&$0, far) }
                }
            }
        }
    }

    /// Sets an end of a pair up: without address resolution, forwarding, and filtering by the reverse path (RFC 3704), since
    /// what comes in here was sent from elsewhere.
    static func configureEnd(_ index: UInt32, mtu: UInt32, alias: String) -> NetlinkRequest {
        NetlinkRequest(type: RTM_NEWLINK, flags: NLM_F_REQUEST | NLM_F_ACK) { message in
            var header = ifinfomsg()
            header.ifi_index = Int32(bitPattern: index)
            header.ifi_flags = IFF.up | IFF.noARP
            header.ifi_change = IFF.up | IFF.noARP
            message.put(header)
            message.put(IFLA_MTU, mtu)
            message.put(IFLA_IFALIAS, alias)
            message.nest(IFLA_AF_SPEC) { message in
                message.nest(AF_INET) { message in
                    message.nest(IFLA_INET_CONF) { message in
                        message.put(CROSSPOINT_IPV4_FORWARDING.rawValue, UInt32(0))
                        message.put(CROSSPOINT_IPV4_RP_FILTER.rawValue, UInt32(0))
                    }
                }
            }
        }
    }

    static func delete(_ index: UInt32) -> NetlinkRequest {
        NetlinkRequest(type: RTM_DELLINK, flags: NLM_F_REQUEST | NLM_F_ACK) { message in
            var header = ifinfomsg()
            header.ifi_index = Int32(bitPattern: index)
            message.put(header)
        }
    }

    private static func attachment(_ attributes: NetlinkAttributes) -> XDPAttachment? {
        let mode: XDPAttachment.Mode
        switch attributes.integer(IFLA_XDP_ATTACHED, as: UInt8.self).map(Int.init) {
        case XDP_ATTACHED_DRV: mode = .native
        case XDP_ATTACHED_SKB: mode = .generic
        case XDP_ATTACHED_HW: mode = .offloaded
        case XDP_ATTACHED_MULTI: mode = .multiple
        default: return nil
        }
        return XDPAttachment(programID: attributes.integer(IFLA_XDP_PROG_ID) ?? 0, mode: mode)
    }

    private static let unspecifiedFamily: UInt8 = 0

    /// Interface flags. linux/if.h, which has them, clashes with Glibc's net/if.h, which lacks the last.
    private enum IFF {
        static let up: UInt32 = 1 << 0
        static let running: UInt32 = 1 << 6
        static let noARP: UInt32 = 1 << 7
        static let lowerUp: UInt32 = 1 << 16
    }
}
