// All sockets that SIP is spoken on.

import AgentSupport
import Glibc
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import RTPWire
import SIPCore
import Timing

/// Listens as configured, finds or makes the socket for each message that leaves, and hands on what comes.
@AgentActor
final class SIPTransports {
    /// Who takes what comes; `raw` is the message as it came, or printed anew.
    @AgentActor protocol Receiver: AnyObject {
        func received(_ message: SIPMessage, raw: [UInt8], from source: SIPSource)
        /// A request cannot be read: it is to be answered, or dropped. `raw` is what there is of it.
        func received(malformed error: SIPParseError, raw: [UInt8], from source: SIPSource)
        /// The connections that calls, registrations or requests under way need.
        func connectionsInUse() -> Set<UInt64>
        /// A connection was closed, or could not be made: what was sent on it may be lost.
        func closed(connection: UInt64)
    }

    /// What became of a message.
    enum Sent: Hashable, Sendable {
        case failed
        case datagram
        case connection(UInt64)
    }

    /// What a connection is found by.
    private struct Peer: Hashable {
        var transport: SIPTransport
        var address: IPAddress
        var transportPort: UInt16
        /// The name that the certificate was checked for; nil for connections of the peer.
        var name: String?
    }

    private let configuration: SIPConfiguration
    private let logger: Logger
    private let counters: SIPCounters
    weak var receiver: (any Receiver)?
    private var endpoints: [UDPEndpoint] = []
    private var listeners: [StreamListener] = []
    private var connections: [UInt64: StreamConnection] = [:]
    private var connectionsOfSource: [SourceKey: Int] = [:]
    private var byPeer: [Peer: UInt64] = [:]
    private var lastConnection: UInt64 = 0
    private let sources = SourceAddresses()
    private var serverTLS: NIOSSLContext?
    private var clientTLS: NIOSSLContext?
    private var isClosed = false
    private var generator = SystemRandomNumberGenerator()

    private static let connectTimeout = TimeAmount.seconds(5)
    private static let writeBuffer = ChannelOptions.Types.WriteBufferWaterMark(low: 1 << 19, high: 1 << 20)
    /// How long a connection may stay without its first message; and without another one, where nothing needs it.
    private static let silence: UInt64 = 30_000_000_000
    private static let idleness: UInt64 = 120_000_000_000
    /// Of all connections, one in so many is kept for networks that may call, and for the node's own.
    private static let reservedShare = 4
    private var nextTidying: UInt64 = 0
    /// Whether anything is open to a peer; connections of others are refused.
    var admits: (IPAddress) -> Bool = { _ in true }
    /// Whether a peer is in a network that may call.
    var isAllowed: (IPAddress) -> Bool = { _ in true }

    init(configuration: SIPConfiguration, counters: SIPCounters, logger: Logger) {
        self.configuration = configuration
        self.counters = counters
        self.logger = logger
    }

    // MARK: Listening

    /// Opens the listeners; throws the first that cannot be.
    func listen() async throws(SIPTransportError) {
        if let certificate = configuration.certificate {
            serverTLS = try SIPTLS.server(certificate)
        }
        clientTLS = try SIPTLS.client(configuration)
        for listener in configuration.listeners {
            switch listener.transport {
            case .udp: try await listenOnUDP(listener)
            case .tcp, .tls: listeners.append(try await StreamListener(listener, tls: serverTLS, transports: self))
            case .other(let name): throw SIPTransportError("sip listener: \(name) is not spoken; use udp, tcp or tls")
            }
        }
    }

