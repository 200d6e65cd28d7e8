// Reads the kernel's network events and hands them to everybody who asked.

import CrosspointShim
import Dispatch
import Glibc
import RTPWire
import Synchronization

/// One netlink socket in the kernel's event groups, read on a queue of its own from the first `events()` on.
final class NetworkEventReader: Sendable {
    /// In bytes. Room for some ten thousand events, as when a switch with many neighbours restarts.
    private static let receiveBuffer: CInt = 8 << 20
    /// Events that one consumer may leave untaken.
    private static let backlog = 4096

    private struct State: ~Copyable {
        let socket: NetlinkSocket
        var source: (any DispatchSourceRead)?
        var subscribers: [Int: AsyncStream<NetworkEvent>.Continuation] = [:]
        var nextSubscriber = 0
    }

    private let state: Mutex<State>
    private let inspector: InterfaceInspector

    /// The socket is made here, since it belongs to the network namespace of the thread that makes it.
    init(inspector: InterfaceInspector) throws(NetlinkError) {
        self.inspector = inspector
        let socket = try NetlinkSocket(NETLINK_ROUTE, flags: CInt(bitPattern: UInt32(SOCK_NONBLOCK.rawValue)))
        var size = Self.receiveBuffer
        let length = socklen_t(MemoryLayout<CInt>.size)
        // The second is limited by net.core.rmem_max, the first needs CAP_NET_ADMIN.
        if setsockopt(socket.descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, length) != 0 {
            setsockopt(socket.descriptor, SOL_SOCKET, SO_RCVBUF, &size, length)
        }
        state = Mutex(State(socket: socket))
    }

    func events() throws(NetlinkError) -> AsyncStream<NetworkEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: NetworkEvent.self, bufferingPolicy: .bufferingNewest(Self.backlog))
        let outcome = state.withLock { state in
            Result { () throws(NetlinkError) -> Int in
                if state.source == nil { try start(&state) }
                state.subscribers[state.nextSubscriber] = continuation
                state.nextSubscriber += 1
                return state.nextSubscriber - 1
            }
        }
        let number = try outcome.get()
        continuation.onTermination = { [weak self] _ in
            guard let self else { return }
            // A subscriber's end may come from inside `deliver`, but never with the lock held.
            _ = self.state.withLock { $0.subscribers.removeValue(forKey: number) }
        }
        return stream
    }

    /// Ends all streams.
    func stop() {
        let subscribers = state.withLock { state in
            state.source?.cancel()
            state.source = nil
            defer { state.subscribers = [:] }
            return Array(state.subscribers.values)
        }
        subscribers.forEach { $0.finish() }
    }

    private func start(_ state: inout State) throws(NetlinkError) {
        let groups = [
            RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
            RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_NEXTHOP,
        ]
        for group in groups { try state.socket.join(group: CInt(group.rawValue)) }
        let source = DispatchSource.makeReadSource(
            fileDescriptor: state.socket.descriptor, queue: DispatchQueue(label: "crosspoint.network-events"))
        // The source keeps this object, and with it the socket, until it is cancelled.
        source.setEventHandler { self.read() }
        source.setCancelHandler { withExtendedLifetime(self) {} }
        state.source = source
        source.activate()
    }

    private func read() {
        while true {
            let (events, isLast) = state.withLock { state -> ([NetworkEvent], Bool) in
                guard state.source != nil else { return ([], true) }
                do throws(NetlinkError) {
                    guard let datagram = try state.socket.receive(operation: "receive network events") else {
                        return ([], true)
                    }
                    guard let messages = NetlinkMessage.messages(in: datagram[...]) else {
                        return ([.overrun], false)
                    }
                    return (messages.compactMap(event), false)
                } catch {
                    // ENOBUFS: the kernel dropped events. Whatever else fails, some may have been missed, too.
                    return ([.overrun], error.code != ENOBUFS)
                }
            }
            events.forEach(deliver)
            if isLast { return }
        }
    }

    private func deliver(_ event: NetworkEvent) {
        for subscriber in state.withLock({ Array($0.subscribers.values) }) {
            if case .dropped = subscriber.yield(event) { subscriber.yield(.overrun) }
        }
    }

    private func event(_ message: NetlinkMessage) -> NetworkEvent? {
        switch Int(message.type) {
        case RTM_NEWLINK:
            return LinkMessage.interface(message.payload)
                .flatMap { inspector.completed([$0]).first }.map { .linkChanged($0) }
        case RTM_DELLINK:
            return LinkMessage.index(message.payload).map { .linkRemoved(index: $0) }
        case RTM_NEWADDR, RTM_DELADDR:
            return AddressMessage.interfaceIndex(message.payload).map { .addressChanged(interfaceIndex: $0) }
        case RTM_NEWNEIGH:
            return NeighbourMessage.neighbour(message.payload).map { .neighbourChanged($0) }
        case RTM_DELNEIGH:
            return NeighbourMessage.neighbour(message.payload)
                .map { .neighbourRemoved(address: $0.address, interfaceIndex: $0.interfaceIndex) }
        case RTM_NEWROUTE, RTM_DELROUTE: return .routeChanged(RouteMessage.prefix(message.payload))
        case RTM_NEWRULE, RTM_DELRULE, RTM_NEWNEXTHOP, RTM_DELNEXTHOP: return .routeChanged(nil)
        default:
            return nil
        }
    }
}
