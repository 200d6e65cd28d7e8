// Ways through NATs, kept open while nothing is said.

import AgentSupport
import RTPWire
import SIPCore
import Timing

extension CallContext {
    /// A datagram that says nothing (RFC 3261 section 7.5): routers let in what answers to it, for half a minute at least.
    private static let nothing = Array("\r\n\r\n".utf8)

    /// The time between two of them: 24 s (RFC 5626 section 4.4.1), as a part of the time that a transaction lasts.
    private var keepingInterval: Duration { times.timeout * 3 / 4 }

    /// Keeps the way to a peer of a call open that is reached over UDP where it signals from.
    func keepWayOpen(to side: CallSide) {
        guard !side.isKeptOpen, case .origin = side.reach, side.source?.transport == .udp else { return }
        side.isKeptOpen = true
        timers.schedule(after: keepingInterval) { [weak self, weak side] in
            guard let self, let side, let call = side.call, call.state != .ended, side.dialog?.state != .terminated
            else { return }
            side.isKeptOpen = false
            if let path = pathToOrigin(of: side), path.destination.transport == .udp {
                _ = transports.send(Self.nothing, on: path)
            }
            keepWayOpen(to: side)
        }
    }

    /// Keeps the way to a registered device open, as long as it does not register again.
    func keepWayOpen(to contact: SIPURI, of address: SIPURI, _ origin: RegistrationOrigin) {
        guard origin.inner != nil, origin.transport == SIPTransport.udp.description else { return }
        timers.schedule(after: keepingInterval) { [weak self] in
            guard let self, registrations.holds(contact, of: address, from: origin) else { return }
            if let path = datagramPath(to: origin.address, origin.transportPort) {
                _ = transports.send(Self.nothing, on: path)
            }
            keepWayOpen(to: contact, of: address, origin)
        }
    }

    /// Does so for all devices that were registered before this agent started.
    func keepWaysOpen() {
        registrations.forEachOrigin { address, contact, origin in keepWayOpen(to: contact, of: address, origin) }
        registrations.onOrigin = { [weak self] address, contact, origin in
            self?.keepWayOpen(to: contact, of: address, origin)
        }
        for call in calls.values { for side in call.sides { keepWayOpen(to: side) } }
    }

    // MARK: Ways

    /// The way to a peer that is where it signals from: its newest place there, which a registration may have told since it spoke in the
    /// dialog. Nil where a connection would have to be made to it.
    func pathToOrigin(of side: CallSide) -> SIPPath? {
        guard case .origin(let port) = side.reach, let source = side.source else { return nil }
        if let contact = side.dialog?.remoteTarget,
            let origin = registrations.origin(of: contact, at: source.address), origin.since >= side.seenAt
        {
            if let path = origin.connection.flatMap({ transports.path(on: $0) }) { return path }
            if origin.transport == SIPTransport.udp.description {
                return datagramPath(to: source.address, origin.transportPort, from: source.localAddress)
            }
        }
        return source.transport == .udp ? datagramPath(to: source.address, port, from: source.localAddress) : nil
    }

    private func datagramPath(to address: IPAddress, _ udpPort: UInt16, from local: IPAddress? = nil) -> SIPPath? {
        transports.path(
            to: SIPDestination(
                transport: .udp, address: address, transportPort: udpPort, name: address.description), from: local)
    }
}
