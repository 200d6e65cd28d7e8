// From a leg as it was asked for to a leg as the fast path needs it.

import FastPath
import Netlink
import RTPWire

/// What became of a leg's specification on this node, now.
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
    /// The attached port of an interface.
    let port: (String) -> Port?

    /// A resolution, and the neighbour that it depends on.
    struct Outcome {
        var resolution: LegResolution
        var neighbour: NetworkView.NeighbourKey?
    }

    func resolve(_ leg: LegSpecification, counter: UInt32) -> Outcome {
        let name = leg.port.interface
        guard let interface = view.interface(named: name), let port = port(name), port.interfaceIndex == interface.index
        else { return waiting(.linkDown, "interface \(name) does not exist now") }
        guard let mac = interface.mac else { return waiting(.unroutable, "interface \(name) has no Ethernet address") }
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
        var parameters = LegParameters(
            port: port.number, counter: counter, sourceMAC: mac, destinationMAC: .zero, vlans: leg.port.vlans,
            source: source, destination: leg.address, sourceUDPPort: leg.sourceUDPPort, udpPort: leg.udpPort,
            timeToLive: leg.timeToLive.parameters, dscp: leg.dscp, payloadType: leg.rtp.payloadType,
            ssrc: leg.rtp.ssrc, sequenceOffset: leg.rtp.sequenceOffset, timestampOffset: leg.rtp.timestampOffset)
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

    private func resolve(
        neighbourOf leg: LegSpecification, through device: NetworkInterface, _ parameters: LegParameters
    ) -> Outcome {
        let hop: NextHop
        do {
            hop = try network.nextHop(to: leg.address, through: device.index)
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
                neighbour: key)
        }
        var parameters = parameters
        parameters.destinationMAC = mac
        return Outcome(resolution: .ready(parameters, nextHop: "\(hop.address) at \(mac)"), neighbour: key)
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

extension LegSpecification.TimeToLive {
    var parameters: LegParameters.TimeToLive {
        switch self {
        case .decrement: .decrement
        case .keep: .keep
        case .set(let value): .set(value)
        }
    }
}