    /// A listener for all addresses has a socket for each family; a host without IPv6 has IPv4 only.
    private func listenOnUDP(_ listener: SIPConfiguration.Listener) async throws(SIPTransportError) {
        let receive: UDPEndpoint.Receiver = { [weak self] bytes, source in self?.received(bytes, from: source) }
        let addresses = listener.address.map { [$0] } ?? [IPAddress(0, 0, 0, 0), .unspecified]
        var udpPort = listener.transportPort
        for (index, address) in addresses.enumerated() {
            do throws(SIPTransportError) {
                let endpoint = try await UDPEndpoint(address: address, udpPort: udpPort, receive: receive)
                udpPort = endpoint.udpPort
                endpoints.append(endpoint)
            } catch {
                guard index > 0, !SourceAddresses.hasIPv6 else { throw error }
                logger.info("sip: this host has no IPv6")
            }
        }
    }

    /// The UDP or TCP ports on which `transport` is listened for: those that were asked for as 0, too.
    func ports(_ transport: SIPTransport) -> [UInt16] {
        transport == .udp
            ? endpoints.map(\.udpPort) : listeners.filter { $0.transport == transport }.map(\.transportPort)
    }

    /// Whether `place` is one of this node's listeners, for requests that name the node in Route or in a Via.
    func isOwn(_ place: SIPHostPort, _ transport: SIPTransport) -> Bool {
        guard case .address(let address) = place.host else {
            return configuration.names.contains("\(place.host)".lowercased())
        }
        let port = place.transportPort ?? transport.defaultPort
        guard ports(transport).contains(port) else { return false }
        return sources.isLocal(address)
    }

    /// Takes no more messages, and closes all connections.
    func close() async {
        isClosed = true
        for listener in listeners { await listener.close() }
        for endpoint in endpoints { await endpoint.close() }
        endpoints = []
        for connection in Array(connections.values) { connection.close() }
    }

    /// Closes connections that never said anything, and those that nobody needs any more, the node's own too. Blank lines between
    /// messages are no sign that anybody does (RFC 5626 section 3.5.1): they keep connections of registered devices open, which are needed.
    func tick(now: UInt64 = MonotonicClock.now) {
        guard Deadline(at: nextTidying).hasPassed(at: now) else { return }
        nextTidying = Deadline(1_000_000_000, after: now).nanoseconds
        let used = receiver?.connectionsInUse() ?? []
        for connection in Array(connections.values) where !used.contains(connection.id) {
            let limit = connection.hasSpoken || !connection.isIncoming ? Self.idleness : Self.silence
            if now.subtractingSaturating(connection.lastMessage) > limit { connection.close() }
        }
    }

    var connectionCount: Int { connections.count }

    // MARK: Ways out

    /// The way to a destination; nil where this node has no address or no listener that faces it.
    ///
    /// - Parameter local: The address that the peer knows the node by, to be kept to where it is still there.
    func path(to destination: SIPDestination, from local: IPAddress? = nil) -> SIPPath? {
        guard var source = sources.towards(destination.address) else { return nil }
        if let local, local.family == source.family, sources.isLocal(local) { source = local }
        guard destination.transport != .udp else {
            guard let endpoint = endpoint(facing: source) else { return nil }
            let isWildcard = endpoint.address.isUnspecified
            return SIPPath(
                destination: destination, localAddress: isWildcard ? source : endpoint.address,
                localPort: endpoint.udpPort)
        }
        let listening = listeners.filter { $0.transport == destination.transport }
        let port =
            (listening.first { $0.address == source } ?? listening.first { $0.isWildcard } ?? listening.first)?
            .transportPort ?? destination.transport.defaultPort
        return SIPPath(destination: destination, localAddress: source, localPort: port)
    }

    /// The way back on a connection; nil where it is no more.
    func path(on id: UInt64) -> SIPPath? {
        guard let connection = connections[id] else { return nil }
        let destination = SIPDestination(
            transport: connection.transport, address: connection.peer, transportPort: connection.transportPort,
            name: connection.name ?? connection.peer.description)
        return SIPPath(
            destination: destination, localAddress: connection.localAddress, localPort: connection.localPort,
            connection: id)
    }

