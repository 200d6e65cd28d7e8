// The sockets that routes need: joined groups and reserved UDP ports, shared, and kept outside the daemon.

import Glibc

/// Opens each socket once, however many routes need it, and stores it where it outlives the daemon.
struct HeldSockets {
    private let store: any DescriptorStore
    private var recovered: [String: OwnedDescriptor]
    private var held: [SocketKey: (socket: HeldSocket, uses: Int)] = [:]

    /// Takes over what an earlier process stored.
    init(store: any DescriptorStore) throws(RoutingError) {
        self.store = store
        recovered = try store.recover()
    }

    /// Makes sure that the socket is open. `open` is called if it is neither held nor recovered.
    mutating func hold(
        _ key: SocketKey, renew: (HeldSocket) throws(RoutingError) -> Void,
        open: () throws(RoutingError) -> HeldSocket
    ) throws(RoutingError) {
        if let (socket, uses) = held[key] {
            held[key] = (socket, uses + 1)
            return
        }
        if let descriptor = recovered.removeValue(forKey: key.description) {
            let socket = HeldSocket(key: key, descriptor: descriptor)
            try renew(socket)
            held[key] = (socket, 1)
            return
        }
        let socket = try open()
        try store.store(key.description, socket.descriptor)
        held[key] = (socket, 1)
    }

    /// Makes sure that sockets are open, all of them or none: what is opened is stored together.
    mutating func hold(
        _ keys: [SocketKey], open: (SocketKey) throws(RoutingError) -> HeldSocket
    ) throws(RoutingError) {
        var opened: [HeldSocket] = []
        for key in keys where held[key] == nil && recovered[key.description] == nil { opened.append(try open(key)) }
        try store.store(opened.map { (name: $0.key.description, descriptor: $0.descriptor) })
        for socket in opened { held[socket.key] = (socket, 0) }
        for key in keys {
            if let descriptor = recovered.removeValue(forKey: key.description) {
                held[key] = (HeldSocket(key: key, descriptor: descriptor), 0)
            }
            held[key]?.uses += 1
        }
    }

    /// One user less of each.
    mutating func release(_ keys: [SocketKey]) throws(RoutingError) {
        var gone: [SocketKey] = []
        for key in keys {
            guard let (socket, uses) = held[key] else { continue }
            held[key] = uses > 1 ? (socket, uses - 1) : nil
            if uses <= 1 { gone.append(key) }
        }
        if !gone.isEmpty { try store.remove(gone.map(\.description)) }
    }

    /// One user less; the last one closes the socket, and the kernel leaves the group.
    mutating func release(_ key: SocketKey) throws(RoutingError) {
        guard let (socket, uses) = held[key] else { return }
        if uses > 1 {
            held[key] = (socket, uses - 1)
            return
        }
        held[key] = nil
        try store.remove(key.description)
    }

    /// True if the keeper of the sockets had gone, and was replaced.
    func renew() throws(RoutingError) -> Bool { try store.renew() }

    /// Has a socket keep what arrives until somebody reads it: some milliseconds of video, seconds of anything else.
    func widen(_ key: SocketKey) {
        guard let descriptor = held[key]?.socket.descriptor else { return }
        // The kernel doubles it. The second is limited by net.core.rmem_max, the first needs CAP_NET_ADMIN.
        let size: CInt = 4 << 20
        if descriptor.set(SOL_SOCKET, SO_RCVBUFFORCE, size) != 0 { descriptor.set(SOL_SOCKET, SO_RCVBUF, size) }
    }

    /// A duplicate of a held socket, which the caller closes. Nil if it is not held; -1 without room for it.
    func duplicate(_ key: SocketKey) -> CInt? {
        held[key].map { fcntl($0.socket.descriptor.number, F_DUPFD_CLOEXEC, 3) }
    }

    /// The memberships on an interface, which is there again.
    func memberships(on interface: String) -> [HeldSocket] {
        held.values.map(\.socket).filter {
            if case .join(_, _, interface) = $0.key { true } else { false }
        }
    }

    /// Closes what an earlier process stored and nobody asked for again. Returns the names.
    mutating func dropUnclaimed() -> [String] {
        let names = recovered.keys.sorted()
        recovered.removeAll()
        for name in names { try? store.remove(name) }
        return names
    }
}
