// RTM_NEWADDR and RTM_DELADDR (rtnetlink(7), linux/if_addr.h).

import CrosspointShim
import RTPWire

/// Reads and asks for this node's addresses.
enum AddressMessage {
    /// All addresses of both families.
    static func dump() -> NetlinkRequest {
        NetlinkRequest(type: RTM_GETADDR, flags: NLM_F_REQUEST | NLM_F_DUMP) { $0.put(ifaddrmsg()) }
    }

    /// The interface that a message is about.
    static func interfaceIndex(_ payload: ArraySlice<UInt8>) -> UInt32? { payload.integer(UInt32.self, at: 4) }

    /// The address that a message describes; nil for families other than IPv4 and IPv6.
    static func address(_ payload: ArraySlice<UInt8>) -> InterfaceAddress? {
        guard let index = interfaceIndex(payload), let prefixLength = payload.integer(UInt8.self, at: 1),
            let shortFlags = payload.integer(UInt8.self, at: 2), let scope = payload.integer(UInt8.self, at: 3),
            let attributes = NetlinkAttributes(payload.dropFirst(MemoryLayout<ifaddrmsg>.size)),
            // On a point-to-point link IFA_ADDRESS is the other end's, and IFA_LOCAL ours.
            let address = attributes.address(IFA_LOCAL) ?? attributes.address(IFA_ADDRESS)
        else { return nil }
        let flags = attributes.integer(IFA_FLAGS) ?? UInt32(shortFlags)
        let unusable = UInt32(IFA_F_TENTATIVE | IFA_F_DADFAILED)
        return InterfaceAddress(
            interfaceIndex: index, address: address, prefixLength: Int(prefixLength),
            scope: InterfaceAddress.Scope(rawValue: scope) ?? .global,
            isDeprecated: flags & UInt32(IFA_F_DEPRECATED) != 0,
            // An optimistic address (RFC 4429) is in use while it is being verified.
            isTentative: flags & unusable != 0 && flags & UInt32(IFA_F_OPTIMISTIC) == 0)
    }
}
