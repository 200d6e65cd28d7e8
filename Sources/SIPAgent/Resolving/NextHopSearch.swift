// From a URI to the places that a request is sent to (RFC 3263 section 4).

import AgentSupport
import RTPWire
import SIPCore

/// The search, on what a name service says.
struct NextHopSearch<Names: NameService> {
    let names: Names
    /// The transports that this node speaks, the preferred one first.
    let transports: [SIPTransport]
    /// The address families, IPv4 and IPv6, that this node can send to.
    let families: Set<IPAddress.Family>

    /// The place at which to continue, and the way to do so.
    private struct Service {
        var transport: SIPTransport
        /// The name of SRV records.
        var name: String
    }

    /// The places to try, in order, without duplicates; never empty.
    func destinations(
        for uri: SIPURI, using generator: inout some RandomNumberGenerator
    ) throws(ResolutionError) -> [SIPDestination] {
        guard uri.scheme == .sip || uri.scheme == .sips, let place = uri.place else {
            throw ResolutionError(
                .unsupported, "'\(uri)' is no sip or sips URI; write a rule of the dial plan that makes it one")
        }
        // `maddr` overrides the host (section 4, TARGET).
        let host = uri.parameters["maddr"].flatMap { try? SIPHost($0) } ?? place.host
        let certificateName =
            switch place.host {
            case .name(let name): name
            case .address(let address): address.description
            }
        let asked = try askedTransport(of: uri)
        var found: [SIPDestination] = []
        switch host {
        case .address(let address):
            let transport = try transport(asked, uri)
            found = [
                SIPDestination(
                    transport: transport, address: address, transportPort: place.transportPort ?? transport.defaultPort,
                    name: certificateName)
            ]
        case .name(let name):
            if let transportPort = place.transportPort {
                found = try addresses(of: name, transport: try transport(asked, uri), transportPort, certificateName)
            } else {
                found = try search(name, uri, asked, certificateName, using: &generator)
            }
        }
        let usable = found.filter { families.contains($0.address.family) }
        guard !usable.isEmpty else {
            throw ResolutionError(
                .notFound, "\(host): has addresses of a family only that this node has no listener for; see 'listen'")
        }
        var seen: Set<SIPDestination> = []
        return usable.filter { seen.insert($0).inserted }
    }

    /// NAPTR, then SRV, then addresses (sections 4.1 and 4.2).
    private func search(
        _ name: String, _ uri: SIPURI, _ asked: SIPTransport?, _ certificateName: String,
        using generator: inout some RandomNumberGenerator
    ) throws(ResolutionError) -> [SIPDestination] {
        let services: [Service]
        if let asked {
            services = [Service(transport: asked, name: Self.serviceName(asked, name))]
        } else {
            services = try authorities(name, uri)
        }
        var failure: ResolutionError?
        var found: [SIPDestination] = []
        var hasRecords = false
        for service in services {
            do throws(ResolutionError) {
                let records = try names.services(of: service.name)
                if !records.isEmpty { hasRecords = true }
                for record in ServiceRecord.arranged(records, using: &generator) where !record.target.isEmpty {
                    do throws(ResolutionError) {
                        found += try addresses(
                            of: record.target, transport: service.transport, record.transportPort, certificateName)
                    } catch {
                        if error.reason == .notCached { throw error }
                        failure = error
                    }
                }
            } catch {
                if error.reason == .notCached { throw error }
                failure = error
            }
        }
        if !found.isEmpty { return found }
        if hasRecords {
            throw failure ?? ResolutionError(.notFound, "\(name): its SRV records say that it takes no calls")
        }
        // Without SRV records, or where nobody answers for them: the addresses, by which a host that /etc/hosts has is still found.
        let transport = try transport(asked, uri)
        return try addresses(of: name, transport: transport, transport.defaultPort, certificateName)
    }

    /// The SRV names of a domain by its NAPTR records, or by custom where it has none.
    private func authorities(_ name: String, _ uri: SIPURI) throws(ResolutionError) -> [Service] {
        var records: [NamingAuthority] = []
        do throws(ResolutionError) {
            records = try names.namingAuthorities(of: name)
        } catch {
            if error.reason == .notCached { throw error }
        }
        let services = records.sorted { ($0.order, $0.preference) < ($1.order, $1.preference) }.compactMap { record in
            supported(record.service, uri).flatMap { transport -> Service? in
                guard record.flags.lowercased() == "s", !record.replacement.isEmpty else { return nil }
                return Service(transport: transport, name: record.replacement)
            }
        }
        if !services.isEmpty { return services }
        let usable = uri.scheme == .sips ? transports.filter { $0 == .tls } : transports
        guard !usable.isEmpty else { throw noTLS(uri) }
        return usable.map { Service(transport: $0, name: Self.serviceName($0, name)) }
    }

    private func supported(_ service: String, _ uri: SIPURI) -> SIPTransport? {
        let transport: SIPTransport? =
            switch service.uppercased() {
            case "SIP+D2U": .udp
            case "SIP+D2T": .tcp
            case "SIPS+D2T": .tls
            default: nil
            }
        guard let transport, transports.contains(transport), uri.scheme != .sips || transport == .tls else {
            return nil
        }
        return transport
    }

    private static func serviceName(_ transport: SIPTransport, _ name: String) -> String {
        switch transport {
        case .tls: "_sips._tcp.\(name)"
        case .tcp: "_sip._tcp.\(name)"
        default: "_sip._udp.\(name)"
        }
    }

    private func addresses(
        of name: String, transport: SIPTransport, _ transportPort: UInt16, _ certificateName: String
    ) throws(ResolutionError) -> [SIPDestination] {
        let addresses = try names.addresses(of: name)
        guard !addresses.isEmpty else {
            throw ResolutionError(.notFound, "\(name): has no address; check the name and this node's DNS")
        }
        return addresses.map {
            SIPDestination(transport: transport, address: $0, transportPort: transportPort, name: certificateName)
        }
    }

    /// The transport that the URI names; nil where it leaves the choice.
    private func askedTransport(of uri: SIPURI) throws(ResolutionError) -> SIPTransport? {
        guard var transport = uri.transport else { return nil }
        // sips over TCP is TLS (RFC 3261 section 26.2.2).
        if uri.scheme == .sips, transport == .tcp { transport = .tls }
        guard transports.contains(transport), uri.scheme != .sips || transport == .tls else {
            throw ResolutionError(
                .unsupported,
                "'\(uri)' asks for the transport \(transport), which this node has no listener for; see 'listen'")
        }
        return transport
    }

    /// The transport where no record is looked for.
    private func transport(_ asked: SIPTransport?, _ uri: SIPURI) throws(ResolutionError) -> SIPTransport {
        if let asked { return asked }
        return try plain(uri)
    }

    /// The transport where nothing names one.
    private func plain(_ uri: SIPURI) throws(ResolutionError) -> SIPTransport {
        let wanted: SIPTransport = uri.scheme == .sips ? .tls : .udp
        if transports.contains(wanted) { return wanted }
        guard uri.scheme == .sip, let first = transports.first(where: { $0 != .tls }) else { throw noTLS(uri) }
        return first
    }

    private func noTLS(_ uri: SIPURI) -> ResolutionError {
        ResolutionError(
            .unsupported, "'\(uri)' needs TLS, which this node does not speak; call it by sip:")
    }
}
