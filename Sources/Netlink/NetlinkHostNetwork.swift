// The node's network as the kernel reports it over netlink.

import CrosspointShim
import Glibc
public import RTPWire
import Synchronization

/// The kernel's interfaces, addresses, routes and neighbours, in the network namespace of the thread that makes it.
public final class NetlinkHostNetwork: HostNetwork {
    let inspector: InterfaceInspector
    private let route: Mutex<NetlinkSocket>
    private let reader: NetworkEventReader

    /// - Throws: if netlink sockets cannot be opened.
    public init() throws(NetlinkError) {
        inspector = try InterfaceInspector()
        route = Mutex(try NetlinkSocket(NETLINK_ROUTE))
        reader = try NetworkEventReader(inspector: inspector)
    }

    deinit { reader.stop() }

    public func interfaces() throws(NetlinkError) -> [NetworkInterface] {
        let interfaces = try ask(LinkMessage.dump(), "list interfaces")
            .compactMap { LinkMessage.interface($0.payload) }
            .sorted { $0.index < $1.index }
        return inspector.completed(interfaces)
    }

    public func addresses() throws(NetlinkError) -> [InterfaceAddress] {
        try ask(AddressMessage.dump(), "list addresses").compactMap { AddressMessage.address($0.payload) }
    }

    public func nextHop(
        to destination: IPAddress, through interfaceIndex: UInt32
    ) throws(NetlinkError) -> NextHop {
        let operation = "route to \(destination) through \(name(interfaceIndex))"
        func look(matchesTable: Bool) throws(NetlinkError) -> RouteMessage.Answer {
            let request = RouteMessage.get(destination, through: interfaceIndex, matchesTable: matchesTable)
            guard let message = try ask(request, operation).first,
                let answer = RouteMessage.answer(message.payload)
            else { throw .malformed(operation) }
            return answer
        }
        if destination.isLimitedBroadcast || destination.isUnspecified || destination.isLoopback {
            throw NetlinkError(operation: operation, code: EINVAL, detail: "it is no address of a single other host")
        }
        if destination.family == .ipv4, !destination.isMulticast {
            do {
                _ = try look(matchesTable: true)
            } catch  where error.code == EHOSTUNREACH || error.code == ENETUNREACH {
                throw NetlinkError(
                    operation: operation, code: error.code,
                    detail: "there is none; add an address of that network to the interface, or a route")
            }
        }
        let answer: RouteMessage.Answer
        do {
            answer = try look(matchesTable: false)
        } catch  where destination.isMulticast && (error.code == ENETUNREACH || error.code == EHOSTUNREACH) {
            // IPv6 has a route for groups only while the link is up.
            return NextHop(
                address: destination, interfaceIndex: interfaceIndex, isGateway: false,
                preferredSource: try source(for: destination, on: interfaceIndex))
        }
        switch CInt(answer.type) {
        case CInt(RTN_UNICAST), CInt(RTN_MULTICAST):
            guard answer.interfaceIndex == interfaceIndex else {
                throw NetlinkError(operation: operation, code: EHOSTUNREACH, detail: "it leaves by another interface")
            }
            return NextHop(
                address: answer.gateway ?? destination, interfaceIndex: interfaceIndex,
                isGateway: answer.gateway != nil, preferredSource: answer.preferredSource, mtu: answer.mtu)
        case CInt(RTN_LOCAL), CInt(RTN_ANYCAST):
            throw NetlinkError(operation: operation, code: EINVAL, detail: "it is an address of this node")
        case CInt(RTN_BROADCAST):
            throw NetlinkError(operation: operation, code: EINVAL, detail: "it is a broadcast address")
        default:
            throw NetlinkError(operation: operation, code: ENETUNREACH, detail: "the routing table forbids it")
        }
    }

