// RTM_NEWADDR and RTM_DELADDR (rtnetlink(7), linux/if_addr.h).

import CrosspointShim
import Glibc
import RTPWire

/// Reads and asks for this node's addresses.
enum AddressMessage {
    /// All addresses of both families.
    static func dump() -> NetlinkRequest {
        NetlinkRequest(type: RTM_GETADDR, flags: NLM_F_REQUEST | NLM_F_DUMP) { $0.put(ifaddrmsg()) }
    }

    /// Gives an interface an address, which is usable at once (no duplicate address detection).
    static func add(_ address: IPAddress, prefixLength: Int, interfaceIndex: UInt32) -> NetlinkRequest {
        change(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, address, prefixLength, interfaceIndex)
    }

    /// Takes an address from an interface.
    static func remove(_ address: IPAddress, prefixLength: Int, interfaceIndex: UInt32) -> NetlinkRequest {
        change(RTM_DELADDR, 0, address, prefixLength, interfaceIndex)
    }

    private static func change(
        _ type: Int, _ flags: CInt, _ address: IPAddress, _ prefixLength: Int, _ interfaceIndex: UInt32
    ) -> NetlinkRequest {
        NetlinkRequest(type: type, flags: NLM_F_REQUEST | NLM_F_ACK | flags) { message in
            var header = ifaddrmsg()
            header.ifa_family = UInt8(address.family == .ipv4 ? AF_INET : AF_INET6)
            header.ifa_prefixlen = UInt8(prefixLength)
            header.ifa_flags = address.family == .ipv6 ? UInt8(IFA_F_NODAD) : 0
            header.ifa_index = interfaceIndex
            message.put(header)
            message.put(IFA_LOCAL, address)
            message.put(IFA_ADDRESS, address)
        }
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
