// One leg at the host port for all players of a stream on TCP.

import AgentSupport
import NIOCore
import RTPWire
import Routing

/// Receives a stream at the host port while anybody wants it on TCP, and hands each packet to every such player.
@AgentActor
final class InterleavedFanOut {
    private let context: ProxyContext
    private let stream: PresentationStream
    private var deliveries: [InterleavedDelivery] = []
    private var sockets: (rtp: DatagramSocket, rtcp: DatagramSocket)?
    private(set) var rtpLeg: UInt32?
    private(set) var rtcpLeg: UInt32?
    /// The way by which RTP comes.
    private var way = Way.hostPort
    private let direct: DirectWay
    /// Opening and closing take several steps; each begins when the last has ended.
    private var change: Task<Result<Void, RoutingError>, Never>?

    init(context: ProxyContext, stream: PresentationStream) {
        self.context = context
        self.stream = stream
        direct = context.directWay(of: stream.rtpRoute)
    }

    private enum Way {
        case hostPort
        /// The packet that comes through the host port last, and those that follow it on the direct way.
        case changing(last: UInt16, waiting: [ByteBuffer])
        case direct
    }

    /// The last packet of the source, where its packets come on the direct way.
    var directSequence: UInt16? { direct.isUsed ? direct.lastSequence : nil }

    /// The legs, which belong to this daemon: a restart finds nobody behind them.
    func attach(_ delivery: InterleavedDelivery) async throws(RoutingError) {
        deliveries.append(delivery)
        do throws(RoutingError) {
            try await settle()
        } catch {
            deliveries.removeAll { $0 === delivery }
            throw error
        }
    }

    func detach(_ delivery: InterleavedDelivery) async {
        deliveries.removeAll { $0 === delivery }
        try? await settle()
    }

    /// Opens or closes, as whoever is attached by now wants it.
    private func settle() async throws(RoutingError) {
        let earlier = change
        let task = Task { @AgentActor () -> Result<Void, RoutingError> in
            _ = await earlier?.value
            do throws(RoutingError) {
                if self.deliveries.isEmpty { await self.close() } else { try await self.open() }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        change = task
        try await task.value.get()
    }

    private func open() async throws(RoutingError) {
        guard sockets == nil else { return }
        let host = try await context.hostPort()
        let rtp: DatagramSocket
        let rtcp: DatagramSocket
        do {
            rtp = try await DatagramSocket(
                address: host.hostIPv4, traffic: .media, receive: { [weak self] packet, _ in self?.take(rtp: packet) },
                onBatch: { [weak self] in self?.flush() })
            rtcp = try await DatagramSocket(
                address: host.hostIPv4, receive: { [weak self] packet, _ in self?.take(rtcp: packet) },
                onBatch: { [weak self] in self?.flush() })
        } catch {
            throw RoutingError(
                .failed, "route \(stream.rtpRoute): no UDP socket at the host port: \(ErrorText.of(error))")
        }
        func leg(_ socket: DatagramSocket) -> LegSpecification {
            LegSpecification(
                address: host.hostIPv4, udpPort: socket.udpPort, port: PortReference(interface: "host"))
        }
        let leg1 = try await context.routing.addLeg(leg(rtp), to: stream.rtpRoute, force: true).number
        do throws(RoutingError) {
            rtcpLeg = try await context.routing.addLeg(leg(rtcp), to: stream.rtcpRoute, force: true).number
        } catch {
            try? await context.routing.removeLeg(leg1, from: stream.rtpRoute)
            throw error
        }
        rtpLeg = leg1
        sockets = (rtp, rtcp)
        direct.fanOut = self
        way = direct.isUsed ? .direct : .hostPort
    }

    private func close() async {
        guard let sockets else { return }
        self.sockets = nil
        direct.fanOut = nil
        if let rtpLeg { try? await context.routing.removeLeg(rtpLeg, from: stream.rtpRoute) }
        if let rtcpLeg { try? await context.routing.removeLeg(rtcpLeg, from: stream.rtcpRoute) }
        (rtpLeg, rtcpLeg) = (nil, nil)
        sockets.rtp.close()
        sockets.rtcp.close()
    }

    // MARK: The direct way

    /// The packets after `last` come on the direct way, as soon as that one has come.
    func takeDirectWay(after last: UInt16?) {
        guard let last else {
            way = .direct
            return
        }
        way = .changing(last: last, waiting: [])
        AgentActor.loop.scheduleTask(in: Self.patience) { [weak self] in
            AgentActor.assumeIsolated { self?.finishChange() }
        }
    }

    /// Longer than a packet takes through the host port: it may have been lost there.
    private static let patience = TimeAmount.milliseconds(250)

    func leaveDirectWay() { way = .hostPort }

    /// Takes a packet on the direct way; `flush` follows.
    func take(direct packet: ByteBuffer) {
        switch way {
        case .hostPort: return
        case .changing(let last, var waiting):
            way = .direct
            waiting.append(packet)
            way = .changing(last: last, waiting: waiting)
        case .direct: deliver(packet)
        }
    }

    private func finishChange() {
        guard case .changing(_, let waiting) = way else { return }
        way = .direct
        for packet in waiting { deliver(packet) }
        flush()
    }

    private func take(rtp packet: ByteBuffer) {
        switch way {
        case .hostPort: deliver(packet)
        case .direct: return
        case .changing(let last, _):
            guard let sequence = packet.getInteger(at: packet.readerIndex + 2, as: UInt16.self),
                Int16(bitPattern: sequence &- last) <= 0
            else { return }
            deliver(packet)
            if sequence == last { finishChange() }
        }
    }

    private func deliver(_ packet: ByteBuffer) {
        let start = packet.readerIndex
        guard let sequence = packet.getInteger(at: start + 2, as: UInt16.self),
            let timestamp = packet.getInteger(at: start + 4, as: UInt32.self)
        else { return }
        // Players that are slow keep it for a while.
        let packet = packet.compact
        for delivery in deliveries { delivery.take(rtp: packet, sequence: sequence, timestamp: timestamp) }
    }

    private func take(rtcp packet: ByteBuffer) {
        let packet = packet.compact
        for delivery in deliveries { delivery.take(rtcp: packet) }
    }

    func flush() {
        for delivery in deliveries { delivery.flush() }
    }
}
