// Generic netlink: the family "netdev", which reports the XDP features of drivers (Linux 6.3).

import CrosspointShim

/// Asks generic netlink families, and reads their answers.
enum GenericMessage {
    private static let headerLength = MemoryLayout<genlmsghdr>.size

    /// Asks for a family's number.
    static func family(_ name: String) -> NetlinkRequest {
        NetlinkRequest(type: GENL_ID_CTRL, flags: NLM_F_REQUEST) { message in
            message.put(genlmsghdr(cmd: UInt8(CTRL_CMD_GETFAMILY), version: 1, reserved: 0))
            message.put(CTRL_ATTR_FAMILY_NAME, name)
        }
    }

    /// The number of the family in the answer.
    static func familyNumber(_ payload: ArraySlice<UInt8>) -> UInt16? {
        NetlinkAttributes(payload.dropFirst(headerLength))?.integer(CTRL_ATTR_FAMILY_ID)
    }

    /// Asks for one interface's features, or for everybody's.
    static func features(family: UInt16, interfaceIndex: UInt32?) -> NetlinkRequest {
        let flags = interfaceIndex == nil ? NLM_F_REQUEST | NLM_F_DUMP : NLM_F_REQUEST
        return NetlinkRequest(type: family, flags: flags) { message in
            message.put(
                genlmsghdr(cmd: UInt8(CROSSPOINT_NETDEV_CMD_DEV_GET.rawValue), version: 1, reserved: 0))
            if let interfaceIndex { message.put(CROSSPOINT_NETDEV_A_DEV_IFINDEX.rawValue, interfaceIndex) }
        }
    }

    /// The interface in an answer, and its features.
    static func features(_ payload: ArraySlice<UInt8>) -> (interfaceIndex: UInt32, features: XDPFeatures)? {
        guard let attributes = NetlinkAttributes(payload.dropFirst(headerLength)),
            let index: UInt32 = attributes.integer(CROSSPOINT_NETDEV_A_DEV_IFINDEX.rawValue),
            let bits: UInt64 = attributes.integer(CROSSPOINT_NETDEV_A_DEV_XDP_FEATURES.rawValue)
        else { return nil }
        return (index, XDPFeatures(rawValue: bits))
    }
}
