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
    /// The receiver of incoming messages; `raw` is the message as it came, or printed again.
    @AgentActor protocol Receiver: AnyObject {
        func received(_ message: SIPMessage, raw: [UInt8], from source: SIPSource)
        /// A request that cannot be read was answered, or dropped.
        func received(malformed error: SIPParseError, from source: SIPSource)
        /// A connection was closed, or could not be made: what was sent on it may be lost.
        func closed(connection: UInt64)
    }

    /// The permissions of a peer.
    enum Standing: Hashable, Sendable {
        /// Its network is one of `allow`, or devices there may register.
        case trusted
        /// It may authenticate, or a rule of the dial plan is for anyone.
        case open
        /// Nothing.
        case closed
    }

    /// The outcome of a message.
    enum Sent: Hashable, Sendable {
        case failed
        case datagram
        case connection(UInt64)
    }

    /// The key by which a connection is found.
    private struct Peer: Hashable {
        var transport: SIPTransport
        var address: IPAddress
        var transportPort: UInt16
        /// The name that the certificate was checked for; nil for connections of the peer.
        var name: String?
    }

    private let configuration: SIPConfiguration
    /// As they were read last.
    var limits: SIPLimitsConfiguration
    let logger: Logger
    private let counters: SIPCounters
    weak var receiver: (any Receiver)?
    private var endpoints: [UDPEndpoint] = []
    private var listeners: [StreamListener] = []
    private var connections: [UInt64: StreamConnection] = [:]
    /// Those that peers have made.
    private var incomingOfSource: [SourceKey: Int] = [:]
    private var incomingCount = 0
    /// The permissions of a connecting peer.
    var standing: @AgentActor (IPAddress) -> Standing = { _ in .trusted }
    /// The connections that devices are registered on, and that calls go by.
    var needed: @AgentActor () -> Set<UInt64> = { [] }
    /// Outsiders that were refused, for a line of the log once in a while.
    private var refused: (count: Int, toldAt: UInt64?) = (0, nil)
    private var byPeer: [Peer: UInt64] = [:]
    private var lastConnection: UInt64 = 0
    private let sources = SourceAddresses()
    private var serverTLS: NIOSSLContext?
    private var clientTLS: NIOSSLContext?
    private var isClosed = false

    private static let connectTimeout = TimeAmount.seconds(5)
    private static let writeBuffer = ChannelOptions.Types.WriteBufferWaterMark(low: 1 << 19, high: 1 << 20)
    /// The times for which a connection may stay before anything that came on it was carried out, and after that, in
    /// nanoseconds. It is kept open beyond that by a call or a registration, and not by line ends.
    private static let (silence, idleness): (UInt64, UInt64) = (30_000_000_000, 180_000_000_000)
    /// Nanoseconds between two lines of the log on outsiders.
    private static let refusalInterval: UInt64 = 60_000_000_000

    init(configuration: SIPConfiguration, counters: SIPCounters, logger: Logger) {
        self.configuration = configuration
        limits = configuration.limits
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

    /// True if `place` is one of this node's listeners, for requests that name the node in Route or in a Via.
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

    /// Closes connections that nobody uses: those of peers and those of this node.
    func tick(now: UInt64 = MonotonicClock.now) {
        let idle = connections.values.filter { connection in
            let limit = connection.usedAt == nil && connection.isIncoming ? Self.silence : Self.idleness
            return Deadline(limit, after: connection.usedAt ?? connection.since).hasPassed(at: now)
        }
        guard !idle.isEmpty else { return }
        let needed = needed()
        for connection in idle where !needed.contains(connection.id) { connection.close() }
    }

    var connectionCount: Int { connections.count }

    /// Something that came on a connection was carried out.
    func used(_ id: UInt64) { connections[id]?.usedAt = MonotonicClock.now }

    /// True if an address is one of this node's.
    func isLocal(_ address: IPAddress) -> Bool { sources.isLocal(address) }

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

    /// The way back on a connection; nil where it does not exist any more.
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

    /// Sends a response to the sender of its request: on the connection of the request while that is open, else to the UDP or TCP port
    /// that its Via names (RFC 3261 section 18.2.2). It never goes to another address.
    ///
    /// - Parameter mayConnect: Whether a connection may be made for it.
    func respond(_ bytes: [UInt8], via: Via, to source: SIPSource, mayConnect: Bool) -> Bool {
        if let id = source.connection, let connection = connections[id] {
            connection.send(bytes)
            return true
        }
        guard mayConnect || source.transport == .udp else { return false }
        let destination = SIPDestination(
            transport: source.transport, address: source.address,
            transportPort: via.responseDestination.transportPort ?? source.transport.defaultPort,
            name: source.address.description)
        let path = SIPPath(
            destination: destination, localAddress: source.localAddress, localPort: source.localPort)
        return send(bytes, on: path) != .failed
    }

    // MARK: Connections

    /// The connection that was named, one to the same peer, or a new one.
    private func connection(for path: SIPPath) -> StreamConnection? {
        if let id = path.connection, let connection = connections[id] {
            connection.usedAt = MonotonicClock.now
            return connection
        }
        let destination = path.destination
        let peer = Peer(
            transport: destination.transport, address: destination.address, transportPort: destination.transportPort,
            name: destination.transport == .tls ? destination.name : nil)
        if let id = byPeer[peer], let connection = connections[id] {
            connection.usedAt = MonotonicClock.now
            return connection
        }
        guard !isClosed, connections.count < limits.connections else { return nil }
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
                    case .failure(let error):
                        connection.failed(ErrorText.of(error))
                        connection.closed()
                    }
                }
            }
    }

    /// A connection of a peer; nil where nothing is open to it, or where there are too many. Half of the places is kept for trusted networks
    /// and this node's own connections, and an eighth for the latter.
    func accept(_ channel: any Channel, by listener: StreamListener) -> StreamConnection? {
        guard let remote = channel.remoteAddress, let address = IPAddress(remote), let port = remote.port,
            let local = channel.localAddress.flatMap({ IPAddress($0) })
        else { return nil }
        let standing = standing(address)
        guard standing != .closed else {
            refuse(outsider: address)
            return nil
        }
        let kept = standing == .trusted ? limits.connections / 8 : limits.connections / 2
        let isFull = isClosed || incomingCount >= limits.connections - kept || connections.count >= limits.connections
        guard !isFull, incomingOfSource[SourceKey(address), default: 0] < limits.connectionsPerSource else {
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

    private func refuse(outsider address: IPAddress, now: UInt64 = MonotonicClock.now) {
        counters.add(to: .refusedConnections, ["reason": "network"])
        refused.count += 1
        if let toldAt = refused.toldAt, !Deadline(Self.refusalInterval, after: toldAt).hasPassed(at: now) { return }
        logger.notice(
            "sip: refused \(refused.count) connections, the last from \(address): nobody there may call or register; see allow"
        )
        refused = (0, now)
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
        if isIncoming {
            incomingOfSource[SourceKey(peer), default: 0] += 1
            incomingCount += 1
        }
        counters.add(to: .connections, ["transport": "\(transport)".lowercased()])
        return connection
    }

    func closed(_ connection: StreamConnection) {
        guard connections.removeValue(forKey: connection.id) != nil else { return }
        if connection.isIncoming {
            let source = SourceKey(connection.peer)
            let rest = incomingOfSource[source, default: 1] - 1
            incomingOfSource[source] = rest > 0 ? rest : nil
            incomingCount -= 1
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
        } catch { received(error, from: source) }
    }

    /// A message of a connection.
    func received(_ message: SIPMessage, from source: SIPSource) {
        receiver?.received(message, raw: message.bytes, from: source)
    }

    /// Answers what cannot be read, where there is somebody to answer.
    func received(_ error: SIPParseError, from source: SIPSource) {
        receiver?.received(malformed: error, from: source)
    }

    /// Sends the answer to a request that could not be read.
    func answer(_ error: SIPParseError, from source: SIPSource, tag: String) {
        guard let reply = error.reply else { return }
        let bytes = reply.bytes(error.status, tag: tag, from: source.address, transportPort: source.transportPort)
        var via = reply.via
        via.noteSource(source.address, transportPort: source.transportPort)
        _ = respond(bytes, via: via, to: source, mayConnect: false)
    }
}
