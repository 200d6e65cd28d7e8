// Membership of multicast groups: the kernel speaks IGMPv3 (RFC 3376) and MLDv2 (RFC 3810) for sockets that joined.

import Glibc
public import RTPWire

/// Joins groups. The data never reaches the joined socket, since the fast path takes it.
///
/// One socket per membership, since the kernel allows a socket only 20 groups (`igmp_max_memberships`) and 10 sources
/// (`igmp_max_msf`).
public enum Membership {
    /// Joins a group on an interface; the membership lasts until the socket is closed everywhere.
    ///
    /// - Parameters:
    ///   - source: the only sender that is wanted (RFC 4607), or nil for any.
    ///   - interface: its name, and its index now.
    /// - Throws: `invalid` for an address that is not a group or a source of another family, `unavailable` where the interface has
    ///   gone, `capacity` at a limit of the kernel or of this process.
    public static func join(
        group: IPAddress, source: IPAddress? = nil, interface: (name: String, index: UInt32)
    ) throws(RoutingError) -> HeldSocket {
        let key = SocketKey.join(group: group, source: source, interface: interface.name)
        guard group.isMulticast else {
            throw RoutingError(.invalid, "\(key): \(group) is not a multicast address")
        }
        if let source, source.family != group.family || source.isMulticast || source.isUnspecified {
            throw RoutingError(
                .invalid, "\(key): \(source) cannot be a source; name a unicast \(group.family.rawValue) address")
        }
        do {
            // Without a UDP port, no data can come here even on an interface without the fast path.
            let socket = HeldSocket(
                key: key, descriptor: try OwnedDescriptor.quietUDPSocket(family: group.socketFamily))
            try renew(socket, interfaceIndex: interface.index)
            return socket
        } catch let error as SystemError {
            throw failure(key, error)
        } catch let error as RoutingError {
            throw error
        } catch {
            throw RoutingError(.failed, "\(key): \(error)")
        }
    }

    /// Makes sure that a membership exists: for a socket that came out of a `DescriptorStore`, and after the interface
    /// was removed and made again. Nothing is sent if it does.
    ///
    /// A link that goes down and up needs no renewal: the kernel keeps the membership and reports it again.
    ///
    /// - Parameter interfaceIndex: the index of the key's interface now.
    /// - Throws: as `join`; `invalid` if the socket is not for a membership.
    public static func renew(_ socket: HeldSocket, interfaceIndex: UInt32) throws(RoutingError) {
        guard case .join(let group, let source, _) = socket.key else {
            throw RoutingError(.invalid, "\(socket.key): not a membership")
        }
        let (groupAddress, _) = group.socketAddress(udpPort: 0)
        let code: CInt
        // Told an index of 0, the kernel would choose an interface by itself.
        if interfaceIndex == 0 {
            code = ENODEV
        } else if let source {
            var request = group_source_req()
            request.gsr_interface = interfaceIndex
            request.gsr_group = groupAddress
            request.gsr_source = source.socketAddress(udpPort: 0).0
            code = socket.descriptor.set(group.optionLevel, MCAST_JOIN_SOURCE_GROUP, request)
        } else {
            var request = group_req()
            request.gr_interface = interfaceIndex
            request.gr_group = groupAddress
            code = socket.descriptor.set(group.optionLevel, MCAST_JOIN_GROUP, request)
        }
        // The errors of the kernel for a socket that has joined already, without and with a source.
        guard code == 0 || code == EADDRINUSE || (source != nil && code == EADDRNOTAVAIL) else {
            throw failure(socket.key, SystemError(code))
        }
    }

    private static func failure(_ key: SocketKey, _ error: SystemError) -> RoutingError {
        switch error.code {
        case ENODEV:
            RoutingError(.unavailable, "\(key): there is no such interface, or it has no addresses of that family")
        case ENOBUFS:
            RoutingError(
                .capacity, "\(key): a limit of the kernel; raise net.ipv4.igmp_max_msf or net.ipv6.mld_max_msf")
        case EMFILE, ENFILE:
            RoutingError(.capacity, "\(key): too many open files; raise LimitNOFILE of the service")
        default:
            RoutingError(.failed, "\(key): \(error)")
        }
    }
}