    public func route(to destination: IPAddress) throws(NetlinkError) -> HostRoute {
        let operation = "route to \(destination)"
        guard let message = try ask(RouteMessage.get(destination, through: nil), operation).first,
            let answer = RouteMessage.answer(message.payload), let interfaceIndex = answer.interfaceIndex
        else { throw .malformed(operation) }
        switch CInt(answer.type) {
        case CInt(RTN_UNICAST), CInt(RTN_MULTICAST), CInt(RTN_LOCAL), CInt(RTN_ANYCAST):
            return HostRoute(
                interfaceIndex: interfaceIndex, preferredSource: answer.preferredSource,
                isLocal: [CInt(RTN_LOCAL), CInt(RTN_ANYCAST)].contains(CInt(answer.type)))
        case CInt(RTN_BROADCAST):
            throw NetlinkError(operation: operation, code: EINVAL, detail: "it is a broadcast address")
        default:
            throw NetlinkError(operation: operation, code: ENETUNREACH, detail: "the routing table forbids it")
        }
    }

    public func neighbour(
        _ address: IPAddress, interfaceIndex: UInt32
    ) throws(NetlinkError) -> Neighbour? {
        let operation = "look up neighbour \(address) on \(name(interfaceIndex))"
        do {
            let request = NeighbourMessage.get(address, interfaceIndex: interfaceIndex)
            return try ask(request, operation).first.flatMap { NeighbourMessage.neighbour($0.payload) }
        } catch  where error.code == ENOENT {
            return nil
        }
    }

    public func keepResolved(_ address: IPAddress, interfaceIndex: UInt32) throws(NetlinkError) {
        // The request takes the permanent state from an entry, and with it the address that an operator wrote there.
        guard try neighbour(address, interfaceIndex: interfaceIndex)?.state != .permanent else { return }
        let operation = "keep neighbour \(address) on \(name(interfaceIndex)) resolved"
        _ = try ask(NeighbourMessage.manage(address, interfaceIndex: interfaceIndex), operation)
    }

    public func release(_ address: IPAddress, interfaceIndex: UInt32) throws(NetlinkError) {
        guard let neighbour = try neighbour(address, interfaceIndex: interfaceIndex), neighbour.isManaged else {
            return
        }
        // To take the flag from an entry makes the kernel ask for it once more, which is of no use for one that does
        // not answer: that is deleted.
        let request =
            neighbour.isUsable
            ? NeighbourMessage.unmanage(address, interfaceIndex: interfaceIndex)
            : NeighbourMessage.delete(address, interfaceIndex: interfaceIndex)
        do {
            _ = try ask(request, "release neighbour \(address) on \(name(interfaceIndex))")
        } catch  where error.code == ENOENT {
            return
        }
    }

    public func events() throws(NetlinkError) -> AsyncStream<NetworkEvent> { try reader.events() }

    /// An address of the interface from which to send to a group: a global one if there is one.
    private func source(for group: IPAddress, on interfaceIndex: UInt32) throws(NetlinkError) -> IPAddress? {
        let usable = try addresses().filter {
            $0.interfaceIndex == interfaceIndex && $0.address.family == group.family && !$0.isTentative
        }
        return (usable.first { $0.scope == .global && !$0.isDeprecated } ?? usable.first)?.address
    }

    func ask(
        _ request: NetlinkRequest, _ operation: @autoclosure () -> String
    ) throws(NetlinkError) -> [NetlinkMessage] {
        let operation = operation()
        let outcome = route.withLock { socket in
            Result { () throws(NetlinkError) in try socket.answer(to: request, operation: operation) }
        }
        return try outcome.get()
    }

    /// The interface's name for an error, or its index where it has gone.
    private func name(_ index: UInt32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16) { buffer in
            let found = route.withLock { crosspoint_interface_name($0.descriptor, index, buffer.baseAddress) }
            // Zero-terminated by the call, if it succeeded.
            return found == 0 ? buffer.baseAddress.map { String(cString: $0) } ?? "" : "interface \(index)"
        }
    }
}
