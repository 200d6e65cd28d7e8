// The way from a leg's specification to the parameters that the fast path needs.

import FastPath
import Netlink
import RTPWire

/// The outcome of a leg's specification on this node, now.
enum LegResolution: Hashable {
    /// Everything is known.
    case ready(LegParameters, nextHop: String)
    /// Something is missing, and may come.
    case waiting(LegReport.State, reason: String, nextHop: String?)
}

/// Finds egress port, source address and next hop of a leg.
struct LegResolver {
    let view: NetworkView
    let network: any HostNetwork
    /// The answers that the network gave in the same moment; nil to ask anyway.
    var hops: NextHopMemory?
    /// The attached port of an interface.
    let port: (String) -> Port?

    /// A resolution, and the neighbour that it depends on.
    struct Outcome {
        var resolution: LegResolution
        var neighbour: NetworkView.NeighbourKey?
        /// Of the route that it takes, bytes; nil where the interface's MTU holds.
        var pathMTU: UInt32?
    }

    func resolve(_ leg: LegSpecification, counter: UInt32) -> Outcome {
        let name = leg.port.interface
        guard let interface = view.interface(named: name) else {
            return waiting(.linkDown, "interface \(name) does not exist now")
        }
        guard let port = port(name), port.interfaceIndex == interface.index else {
            return waiting(.linkDown, "the fast path is not attached to interface \(name)")
        }
        guard let mac = interface.mac else { return waiting(.unroutable, "interface \(name) has no Ethernet address") }
        if leg.port.isHost { return resolve(atHostPort: leg, port, mac, counter: counter) }
        let device = view.layer3(leg.port)
        let source: IPAddress?
        switch leg.source {
        case .keep: source = nil
        case .set(let address): source = address
        case .interface:
            guard let device else {
                return waiting(.unroutable, noDevice(leg.port, remedy: "or give source= and mac="))
            }
            guard let address = view.sourceAddress(on: device.index, family: leg.address.family) else {
                return waiting(
                    .unroutable, "\(device.name) has no \(leg.address.family.rawValue) address; add one or give source="
                )
            }
            source = address
        }
        var parameters = leg.parameters(port: port, counter: counter, mac: mac, source: source)
        if let group = MACAddress(group: leg.address) ?? leg.mac {
            parameters.destinationMAC = leg.mac ?? group
            let isDown = !interface.isUp || !interface.isRunning
            // It stays in the fast path: the kernel leaves copies for it out, and sends them again at once when it is up.
            return Outcome(
                resolution: .ready(parameters, nextHop: isDown ? "" : "\(parameters.destinationMAC)"), neighbour: nil)
        }
        guard let device else { return waiting(.unroutable, noDevice(leg.port, remedy: "or give mac=")) }
        return resolve(neighbourOf: leg, through: device, parameters)
    }

    /// The other end is this host: nothing is to be asked for. A leg there is not a hop, so that its TTL stays.
    private func resolve(
        atHostPort leg: LegSpecification, _ port: Port, _ mac: MACAddress, counter: UInt32
    ) -> Outcome {
        guard let (settings, addresses) = view.hostPort,
            let end = view.interfaces.values.first(where: { $0.name == settings.hostEnd }), let endMAC = end.mac
        else { return waiting(.linkDown, "the host port does not exist now") }
        let source: IPAddress? =
            switch leg.source {
            case .keep: nil
            case .set(let address): address
            case .interface: leg.address.family == .ipv4 ? addresses.fastPathIPv4 : addresses.fastPathIPv6
            }
        var parameters = leg.parameters(port: port, counter: counter, mac: mac, source: source)
        parameters.destinationMAC = leg.mac ?? endMAC
        if leg.timeToLive == .decrement { parameters.timeToLive = .keep }
        return Outcome(resolution: .ready(parameters, nextHop: "this host at \(endMAC)"), neighbour: nil)
    }

