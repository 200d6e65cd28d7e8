// RTM_NEWNEIGH, RTM_DELNEIGH and RTM_GETNEIGH (rtnetlink(7), linux/neighbour.h).

import CrosspointShim
import Glibc
import RTPWire

/// Reads, asks for and changes neighbours.
enum NeighbourMessage {
    /// One entry.
    static func get(_ address: IPAddress, interfaceIndex: UInt32) -> NetlinkRequest {
        request(RTM_GETNEIGH, NLM_F_REQUEST, address, interfaceIndex)
    }

    /// Resolves and keeps resolved.
    static func manage(_ address: IPAddress, interfaceIndex: UInt32) -> NetlinkRequest {
        request(
            RTM_NEWNEIGH, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, address, interfaceIndex,
            flags: NTF_USE, extendedFlags: NTF_EXT_MANAGED)
    }

    /// Takes the managed flag from an entry that exists: what the kernel does when a request comes without it.
    static func unmanage(_ address: IPAddress, interfaceIndex: UInt32) -> NetlinkRequest {
        request(
            RTM_NEWNEIGH, NLM_F_REQUEST | NLM_F_ACK | NLM_F_REPLACE, address, interfaceIndex, flags: NTF_USE)
    }

    static func delete(_ address: IPAddress, interfaceIndex: UInt32) -> NetlinkRequest {
        request(RTM_DELNEIGH, NLM_F_REQUEST | NLM_F_ACK, address, interfaceIndex)
    }

    /// The neighbour that a message describes; nil for other families (a bridge's forwarding entries).
    static func neighbour(_ payload: ArraySlice<UInt8>) -> Neighbour? {
        guard let family = payload.integer(UInt8.self, at: 0), CInt(family) == AF_INET || CInt(family) == AF_INET6,
            let index = payload.integer(UInt32.self, at: 4), let bits = payload.integer(UInt16.self, at: 8),
            let attributes = NetlinkAttributes(payload.dropFirst(MemoryLayout<ndmsg>.size)),
            let address = attributes.address(NDA_DST),
            let state = Neighbour.State(rawValue: bits)
        else { return nil }
        let extended: UInt32 = attributes.integer(NDA_FLAGS_EXT) ?? 0
        return Neighbour(
            address: address, interfaceIndex: index,
            mac: state == .failed || state == .incomplete ? nil : attributes.mac(NDA_LLADDR), state: state,
            isManaged: extended & UInt32(NTF_EXT_MANAGED) != 0)
    }

    private static func request(
        _ type: Int, _ messageFlags: CInt, _ address: IPAddress, _ interfaceIndex: UInt32, flags: CInt = 0,
        extendedFlags: CInt = 0
    ) -> NetlinkRequest {
        NetlinkRequest(type: type, flags: messageFlags) { message in
            var header = ndmsg()
            header.ndm_family = UInt8(address.family == .ipv4 ? AF_INET : AF_INET6)
            header.ndm_ifindex = Int32(bitPattern: interfaceIndex)
            header.ndm_flags = UInt8(flags)
            message.put(header)
            message.put(NDA_DST, address)
            if extendedFlags != 0 { message.put(NDA_FLAGS_EXT, UInt32(extendedFlags)) }
        }
    }
}