    private func endpoint(facing source: IPAddress) -> UDPEndpoint? {
        endpoints.first { $0.address == source }
            ?? endpoints.first { $0.address.isUnspecified && $0.family == source.family }
            ?? endpoints.first { $0.family == source.family && !$0.address.isLoopback }
    }

    /// Sends on a way.
    func send(_ bytes: [UInt8], on path: SIPPath) -> Sent {
        if path.destination.transport == .udp {
            let endpoint =
                endpoints.first { $0.address == path.localAddress && $0.udpPort == path.localPort }
                ?? endpoints.first {
                    $0.udpPort == path.localPort && $0.family == path.destination.address.family
                }
            let isSent = endpoint?.send(
                bytes, to: path.destination.address, udpPort: path.destination.transportPort,
                from: path.localAddress)
            return isSent == true ? .datagram : .failed
        }
        guard let connection = connection(for: path) else { return .failed }
        connection.send(bytes)
        return .connection(connection.id)
    }

    /// Sends a response to the sender of its request: on the connection that it came on while that is open, else to the UDP or TCP port
    /// that its Via says (RFC 3261 section 18.2.2), of the address that it came from. What a Via says beside that, `maddr` above all, would
    /// have the node send to whoever the sender names.
    ///
    /// - Parameter connects: whether a connection may be made for it, where the request's is gone.
    func respond(_ bytes: [UInt8], via: Via, to source: SIPSource, connects: Bool = true) -> Bool {
        if source.transport != .udp, !connects, source.connection.flatMap({ connections[$0] }) == nil { return false }
        if let id = source.connection, let connection = connections[id] {
            connection.send(bytes)
            return true
        }
        let place = via.responseDestination
        let destination = SIPDestination(
            transport: source.transport, address: source.address,
            transportPort: place.transportPort ?? source.transport.defaultPort, name: source.address.description)
        let path = SIPPath(
            destination: destination, localAddress: source.localAddress, localPort: source.localPort)
        return send(bytes, on: path) != .failed
    }

    // MARK: Connections

    /// The connection that was named, one to the same peer, or a new one.
    private func connection(for path: SIPPath) -> StreamConnection? {
        if let id = path.connection, let connection = connections[id] { return connection }
        let destination = path.destination
        let peer = Peer(
            transport: destination.transport, address: destination.address, transportPort: destination.transportPort,
            name: destination.transport == .tls ? destination.name : nil)
        if let id = byPeer[peer], let connection = connections[id] { return connection }
        guard !isClosed, connections.count < configuration.limits.connections else { return nil }
        let connection = newConnection(
            destination.transport, destination.address, destination.transportPort, localAddress: path.localAddress,
            localPort: path.localPort, name: peer.name, isIncoming: false)
        byPeer[peer] = connection.id
        connect(connection, to: destination)
        return connection
    }