    private func resolve(
        neighbourOf leg: LegSpecification, through device: NetworkInterface, _ parameters: LegParameters
    ) -> Outcome {
        let hop: NextHop
        do {
            hop =
                if let hops { try hops.nextHop(to: leg.address, through: device.index, network) } else {
                    try network.nextHop(to: leg.address, through: device.index)
                }
        } catch {
            // The kernel takes a link's routes away with it; they come back with it, too.
            if !device.isUp || !device.isRunning {
                return waiting(.linkDown, "interface \(device.name) is down or has no carrier")
            }
            return waiting(.unroutable, "no route to \(leg.address) through \(device.name); add one, or give mac=")
        }
        let key = NetworkView.NeighbourKey(address: hop.address, interfaceIndex: device.index)
        let neighbour = view.neighbours[key] ?? (try? network.neighbour(key.address, interfaceIndex: device.index))
        guard let neighbour, neighbour.isUsable, let mac = neighbour.mac else {
            let kind = leg.address.family == .ipv4 ? "ARP" : "neighbour discovery"
            let what = hop.isGateway ? "gateway \(hop.address)" : "\(hop.address)"
            return Outcome(
                resolution: .waiting(
                    .unresolved, reason: "\(what) does not answer \(kind) on \(device.name)", nextHop: "\(hop.address)"),
                neighbour: key, pathMTU: hop.mtu)
        }
        var parameters = parameters
        parameters.destinationMAC = mac
        return Outcome(
            resolution: .ready(parameters, nextHop: "\(hop.address) at \(mac)"), neighbour: key, pathMTU: hop.mtu)
    }

    private func waiting(_ state: LegReport.State, _ reason: String) -> Outcome {
        Outcome(resolution: .waiting(state, reason: reason, nextHop: nil), neighbour: nil)
    }

    private func noDevice(_ reference: PortReference, remedy: String) -> String {
        let vlans = reference.vlans.map(String.init).joined(separator: ".")
        return "no VLAN device for \(reference.interface).\(vlans) on this host; make one (ip link add link "
            + "\(reference.interface) name \(reference.interface).\(vlans) type vlan id \(vlans)), \(remedy)"
    }
}

extension LegSpecification {
    /// The leg for the fast path, as far as it does not depend on its next hop.
    fileprivate func parameters(port: Port, counter: UInt32, mac: MACAddress, source: IPAddress?) -> LegParameters {
        LegParameters(
            port: port.number, counter: counter, sourceMAC: mac, destinationMAC: .zero, vlans: self.port.vlans,
            source: source, destination: address, sourceUDPPort: sourceUDPPort, udpPort: udpPort,
            timeToLive: timeToLive.parameters, dscp: dscp, payloadType: rtp.payloadType, ssrc: rtp.ssrc,
            sequenceOffset: rtp.sequenceOffset, timestampOffset: rtp.timestampOffset, packets: packets.parameters)
    }
}

extension LegSpecification.Packets {
    var parameters: LegParameters.Packets {
        switch self {
        case .all: .all
        case .rtp: .rtp
        case .rtcp: .rtcp
        }
    }
}

extension LegSpecification.TimeToLive {
    var parameters: LegParameters.TimeToLive {
        switch self {
        case .decrement: .decrement
        case .keep: .keep
        case .set(let value): .set(value)
        }
    }
}

/// The next hops that were asked for in one look at many legs: each costs the kernel one question.
final class NextHopMemory {
    private struct Question: Hashable {
        var address: IPAddress
        var interfaceIndex: UInt32
    }

    private var answers: [Question: Result<NextHop, NetlinkError>] = [:]

    func nextHop(
        to address: IPAddress, through interfaceIndex: UInt32, _ network: any HostNetwork
    ) throws(NetlinkError) -> NextHop {
        let question = Question(address: address, interfaceIndex: interfaceIndex)
        if let answer = answers[question] { return try answer.get() }
        let answer: Result<NextHop, NetlinkError>
        do throws(NetlinkError) {
            answer = .success(try network.nextHop(to: address, through: interfaceIndex))
        } catch {
            answer = .failure(error)
        }
        answers[question] = answer
        return try answer.get()
    }
}
