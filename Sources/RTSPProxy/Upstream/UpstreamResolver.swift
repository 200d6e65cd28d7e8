// From an upstream's URL to the addresses to connect to.

import AgentSupport
import NIOCore
import RTPWire
import RTSPCore

/// DNS for upstreams.
struct UpstreamResolver {
    /// One address with its TCP port.
    struct Candidate: Hashable {
        var address: SocketAddress
        /// The name that was looked up, for messages and for TLS: the URL's host.
        var name: String

        /// The address and its TCP port, for people.
        var place: String {
            let number = address.port.map { ":\($0)" } ?? ""
            return (IPAddress(address)?.bracketed ?? "\(address)") + number
        }
    }

    let resolver: HostResolver

    /// All addresses to try for the URL, in order: those of its SRV records (`_rtsp._tcp`, RFC 2782) where the host is a name, the URL
    /// names no TCP port and there are any, else those of its A and AAAA records.
    func candidates(for url: RTSPURL) async throws(MediaSourceError) -> [Candidate] {
        do {
            return try await resolver.run { () throws(ResolverError) in try Self.lookUp(url) }
        } catch {
            throw MediaSourceError(.serviceUnavailable, error.message)
        }
    }

    /// The addresses of a host: of a `source=` that is a name.
    func addresses(of name: String) async -> [SocketAddress] {
        (try? await resolver.run { () throws(ResolverError) in
            try HostResolver.addresses(of: name, transportPort: 0)
        }) ?? []
    }

    private static func lookUp(_ url: RTSPURL) throws(ResolverError) -> [Candidate] {
        switch url.host {
        case .address(let address, let zone):
            let text = address.description + (zone.map { "%\($0)" } ?? "")
            return try HostResolver.addresses(of: text, transportPort: url.effectiveTCPPort, isNumeric: true)
                .map { Candidate(address: $0, name: text) }
        case .name(let name):
            guard url.tcpPort == nil, let records = HostResolver.services(of: "_\(url.scheme.rawValue)._tcp.\(name)"),
                !records.isEmpty
            else {
                return try HostResolver.addresses(of: name, transportPort: url.effectiveTCPPort)
                    .map { Candidate(address: $0, name: name) }
            }
            var candidates: [Candidate] = []
            var failure = ResolverError("\(name): its SRV records say that it has no RTSP")
            var generator = SystemRandomNumberGenerator()
            for record in ServiceRecord.arranged(records, using: &generator) where !record.target.isEmpty {
                do {
                    candidates += try HostResolver.addresses(
                        of: record.target, transportPort: record.transportPort
                    )
                    .map { Candidate(address: $0, name: name) }
                } catch {
                    failure = error
                }
            }
            if candidates.isEmpty { throw failure }
            return candidates
        }
    }
}