    private func connect(_ connection: StreamConnection, to destination: SIPDestination) {
        let isSecure = destination.transport == .tls
        let tls = isSecure ? clientTLS : nil
        guard !isSecure || tls != nil else { return connection.closed() }
        // Without a name the certificate must be for the address.
        let hostName = IPAddress(destination.name) == nil ? destination.name : nil
        let accept: @AgentActor (any Channel) -> StreamConnection? = { channel in
            connection.connected(channel)
            return connection
        }
        ClientBootstrap(group: AgentActor.group)
            .connectTimeout(Self.connectTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.writeBufferWaterMark, value: Self.writeBuffer)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            try NIOSSLClientHandler(context: tls, serverHostname: hostName))
                    }
                    try channel.pipeline.syncOperations.addHandler(StreamHandler(accept: accept))
                }
            }
            .connect(to: destination.address.socketAddress(destination.transportPort))
            .whenComplete { result in
                AgentActor.assumeIsolated {
                    switch result {
                    case .success(let channel):
                        channel.closeFuture.whenComplete { _ in
                            AgentActor.assumeIsolated { connection.closed() }
                        }
                    case .failure: connection.closed()
                    }
                }
            }
    }

    /// A connection of a peer; nil where there are too many.
    func accept(_ channel: any Channel, by listener: StreamListener) -> StreamConnection? {
        guard let remote = channel.remoteAddress, let address = IPAddress(remote), let port = remote.port,
            let local = channel.localAddress.flatMap({ IPAddress($0) })
        else { return nil }
        guard admits(address) else {
            counters.add(to: .refusedConnections, ["reason": "network"])
            return nil
        }
        let ofSource = connectionsOfSource[SourceKey(address), default: 0]
        let most = configuration.limits.connections
        let isFull = isClosed || connections.count >= (isAllowed(address) ? most : most - most / Self.reservedShare)
        guard !isFull, ofSource < configuration.limits.connectionsPerSource else {
            counters.add(to: .refusedConnections, ["reason": isFull ? "total" : "address"])
            return nil
        }
        let connection = newConnection(
            listener.transport, address, UInt16(truncatingIfNeeded: port), localAddress: local,
            localPort: listener.transportPort, channel: channel, isIncoming: true)
        byPeer[
            Peer(transport: listener.transport, address: address, transportPort: connection.transportPort, name: nil)] =
            connection.id
        return connection
    }

    private func newConnection(
        _ transport: SIPTransport, _ peer: IPAddress, _ transportPort: UInt16, localAddress: IPAddress,
        localPort: UInt16, name: String? = nil, channel: (any Channel)? = nil, isIncoming: Bool
    ) -> StreamConnection {
        lastConnection += 1
        let connection = StreamConnection(
            id: lastConnection, transports: self, transport: transport, peer: peer, transportPort: transportPort,
            localAddress: localAddress, localPort: localPort, name: name, channel: channel, isIncoming: isIncoming)
        connections[connection.id] = connection
        if isIncoming { connectionsOfSource[SourceKey(peer), default: 0] += 1 }
        counters.add(to: .connections, ["transport": "\(transport)".lowercased()])
        return connection
    }

    func closed(_ connection: StreamConnection) {
        guard connections.removeValue(forKey: connection.id) != nil else { return }
        if connection.isIncoming {
            let source = SourceKey(connection.peer)
            let rest = connectionsOfSource[source, default: 1] - 1
            connectionsOfSource[source] = rest == 0 ? nil : rest
        }
        let key = Peer(
            transport: connection.transport, address: connection.peer, transportPort: connection.transportPort,
            name: connection.name)
        if byPeer[key] == connection.id { byPeer[key] = nil }
        receiver?.closed(connection: connection.id)
    }

    // MARK: What comes

    private func received(_ bytes: ByteBuffer, from source: SIPSource) {
        do throws(SIPParseError) {
            let raw = [UInt8](bytes.readableBytesView)
            guard let message = try SIPParser.parse(datagram: raw) else { return }
            receiver?.received(message, raw: raw, from: source)
        } catch { received(error, raw: [UInt8](bytes.readableBytesView), from: source) }
    }

    /// A message of a connection.
    func received(_ message: SIPMessage, from source: SIPSource) {
        receiver?.received(message, raw: message.bytes, from: source)
    }

    /// Answers what cannot be read, where there is somebody to answer.
    func received(_ error: SIPParseError, raw: [UInt8], from source: SIPSource) {
        receiver?.received(malformed: error, raw: raw, from: source)
    }

    /// Sends the answer to a request that could not be read.
    func answer(_ error: SIPParseError, from source: SIPSource) {
        guard let reply = error.reply else { return }
        let bytes = reply.bytes(
            error.status, tag: SIPIdentifiers.tag(using: &generator), from: source.address,
            transportPort: source.transportPort)
        var via = reply.via
        via.noteSource(source.address, transportPort: source.transportPort)
        _ = respond(bytes, via: via, to: source, connects: false)
    }
}
